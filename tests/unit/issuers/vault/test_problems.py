"""What is wrong with a spec is told before Vault is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from certwright.api.issuer_types import VaultIssuer
from certwright.api.meta import decode
from certwright.issuers.vault.problems import problems

Plain = dict[str, Any]  # JSON
TOKEN = {"tokenSecretRef": {"name": "t"}}
ROLE = {"path": "approle", "roleId": "r", "secretRef": {"name": "s", "key": "k"}}
ACCOUNT = {"name": "account"}


def told(spec: Plain) -> list[str]:
    plain = {"server": "https://vault:8200", "path": "pki/sign/web", "auth": TOKEN, **spec}
    return list(problems(decode(VaultIssuer, json.dumps(plain).encode())))


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"server": "http://vault"},
        {"path": "/team/pki//sign/web..x/"},
        {"caBundle": "UEVN"},
        {"clientCertSecretRef": {"name": "c"}, "clientKeySecretRef": {"name": "c"}},
        {"auth": {"appRole": ROLE}},
        {"auth": {"appRole": {**ROLE, "path": ""}}},
        {"auth": {"clientCertificate": {"secretName": "c"}}},
        {
            "auth": {"clientCertificate": {}},
            "clientCertSecretRef": {"name": "c"},
            "clientKeySecretRef": {"name": "c"},
        },
        {"auth": {"kubernetes": {"role": "r", "secretRef": {"name": "s"}}}},
        {"auth": {"kubernetes": {"role": "r", "serviceAccountRef": ACCOUNT}}},
        {"auth": {"kubernetes": {"role": "r", "secretRef": {"name": ""}, "serviceAccountRef": ACCOUNT}}},
        {"auth": {"aws": {"role": "r"}}},
        {"auth": {"aws": {"role": "r", "region": "cn-north-1", "iamRoleArn": "arn", "serviceAccountRef": ACCOUNT}}},
    ],
)
def test_nothing_is_wrong(spec: Plain) -> None:
    assert told(spec) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"server": ""}, "server and path are required"),
        ({"path": ""}, "server and path are required"),
        ({"server": "vault:8200"}, "no URL of Vault"),
        ({"server": "file:///etc/passwd"}, "no URL of Vault"),
        ({"server": "https://vault:99999"}, "no URL of Vault"),
        ({"server": "https://"}, "no URL of Vault"),
        ({"path": "pki/../sys/seal"}, "spec.vault.path may not hold the segments . and .."),
        ({"path": "pki/./sign"}, "spec.vault.path may not hold the segments . and .."),
        ({"path": "pki\nsign"}, "spec.vault.path holds characters"),
        ({"auth": {"appRole": {**ROLE, "path": "../sys"}}}, "appRole.path may not hold"),
        ({"auth": {"kubernetes": {"role": "r", "mountPath": "/v1/../x", "serviceAccountRef": ACCOUNT}}}, "mountPath"),
        ({"auth": {"clientCertificate": {"secretName": "s", "mountPath": ".."}}}, "clientCertificate.mountPath"),
        ({"auth": {"aws": {"role": "r", "mountPath": "/v1/auth/.."}}}, "aws.mountPath may not hold"),
        ({"namespace": "team\r\nX-Vault-Token: a"}, "spec.vault.namespace holds characters"),
        ({"caBundle": "UEVN", "caBundleSecretRef": {"name": "c"}}, "keep one of them"),
        ({"clientCertSecretRef": {"name": "c"}}, "go together"),
        ({"clientKeySecretRef": {"name": "c"}}, "go together"),
        ({"auth": {}}, "tokenSecretRef, appRole, clientCertificate, kubernetes or aws is required"),
        ({"auth": {**TOKEN, "appRole": ROLE}}, "Multiple auth methods"),
        ({"auth": {"tokenSecretRef": {"name": ""}}}, "requires spec.vault.auth.tokenSecretRef.name"),
        ({"auth": {"appRole": {**ROLE, "roleId": ""}}}, "requires both roleId and secretRef.name"),
        ({"auth": {"appRole": {**ROLE, "secretRef": {"name": ""}}}}, "requires both roleId and secretRef.name"),
        ({"auth": {"appRole": {**ROLE, "secretRef": {"name": "s"}}}}, "appRole.secretRef.key"),
        ({"auth": {"clientCertificate": {}}}, "clientCertificate.secretName"),
        ({"auth": {"kubernetes": {"role": "", "serviceAccountRef": ACCOUNT}}}, "requires a role"),
        ({"auth": {"kubernetes": {"role": "r"}}}, "requires serviceAccountRef or secretRef"),
        (
            {"auth": {"kubernetes": {"role": "r", "secretRef": {"name": "s"}, "serviceAccountRef": ACCOUNT}}},
            "cannot use both",
        ),
        ({"auth": {"aws": {"role": ""}}}, "requires a role"),
        ({"auth": {"aws": {"role": "r", "region": "evil.test/"}}}, "no region of AWS"),
        ({"auth": {"aws": {"role": "r", "vaultHeaderValue": "a\nb"}}}, "no header may have"),
        ({"auth": {"aws": {"role": "r", "iamRoleArn": "arn"}}}, "go together"),
        ({"auth": {"aws": {"role": "r", "serviceAccountRef": ACCOUNT}}}, "go together"),
    ],
)
def test_one_thing_is_wrong(spec: Plain, words: str) -> None:
    found = told(spec)

    assert len(found) == 1
    assert words in found[0]
