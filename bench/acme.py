"""An ACME CA (Pebble) and a nameserver that takes updates (BIND), for certificates proved by DNS-01."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.servers.bind import Bind
from tests.servers.pebble import Pebble, PebbleOptions

from bench.driver import NAMESPACE
from certwright.api.core_kinds import NAMESPACE as NAMESPACES
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import ISSUER
from certwright.api.meta import JSONObject
from certwright.kube.client.client import KubeClient
from certwright.kube.wire.status import AlreadyExists

ALGORITHM = "HMACSHA256"


class JudgeMissing(Exception):
    """A program is not on this machine; the text names it."""


@dataclass(frozen=True)
class World:
    """What lies outside of the cluster."""

    pebble: Pebble
    bind: Bind

    @property
    def flags(self) -> list[str]:
        """Of a controller that asks this nameserver alone, as nobody else knows its zone."""
        return [f"--dns01-recursive-nameservers={self.bind.address}", "--dns01-recursive-nameservers-only=true"]

    async def prepare(self, client: KubeClient) -> None:
        """A namespace with an issuer that updates the nameserver."""
        with contextlib.suppress(AlreadyExists):
            await client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        key = self.bind.key(ALGORITHM)
        data: JSONObject = {"k": base64.b64encode(key.secret.encode()).decode()}
        await client.create(SECRET, {"apiVersion": "v1", "kind": "Secret", **_named("tsig"), "data": data}, NAMESPACE)
        rfc2136: JSONObject = {
            "nameserver": self.bind.address,
            "tsigKeyName": key.name,
            "tsigAlgorithm": ALGORITHM,
            "tsigSecretSecretRef": {"name": "tsig", "key": "k"},
        }
        acme: JSONObject = {
            "server": self.pebble.directory,
            "caBundle": base64.b64encode(self.pebble.ca.read_bytes()).decode(),
            "privateKeySecretRef": {"name": "account"},
            "solvers": [{"dns01": {"rfc2136": rfc2136}}],
        }
        body: JSONObject = {"apiVersion": "cert-manager.io/v1", "kind": "Issuer", **_named("acme")}
        await client.create(ISSUER, {**body, "spec": {"acme": acme}}, NAMESPACE)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Both, at work."""
    servers = (folder / "bind", folder / "pebble")
    for each in servers:
        each.mkdir()
    bind = Bind(servers[0], ["bench.test."])
    try:
        bind.start()
    except pytest.skip.Exception as absent:
        raise JudgeMissing(f"BIND is not on this machine: {absent}") from absent
    with contextlib.ExitStack() as stack:
        stack.callback(bind.stop)
        pebble = Pebble(servers[1], PebbleOptions(dns_server=bind.address, bad_nonces=0))
        pebble.start()
        stack.callback(pebble.stop)
        yield World(pebble, bind)


def _named(name: str) -> JSONObject:
    return {"metadata": {"name": name, "namespace": NAMESPACE}}
