"""What a controller costs that has nothing to do: memory and CPU from its start until it is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from bench.clones import SEED, Object, into_etcd, into_store, seed_of
from bench.driver import Load, certificate, issue, prepare
from bench.processes import cost_of
from bench.rows import Row
from bench.servers import CERTWRIGHT, BenchServer, Contender, Server, asking, install, ours, server_of
from certwright.clock import SystemClock
from certwright.kube.client.client import KubeClient

NO_SPREAD = "--renewal-spread=0"
"""The copies have the renewal time of their seed, which a spread would tell apart."""
STEP = timedelta(seconds=1)
QUIET_CPU, IDLE_CPU = 0.03, 0.3
"""CPU seconds in a second below which a controller is quiet, and the API server that it may wait for."""
QUIET_STEPS = 3
PATIENCE = timedelta(minutes=10)


@contextmanager
def filled(kind: str, folder: Path, certificates: int) -> Iterator[Server]:
    """A server that holds so many issued Certificates, each with a key and a certificate of its own."""
    with server_of(kind, folder) as server:
        install(server.kubeconfig)
        with ours(server, [NO_SPREAD]):
            asking(server.kubeconfig, _issue_seed)
        seed = asking(server.kubeconfig, seed_of)
        put(server, seed.copies(certificates))
        yield server


def put(server: Server, objects: Iterable[Object]) -> None:
    """Straight into the storage; return when the server has taken notice of it."""
    if isinstance(server, BenchServer):
        into_etcd(server.storage, objects)
    else:
        server.stop()
        into_store(server.folder / "data", objects)
        server.start()
    asyncio.run(_until_quiet({server.pid: IDLE_CPU}))


def restart(server: Server, contender: Contender, scenario: str, count: int) -> Row:
    """A controller from its start until it is quiet."""
    tally = partial(server.tally, contender.agent)
    before, started = asking(server.kubeconfig, tally), SystemClock().monotonic()
    with contender.start(server, [NO_SPREAD] if contender is CERTWRIGHT else []) as bench:
        seconds = asyncio.run(_until_quiet({bench.pid: QUIET_CPU, server.pid: IDLE_CPU})) - started
        cost = cost_of(bench.pid)
    written = asking(server.kubeconfig, tally).since(before)
    return Row(
        scenario=scenario,
        server=server.kind,
        who=contender.who,
        count=count,
        seconds_until_quiet=round(seconds, 1),
        cpu_seconds=round(cost.cpu_seconds, 2),
        rss=round(cost.rss_mib, 1),
        peak=round(cost.peak_mib, 1),
        writes=dict(written.writes),
        writes_each=written.writes.total() / count,
        refused_each=written.refused / count,
        events_each=written.events / count,
    )


async def _issue_seed(client: KubeClient) -> None:
    await prepare(client)
    ready = await issue(client, SystemClock(), [certificate(SEED, "ECDSA")], Load(1, patience=timedelta(minutes=1)))
    assert ready, "the first Certificate is not Ready after a minute"
    await SystemClock().wait(STEP)


async def _until_quiet(limits: dict[int, float]) -> float:
    """The moment since when these processes have been quiet: below their limits for a while."""
    clock, quiet = SystemClock(), 0
    before = {pid: cost_of(pid).cpu_seconds for pid in limits}
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while quiet < QUIET_STEPS:
            await clock.wait(STEP)
            now = {pid: cost_of(pid).cpu_seconds for pid in limits}
            quiet = quiet + 1 if all(now[pid] - before[pid] < limit for pid, limit in limits.items()) else 0
            before = now
    return clock.monotonic() - QUIET_STEPS * STEP.total_seconds()
