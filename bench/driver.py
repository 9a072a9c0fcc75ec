"""Creates Certificates from many connections and watches them to Ready."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import NAMESPACE as NAMESPACES
from certwright.api.kinds import CERTIFICATE, ISSUER
from certwright.api.meta import JSONObject
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Seen, Selection
from certwright.kube.wire.status import AlreadyExists
from certwright.rules.hub import condition_of

NAMESPACE, CONNECTIONS = "bench", 16
PATIENCE = 600


def certificate(name: str, algorithm: str, issuer: str = "ca", *, is_ca: bool = False) -> JSONObject:
    """A Certificate of the bench."""
    spec: JSONObject = {
        "secretName": name,
        "commonName": f"{name}.bench.test",
        "dnsNames": [f"{name}.bench.test"],
        "issuerRef": {"name": issuer, "kind": "Issuer"},
        "privateKey": {"algorithm": algorithm},
        "isCA": is_ca,
    }
    return _object("cert-manager.io/v1", "Certificate", name, spec)


def _object(version: str, kind: str, name: str, spec: JSONObject) -> JSONObject:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


async def prepare(client: KubeClient) -> None:
    """A namespace with a CA issuer whose pair comes from a self-signed Certificate."""
    with contextlib.suppress(AlreadyExists):
        await client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    issuers: dict[str, JSONObject] = {"root": {"selfSigned": {}}, "ca": {"ca": {"secretName": "root"}}}
    for name, spec in issuers.items():
        await client.create(ISSUER, _object("cert-manager.io/v1", "Issuer", name, spec), NAMESPACE)
    await client.create(CERTIFICATE, certificate("root", "ECDSA", "root", is_ca=True), NAMESPACE)


async def issue(client: KubeClient, clock: Clock, wanted: list[JSONObject], rate: float = 0) -> list[float]:
    """Seconds from each Certificate's creation to Ready, as a watcher sees it.

    With a rate so many are created in a second; without one as many as the server takes.
    """
    started: dict[str, float] = {}
    ready: dict[str, float] = {}
    names = {_name(body) for body in wanted}
    listing = await client.list(CERTIFICATE, Selection(NAMESPACE))

    async with asyncio.timeout(PATIENCE):
        watcher = asyncio.create_task(_watch(client, clock, listing.resource_version, (names, ready)))
        queue = _Queue(clock, wanted, rate)
        await asyncio.gather(*(_create(client, clock, queue, started) for _ in range(CONNECTIONS)))
        await watcher
    return [ready[name] - started[name] for name in names]


async def _watch(client: KubeClient, clock: Clock, version: str, seen: tuple[set[str], dict[str, float]]) -> None:
    names, ready = seen
    while len(ready) < len(names):
        async for event in client.watch(CERTIFICATE, Selection(NAMESPACE), version):
            if isinstance(event, Seen):
                version = event.obj.metadata.resource_version
                _note(event.obj, names, ready, clock.monotonic())
            if len(ready) == len(names):
                return


class _Queue:
    """Hands out one Certificate after the other, each not before its time."""

    def __init__(self, clock: Clock, wanted: list[JSONObject], rate: float) -> None:
        self._clock = clock
        self._numbered = iter(enumerate(wanted))
        self._pause = 1 / rate if rate else 0.0
        self._began = clock.monotonic()

    async def __aiter__(self) -> AsyncIterator[JSONObject]:
        for number, body in self._numbered:
            early = self._began + number * self._pause - self._clock.monotonic()
            if early > 0:
                await self._clock.wait(timedelta(seconds=early))
            yield body


async def _create(client: KubeClient, clock: Clock, queue: _Queue, started: dict[str, float]) -> None:
    async for body in queue:
        started[_name(body)] = clock.monotonic()
        await client.create(CERTIFICATE, body, NAMESPACE)


def _name(body: JSONObject) -> str:
    metadata = body["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["name"])


def _note(found: cm.Certificate, names: set[str], ready: dict[str, float], now: float) -> None:
    condition = condition_of(found.status.conditions, "Ready")
    name = found.metadata.name
    if condition and condition.status == "True" and name in names and name not in ready:
        ready[name] = now
