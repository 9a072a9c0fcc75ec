"""Writes per second and watches of the embedded API server.

The server runs in a process of its own behind its Unix socket, as in standalone mode; the client is a bare one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import uvloop
import yaml
from tests.controller_process import compiled_once
from tests.kubernetes.processes import Process

from certwright.apiserver.server import ApiServer, ApiServerOptions
from certwright.clock import SystemClock

ROOT = Path(__file__).resolve().parent.parent
GROUP = "cert-manager.io/v1"
CERTIFICATES = f"/apis/{GROUP}/namespaces/default/certificates"
DEFINITION = ROOT / "deploy" / "crds" / "certificates.cert-manager.io.yaml"
IN_FLIGHT, WATCHERS = 16, 10
CLOCK = SystemClock()


class Size(NamedTuple):
    """How much is done; the best of all rounds counts."""

    objects: int = 200
    writes: int = 1500
    applies: int = 600
    watched: int = 10_000
    rounds: int = 2


FULL, QUICK = Size(), Size(20, 60, 24, 400, 1)


class Rate(NamedTuple):
    """One measurement: by the clock, and by the time that the server was on a processor, which others cannot take."""

    what: str
    times: int
    per_second: float
    per_cpu_second: float


def certificate(name: str) -> dict[str, Any]:
    """A Certificate of about 2.6 KB, as a running cluster has them."""
    return {
        "apiVersion": GROUP,
        "kind": "Certificate",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm", "team": "platform"},
            "annotations": {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": "default"},
        },
        "spec": {
            "secretName": f"{name}-tls",
            "dnsNames": [f"{host}.{name}.example.com" for host in ("www", "api", "admin", "static", "cdn", "mail")],
            "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer", "group": "cert-manager.io"},
            "duration": "2160h0m0s",
            "renewBefore": "360h0m0s",
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "usages": ["digital signature", "key encipherment", "server auth"],
            "subject": {"organizations": ["Example Inc."], "organizationalUnits": ["Platform"]},
        },
    }


def status(turn: int) -> dict[str, Any]:
    """The status of an issued certificate, different in each turn."""
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": f"Certificate is up to date and has not expired ({turn})",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    moments = {"notBefore": "2026-01-01T00:00:00Z", "notAfter": "2026-04-01T00:00:00Z"}
    return {"conditions": [condition], "revision": turn, "renewalTime": "2026-03-17T00:00:00Z", **moments}


class Client:
    """Requests over the server's Unix socket."""

    def __init__(self, socket: Path) -> None:
        connector = aiohttp.UnixConnector(path=str(socket), limit=0)
        self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": "bench/1"})

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(self, verb: str, path: str, body: object = None, media: str = "application/json") -> Any:
        """The decoded answer, which must be a success."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": media}
        async with self._session.request(verb, f"http://server{path}", data=data, headers=headers) as response:
            text = await response.read()
            assert response.status < 300, text[:500]
            return json.loads(text)

    async def count_events(self, path: str, wanted: int, ready: Callable[[], None]) -> None:
        """Return after so many events of a watch."""
        async with self._session.get(f"http://server{path}", timeout=aiohttp.ClientTimeout(None)) as response:
            ready()
            seen = 0
            while seen < wanted:
                seen += (await response.content.readany()).count(b"}\n")


class Meter:
    """Measures from its making on."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._start, self._used = CLOCK.monotonic(), self._cpu()

    def _cpu(self) -> float:
        """Seconds that the server was on a processor (Linux)."""
        fields = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rate(self, what: str, count: int) -> Rate:
        """So many things were done since."""
        used = max(self._cpu() - self._used, 0.001)
        return Rate(what, count, count / (CLOCK.monotonic() - self._start), count / used)


