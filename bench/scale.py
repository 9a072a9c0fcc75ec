"""What a controller costs that has nothing to do: memory and CPU from its start until it is quiet.

`python -m bench.scale --certificates 100000` copies one issued Certificate with its request and Secret straight into
the storage of an embedded server, each copy with a key and a certificate of its own; it serves that, and starts the
controller as a process of its own.
`--foreign-secrets N` adds Secrets that are not ours.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec import Struct
from tests.controller_process import ControllerProcess, compiled_once
from tests.kubernetes.processes import PATIENCE as A_MINUTE
from tests.kubernetes.processes import Process

from bench.clones import SEED, clone
from bench.driver import certificate, issue, prepare
from bench.issuance import RESULTS, client_of, install, run
from bench.processes import Cost, cost_of
from certwright.apiserver.server import ApiServer, ApiServerOptions
from certwright.clock import SystemClock

SERVES = "serves"
NO_SPREAD = "--renewal-spread=0"
"""The copies have the renewal time of their seed, which a spread would tell apart."""
STEP = timedelta(seconds=1)
QUIET_CPU = 0.03
"""CPU seconds in a second below which a process is quiet."""
QUIET_STEPS = 3
PATIENCE = 600
LONG = 10 * A_MINUTE
"""A server of a hundred thousand Certificates takes its time to start."""


class Result(Struct, frozen=True, kw_only=True):
    """Times in seconds, memory in MiB."""

    certificates: int
    foreign_secrets: int
    seconds_until_quiet: float
    cpu_seconds: float
    rss: float
    peak: float
    writes: int
    date: str
    machine: str


@contextmanager
def api_server(folder: Path) -> Iterator[Path]:
    """An embedded server without controllers, which would load all objects too; the path of its kubeconfig."""
    log = folder / "server.log"
    process = Process("API server", [sys.executable, "-m", "bench.scale", "serve", str(folder)], log, compiled_once())
    try:
        process.wait_until(lambda: SERVES.encode() in log.read_bytes(), LONG)
        yield folder / "data" / "kubeconfig"
    finally:
        process.stop()


async def serve(folder: Path) -> None:
    """The API server, until ended."""
    await ApiServer(ApiServerOptions(data_dir=folder / "data"), SystemClock()).start()
    print(SERVES, flush=True)  # noqa: T201 - for `api_server`
    await asyncio.Event().wait()


@contextmanager
def controller(folder: Path, kubeconfig: Path) -> Iterator[int]:
    """A controller at work; its process id."""
    process = ControllerProcess(folder, kubeconfig, ["-v=0", NO_SPREAD])
    process.start(LONG)
    try:
        yield process.pid
    finally:
        process.stop()


async def issue_seed(kubeconfig: Path) -> None:
    """One Certificate of a CA issuer, Ready."""
    client = client_of(kubeconfig)
    try:
        await prepare(client)
        await issue(client, SystemClock(), [certificate(SEED, "ECDSA")])
        await SystemClock().wait(STEP)
    finally:
        await client.close()


async def until_quiet(pid: int) -> float:
    """Seconds until the process has been quiet for a while, that while left out."""
    clock = SystemClock()
    started, quiet, before = clock.monotonic(), 0, cost_of(pid).cpu_seconds
    async with asyncio.timeout(PATIENCE):
        while quiet < QUIET_STEPS:
            await clock.wait(STEP)
            now = cost_of(pid).cpu_seconds
            quiet = quiet + 1 if now - before < QUIET_CPU else 0
            before = now
    return clock.monotonic() - started - QUIET_STEPS * STEP.total_seconds()


async def revision(kubeconfig: Path) -> int:
    """The server's newest resource version: it moves with every write."""
    client = client_of(kubeconfig)
    try:
        body = msgspec.json.decode(await client.get_raw("/api/v1/namespaces?limit=1"))
        return int(body["metadata"]["resourceVersion"])
    finally:
        await client.close()


def measure(folder: Path, asked: argparse.Namespace) -> Result:
    """From the seed to the result."""
    with api_server(folder) as kubeconfig:
        run(lambda: install(kubeconfig))
        with controller(folder, kubeconfig):
            run(lambda: issue_seed(kubeconfig))
    clone(folder / "data", asked.certificates, asked.foreign_secrets)
    with api_server(folder) as kubeconfig:
        before = run(lambda: revision(kubeconfig))
        clock = SystemClock()
        started = clock.monotonic()
        with controller(folder, kubeconfig) as pid:
            ready = clock.monotonic() - started
            seconds = ready + run(lambda: until_quiet(pid))
            cost: Cost = cost_of(pid)
            writes = run(lambda: revision(kubeconfig)) - before
    return Result(
        certificates=asked.certificates,
        foreign_secrets=asked.foreign_secrets,
        seconds_until_quiet=round(seconds, 1),
        cpu_seconds=round(cost.cpu_seconds, 1),
        rss=round(cost.rss_mib, 1),
        peak=round(cost.peak_mib, 1),
        writes=writes,
        date=f"{SystemClock().now():%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores, Python {platform.python_version()}",
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--certificates", type=int, default=4300)
    parser.add_argument("--foreign-secrets", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        result = measure(Path(folder), asked)
    text = msgspec.json.format(msgspec.json.encode(result))
    sys.stdout.write(text.decode() + "\n")
    RESULTS.mkdir(exist_ok=True)
    name = f"{result.date}-scale-{result.certificates}-{result.foreign_secrets}.json"
    (RESULTS / name).write_bytes(text + b"\n")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        run(lambda: serve(Path(sys.argv[2])))
    else:
        sys.exit(main())
