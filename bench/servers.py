"""The servers and controllers that are measured, each in processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import uvloop
from tests.controller_process import USER_AGENT, ControllerProcess, compiled_once
from tests.kubernetes.audit import Write, count_refused, count_writes
from tests.kubernetes.processes import PATIENCE, Process
from tests.kubernetes.server import KubernetesServer

from certwright.app.installing import install_definitions
from certwright.clock import SystemClock
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection

T = TypeVar("T")
REAL, EMBEDDED, OURS = "real", "embedded", "certwright"
SERVES = "serves"
EVENTS, LEASES, REVIEWS = "events", "leases.coordination.k8s.io", "subjectaccessreviews.authorization.k8s.io"
STORAGE = str(16 << 30)
LONG = 10 * PATIENCE
"""Steps of starting: what holds a hundred thousand Certificates takes its time."""


@dataclass(frozen=True)
class Tally:
    """Accepted writes to objects by verb and resource, writes of Events, and refused writes."""

    writes: Counter[str] = field(default_factory=Counter)
    events: int = 0
    refused: int = 0

    @classmethod
    def of(cls, found: Counter[Write], refused: int = 0) -> Tally:
        """Leases and questions about permissions are no writes to objects."""
        told = sum(count for write, count in found.items() if write.resource.startswith(EVENTS))
        left_out = (EVENTS, LEASES, REVIEWS)
        writes = {f"{w.verb} {w.resource}": n for w, n in found.items() if not w.resource.startswith(left_out)}
        return cls(Counter(writes), told, refused)

    def since(self, before: Tally) -> Tally:
        """What came after `before`."""
        return Tally(self.writes - before.writes, self.events - before.events, self.refused - before.refused)


@dataclass(frozen=True)
class Bench:
    """A server with a controller at work."""

    server: str
    who: str
    kubeconfig: Path
    pid: int
    """Of the controller."""
    tally: Callable[[KubeClient], Awaitable[Tally]]
    log: Path
    counts_driver: bool = False
    """Whether what the driver creates is in the tally too."""
    stop: Callable[[], None] | None = None
    """Ends the controller and leaves the server to others; None where both are one process."""


class BenchServer(KubernetesServer):
    """A control plane with room for a hundred thousand Certificates, whose storage can be written to directly."""

    kind = REAL

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    @property
    def storage(self) -> str:
        """Where etcd's JSON gateway is."""
        return f"http://127.0.0.1:{self._etcd_port}"

    @property
    def pid(self) -> int:
        """Of the API server."""
        return next(process.pid for process in self._processes if process.name == "kube-apiserver")

    async def tally(self, user_agent_prefix: str, _: KubeClient) -> Tally:
        """What callers of that kind wrote, by the audit log."""
        log = self.folder / "audit.log"
        return Tally.of(count_writes(log, user_agent_prefix), count_refused(log, user_agent_prefix))

    def _run(self, program: str, options: dict[str, str]) -> Process:
        more = {"quota-backend-bytes": STORAGE} if program == "etcd" else {}
        return super()._run(program, {**options, **more})


class EmbeddedBenchServer:
    """An embedded server without controllers, in a process of its own."""

    kind = EMBEDDED

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "data" / "kubeconfig"
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """Of the API server."""
        assert self._process is not None, "the server is not started"
        return self._process.pid

    def start(self) -> None:
        """Return when the API is served."""
        log = self.folder / "server.log"
        command = [sys.executable, "-m", "bench.embedded", str(self.folder / "data")]
        self._process = Process("API server", command, log, compiled_once())
        self._process.wait_until(lambda: SERVES.encode() in log.read_bytes(), LONG)

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    async def tally(self, _: str, client: KubeClient) -> Tally:
        """What everybody wrote."""
        return await revisions(client)


Server = BenchServer | EmbeddedBenchServer


@contextmanager
def server_of(kind: str, folder: Path) -> Iterator[Server]:
    """A running server of that kind; its files are in a folder of its own below `folder`."""
    below = folder / f"{kind}-server"
    below.mkdir()
    server: Server = BenchServer(below) if kind == REAL else EmbeddedBenchServer(below)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def ours(server: Server, flags: Sequence[str] = ()) -> Iterator[Bench]:
    """Our controller, in a process of its own."""
    process = ControllerProcess(server.folder, server.kubeconfig, ["-v=0", *flags])
    process.start(LONG)
    try:
        tally = partial(server.tally, USER_AGENT)
        yield Bench(server.kind, OURS, server.kubeconfig, process.pid, tally, process.log, stop=process.stop)
    finally:
        process.stop()


@dataclass(frozen=True)
class Contender:
    """A program that does the work on somebody's API server, and how its requests are known."""

    who: str
    agent: str
    start: Callable[[Server, Sequence[str]], AbstractContextManager[Bench]]


CERTWRIGHT = Contender(OURS, USER_AGENT, ours)


@contextmanager
def standalone(folder: Path, flags: Sequence[str] = ()) -> Iterator[Bench]:
    """`certwright run`: API server and controllers in one process."""
    options = [f"--data-dir={folder / 'data'}", "--port=0", "--acme-port=0", "--http01-port=0", "-v=0", *flags]
    log = folder / "run.log"
    command = [sys.executable, "-m", "certwright", "run", *options]
    process = Process("certwright run", command, log, {**compiled_once(), "PYTHONUNBUFFERED": "1"})
    try:
        process.wait_until(lambda: b"kubectl --kubeconfig" in log.read_bytes())
        yield Bench(EMBEDDED, OURS, folder / "data" / "kubeconfig", process.pid, revisions, log, counts_driver=True)
    finally:
        process.stop()


async def revisions(client: KubeClient) -> Tally:
    """Everybody's writes to an embedded server: each has a revision of its own; Events tell how often they were."""
    answer = msgspec.json.decode(await client.get_raw("/api/v1/events"))
    events = sum(event.get("count") or 1 for event in answer["items"])
    return Tally(Counter({"all": int(answer["metadata"]["resourceVersion"]) - events}), events)


def client_of(kubeconfig: Path) -> KubeClient:
    """A client for the driver's own requests."""
    connection = find_connection(os.environ, str(kubeconfig))
    return KubeClient(connection, SystemClock(), ClientOptions(user_agent="bench-driver"))


def asking(kubeconfig: Path, work: Callable[[KubeClient], Awaitable[T]]) -> T:
    """What `work` comes to with a client of that server."""

    async def whole() -> T:
        client = client_of(kubeconfig)
        try:
            return await work(client)
        finally:
            await client.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


def install(kubeconfig: Path) -> None:
    """Put our kinds on the server."""
    asking(kubeconfig, lambda client: install_definitions(client, SystemClock()))
