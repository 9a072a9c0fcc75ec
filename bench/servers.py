"""The servers and controllers that are measured, each in processes of their own."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.controller_process import USER_AGENT, ControllerProcess, compiled_once
from tests.kubernetes.processes import Process
from tests.kubernetes.server import KubernetesServer

Writes = Counter[str]


@dataclass(frozen=True)
class Bench:
    """A server with a controller at work; `servers` are the other processes that share the machine."""

    kind: str
    controller: str
    kubeconfig: Path
    controller_pid: int
    writes: Callable[[], Writes] = field(default=Counter)
    end_controller: Callable[[], None] | None = None
    """Leaves the server to others; None where both are one process."""


@contextmanager
def real_server(folder: Path) -> Iterator[KubernetesServer]:
    """A real kube-apiserver with etcd."""
    server = KubernetesServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def on_real_server(folder: Path, server: KubernetesServer, controller: Path | None) -> Iterator[Bench]:
    """Our controller, or the one at `controller`, against a real server."""
    with ExitStack() as stack:
        if controller is None:
            process = ControllerProcess(folder, server.kubeconfig, ["-v=0"])
            process.start()
            stack.callback(process.stop)
            pid, agent, end = process.pid, USER_AGENT, process.stop
        else:
            command = [str(controller), f"--kubeconfig={server.kubeconfig}", "--leader-elect=false"]
            other = Process("controller", command, folder / "other-controller.log")
            stack.callback(other.stop)
            pid, agent, end = other.pid, controller.name, other.stop

        def writes() -> Writes:
            return Counter({f"{w.verb} {w.resource}": count for w, count in server.writes(agent).items()})

        yield Bench("real", controller.name if controller else "certwright", server.kubeconfig, pid, writes, end)


@contextmanager
def standalone(folder: Path) -> Iterator[Bench]:
    """`certwright run`: API server and controllers in one process."""
    command = [
        sys.executable,
        "-m",
        "certwright",
        "run",
        f"--data-dir={folder / 'data'}",
        "--port=0",
        "--acme-port=0",
        "--http01-port=0",
        "-v=0",
    ]
    process = Process("certwright run", command, folder / "run.log", {**compiled_once(), "PYTHONUNBUFFERED": "1"})
    try:
        process.wait_until(lambda: b"kubectl --kubeconfig" in (folder / "run.log").read_bytes())
        yield Bench("embedded", "certwright", folder / "data" / "kubeconfig", process.pid)
    finally:
        process.stop()
