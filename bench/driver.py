"""Creates Certificates from many connections and watches them to Ready."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

from msgspec import Struct

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


def certificate(name: str, algorithm: str, issuer: str = "ca", *, is_ca: bool = False) -> JSONObject:
    """A Certificate of the bench."""
    spec: JSONObject = {
        "secretName": name,
        "commonName": f"{name}.bench.test",
        "dnsNames": [f"{name}.bench.test"],
        "issuerRef": {"name": issuer, "kind": "Issuer"},
        "privateKey": {"algorithm": algorithm},
    }
    if is_ca:  # a CA that outlives what it signs: nothing is clipped to its end, which would be told each time
        spec |= {"isCA": True, "duration": "87600h"}
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


class Load(Struct, frozen=True):
    """What the driver asks of a controller."""

    count: int
    algorithm: str = "ECDSA"
    rate: float = 0
    """Certificates created in a second; 0 is as many as the server takes."""
    issuer: str = "ca"
    patience: timedelta = timedelta(minutes=5)

    def certificates(self, prefix: str, count: int) -> list[JSONObject]:
        """So many of them."""
        return [certificate(f"{prefix}-{n:06}", self.algorithm, self.issuer) for n in range(count)]


def _nothing(_: int) -> None: ...


async def issue(
    client: KubeClient, clock: Clock, wanted: list[JSONObject], load: Load, seen: Callable[[int], None] = _nothing
) -> list[float]:
    """Seconds from a Certificate's creation to Ready, as a watcher sees it, of those that were Ready in time.

    `seen` is told how many are.
    """
    started: dict[str, float] = {}
    ready: dict[str, float] = {}
    listing = await client.list(CERTIFICATE, Selection(NAMESPACE))
    watcher = _Watcher(client, clock, {_name(body) for body in wanted}, ready, seen)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(load.patience.total_seconds()), asyncio.TaskGroup() as group:
            group.create_task(watcher.watch(listing.resource_version))
            queue = _Queue(clock, wanted, load.rate)
            for _ in range(CONNECTIONS):
                group.create_task(_create(client, clock, queue, started))
    return [moment - started[name] for name, moment in ready.items()]


@dataclass
class _Watcher:
    """Notes when Certificates are Ready."""

    client: KubeClient
    clock: Clock
    names: set[str]
    ready: dict[str, float]
    seen: Callable[[int], None]

    async def watch(self, version: str) -> None:
        """Return when all are."""
        while len(self.ready) < len(self.names):
            async for events in self.client.watch(CERTIFICATE, Selection(NAMESPACE), version):
                for seen in (event.obj for event in events if isinstance(event, Seen)):
                    version = seen.metadata.resource_version
                    self._note(seen)
                if len(self.ready) == len(self.names):
                    return

    def _note(self, found: cm.Certificate) -> None:
        condition = condition_of(found.status.conditions, "Ready")
        name = found.metadata.name
        if condition and condition.status == "True" and name in self.names and name not in self.ready:
            self.ready[name] = self.clock.monotonic()
            self.seen(len(self.ready))


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
