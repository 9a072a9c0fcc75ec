"""How fast Certificates become Ready, and what that costs.

`python -m bench.issuance --server real --count 500` measures us on a real kube-apiserver, `--server embedded` the
standalone process; `--controller PATH` runs another controller with the same driver. `--ceiling` also measures the
bare loop of an issuance's writes. `--rate 50` lets so many Certificates arrive in a second, where otherwise all arrive
at once: the delays then say whether who comes first is served first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import uvloop
from msgspec import Struct

from bench.ceiling import bare_loop
from bench.driver import certificate, issue, prepare
from bench.processes import Cost, cost_of
from bench.servers import Bench, Writes, on_real_server, real_server, standalone
from certwright.app.installing import install_definitions
from certwright.clock import SystemClock
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection

RESULTS = Path(__file__).resolve().parent / "results"
T = TypeVar("T")
QUIET = timedelta(seconds=3)
WARM_UP = 20


class Result(Struct, frozen=True, kw_only=True):
    """One row; times in seconds, memory in MiB, all else for each Certificate."""

    server: str
    controller: str
    count: int
    algorithm: str
    arriving_per_second: float | None
    per_second: float
    ceiling_per_second: float | None
    p50: float
    p95: float
    cpu_ms: float
    rss: float
    peak: float
    writes: dict[str, float]
    date: str
    machine: str


class _Measured(Struct, frozen=True):
    took: float
    delays: list[float]
    before: Cost
    after: Cost
    writes: Writes


async def measure(bench: Bench, count: int, algorithm: str, rate: float) -> _Measured:
    """Create `count` Certificates and wait until all are Ready, after a warm-up batch."""
    clock = SystemClock()
    client = client_of(bench.kubeconfig)
    try:
        await install_definitions(client, clock)
        await prepare(client)
        await issue(client, clock, [certificate(f"warm-{n}", algorithm) for n in range(WARM_UP)])
        await clock.wait(QUIET)
        before, written = cost_of(bench.controller_pid), bench.writes()
        started = clock.monotonic()
        delays = await issue(client, clock, [certificate(f"c-{n:05}", algorithm) for n in range(count)], rate)
        took = clock.monotonic() - started
        await clock.wait(QUIET)  # what follows belongs to the count too
        return _Measured(took, delays, before, cost_of(bench.controller_pid), bench.writes() - written)
    finally:
        await client.close()


async def ceiling(kubeconfig: Path, count: int) -> float:
    """Issuances a second of a bare loop."""
    client = client_of(kubeconfig)
    try:
        return await bare_loop(client, SystemClock(), count)
    finally:
        await client.close()


def client_of(kubeconfig: Path) -> KubeClient:
    """A client for the driver's own requests."""
    connection = find_connection(os.environ, str(kubeconfig))
    return KubeClient(connection, SystemClock(), ClientOptions(user_agent="bench-driver"))


def _result(bench: Bench, asked: argparse.Namespace, found: _Measured, top: float | None) -> Result:
    ordered = sorted(found.delays)
    count: int = asked.count
    return Result(
        server=bench.kind,
        controller=bench.controller,
        count=count,
        algorithm=asked.algorithm,
        arriving_per_second=asked.rate or None,
        per_second=round(count / found.took, 1),
        ceiling_per_second=None if top is None else round(top, 1),
        p50=round(statistics.median(ordered), 2),
        p95=round(ordered[int(len(ordered) * 0.95)], 2),
        cpu_ms=round((found.after.cpu_seconds - found.before.cpu_seconds) * 1000 / count, 2),
        rss=round(found.after.rss_mib, 1),
        peak=round(found.after.peak_mib, 1),
        writes={what: round(number / count, 3) for what, number in sorted(found.writes.items())},
        date=f"{SystemClock().now():%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores, Python {platform.python_version()}",
    )


@contextmanager
def benches(asked: argparse.Namespace, folder: Path) -> Iterator[Bench]:
    """The server and controller that were asked for."""
    with ExitStack() as stack:
        if asked.server == "embedded":
            yield stack.enter_context(standalone(folder))
        else:
            server = stack.enter_context(real_server(folder))
            run(lambda: install(server.kubeconfig))
            yield stack.enter_context(on_real_server(folder, server, asked.controller))


async def install(kubeconfig: Path) -> None:
    """Put our kinds on the server."""
    client = client_of(kubeconfig)
    await install_definitions(client, SystemClock())
    await client.close()


def run(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` comes to, on an event loop of its own."""

    async def whole() -> T:
        return await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.issuance", description=__doc__)
    parser.add_argument("--server", choices=["real", "embedded"], default="embedded")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--algorithm", choices=["RSA", "ECDSA", "Ed25519"], default="ECDSA")
    parser.add_argument("--rate", type=float, default=0, help="Certificates that arrive in a second")
    parser.add_argument("--controller", type=Path, help="another controller's binary")
    parser.add_argument("--ceiling", action="store_true", help="measure the bare loop of writes too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder, benches(asked, Path(folder)) as bench:
        found = run(lambda: measure(bench, asked.count, asked.algorithm, asked.rate))
        top = None
        if asked.ceiling and bench.end_controller is not None:
            bench.end_controller()
            top = run(lambda: ceiling(bench.kubeconfig, asked.count))
        result = _result(bench, asked, found, top)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(result)).decode() + "\n")
    rate = f"-{asked.rate:g}-a-second" if asked.rate else ""
    name = f"{result.date}-{result.controller}-{result.server}-{result.algorithm.lower()}-{result.count}{rate}.json"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
