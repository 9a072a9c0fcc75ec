"""Writes a kubeconfig for a client certificate."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml
from tests.kubernetes.authority import KeyPair


def write_kubeconfig(target: Path, address: str, ca: Path, user: KeyPair) -> None:
    """One cluster, one user, one context named `test`; certificates are inside the file."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": address, "certificate-authority-data": _inline(ca)}}],
        "users": [
            {
                "name": "test",
                "user": {
                    "client-certificate-data": _inline(user.certificate),
                    "client-key-data": _inline(user.key),
                },
            }
        ],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    target.write_text(yaml.safe_dump(content))


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