async def rate(what: str, count: int, work: Callable[[int], Awaitable[object]], process: int) -> Rate:
    """How often `work` was done in a second, with `IN_FLIGHT` at once."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await work(number)

    meter = Meter(process)
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return meter.rate(what, count)


async def measure_writes(client: Client, process: int, turn: int, size: Size) -> list[Rate]:
    """Status updates by PUT and by merge patch, and applies."""
    names = [f"app{number}" for number in range(size.objects)]
    held = {name: await client.call("GET", f"{CERTIFICATES}/{name}") for name in names}

    async def put(number: int) -> None:
        name = names[number % size.objects]
        held[name] = await client.call("PUT", f"{CERTIFICATES}/{name}/status", {**held[name], "status": status(number)})

    async def patch(number: int) -> None:
        path = f"{CERTIFICATES}/{names[number % size.objects]}/status"
        await client.call(
            "PATCH", path, {"status": status(turn * size.writes + number)}, "application/merge-patch+json"
        )

    async def apply(number: int) -> None:
        body = certificate(names[number % size.objects])
        body["spec"]["dnsNames"].append(f"extra{turn}-{number}.example.com")
        path = f"{CERTIFICATES}/{body['metadata']['name']}?fieldManager=bench&force=true"
        await client.call("PATCH", path, body, "application/apply-patch+yaml")

    length = len(json.dumps(held[names[0]]))
    return [
        await rate(f"status updates (PUT of {length} bytes)", size.writes, put, process),
        await rate("status updates (merge patch)", size.writes, patch, process),
        await rate("server-side applies", size.applies, apply, process),
    ]


async def measure_watches(client: Client, process: int, size: Size) -> list[Rate]:
    """Ten clients watch many objects: the first sight of all, then a change of each tenth."""
    path = "/api/v1/namespaces/default/configmaps"
    present = {item["metadata"]["name"] for item in (await client.call("GET", path))["items"]}
    wanted = [f"watched{number}" for number in range(size.watched)]

    async def make(number: int) -> None:
        if wanted[number] not in present:
            await client.call("POST", path, {"metadata": {"name": wanted[number]}, "data": {"k": "v" * 200}})

    created = await rate("creates of ConfigMaps", size.watched, make, process)
    meter, started = Meter(process), asyncio.Event()
    total, changes = len((await client.call("GET", path))["items"]), size.watched // 10
    sync = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    first = [client.count_events(f"{path}?{sync}", total + 1, started.set) for _ in range(WATCHERS)]
    await asyncio.gather(*first)
    seen = meter.rate("initial events to ten watchers", WATCHERS * total)

    version = (await client.call("GET", f"{path}?limit=1"))["metadata"]["resourceVersion"]
    watchers = [
        asyncio.create_task(client.count_events(f"{path}?watch=1&resourceVersion={version}", changes, started.set))
        for _ in range(WATCHERS)
    ]
    meter, stamp = Meter(process), str(os.getpid())

    async def touch(number: int) -> None:
        body = {"metadata": {"labels": {"bench": f"{stamp}-{number}-{version}"}}}
        await client.call("PATCH", f"{path}/{wanted[number]}", body, "application/merge-patch+json")

    await rate("", changes, touch, process)
    await asyncio.gather(*watchers)
    return [created, seen, meter.rate(f"changes told to ten watchers of {size.watched:,} objects", changes)]


async def measure(socket: Path, process: int, size: Size) -> list[Rate]:
    """Everything, several times; the best of each."""
    best: dict[str, Rate] = {}
    async with Client(socket) as client:
        crd = yaml.safe_load(DEFINITION.read_text())
        await client.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        for number in range(size.objects):
            await client.call("POST", CERTIFICATES, certificate(f"app{number}"))
        for turn in range(size.rounds):
            created, *watched = await measure_watches(client, process, size)
            found = [
                *await measure_writes(client, process, turn, size),
                *watched,
                *([] if turn else [created]),
            ]
            for one in found:
                before = best.get(one.what, one)
                fastest = max(before.per_second, one.per_second), max(before.per_cpu_second, one.per_cpu_second)
                best[one.what] = Rate(one.what, one.times, *fastest)
    return list(best.values())


async def serve(folder: Path) -> None:
    """The server, until killed."""
    options = ApiServerOptions(data_dir=folder / "data", port=None, socket=folder / "socket")
    await ApiServer(options, CLOCK).start()
    await asyncio.Event().wait()


def measured(size: Size) -> list[Rate]:
    """Start the server, measure, end it."""
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "bench.apiserver", "serve", name]
        server = Process("API server", command, folder / "log", compiled_once())
        try:
            server.wait_until((folder / "socket").exists)
            return uvloop.run(measure(folder / "socket", server.pid, size))
        finally:
            server.stop()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[2])))
