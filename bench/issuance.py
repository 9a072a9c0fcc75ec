"""How fast Certificates become Ready, what that costs, and the bare loop of the same writes as the ceiling."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bench.ceiling import bare_loop
from bench.driver import Load, issue, prepare
from bench.processes import Cost, cost_of
from bench.rows import Row
from bench.servers import Bench, Tally, asking
from certwright.clock import SystemClock
from certwright.kube.client.client import KubeClient

QUIET = timedelta(seconds=3)
LAST_LINES = 10

Prepare = Callable[[KubeClient], Awaitable[None]]


class NotWarm(Exception):
    """A controller does not even issue the first few; the text holds the end of its log."""


class Measured(Struct, frozen=True):
    """One batch of Certificates."""

    asked: int
    took: float
    delays: list[float]
    costs: list[Cost]
    """At the beginning, after each third, and at the end."""
    tally: Tally


def measure(bench: Bench, load: Load, prepared: Prepare = prepare, warm_up: int = 20) -> Measured:
    """Create Certificates and wait until all are Ready, after a batch to warm up."""

    async def work(client: KubeClient) -> Measured:
        await prepared(client)
        await _warm(client, bench, load, warm_up)
        return await _batch(client, bench, load)

    return asking(bench.kubeconfig, work)


async def _warm(client: KubeClient, bench: Bench, load: Load, count: int) -> None:
    wanted = load.certificates("warm", count)
    ready = await issue(client, SystemClock(), wanted, replace(load, rate=0))
    if len(ready) < count:
        raise NotWarm(f"{len(ready)} of the first {count} are Ready after {load.patience}:\n{_end(bench.log)}")
    await SystemClock().wait(QUIET)


async def _batch(client: KubeClient, bench: Bench, load: Load) -> Measured:
    clock = SystemClock()
    before, costs = await bench.tally(client), [cost_of(bench.pid)]
    thirds = {load.count * third // 3 for third in (1, 2, 3)}

    def note(ready: int) -> None:
        if ready in thirds:
            costs.append(cost_of(bench.pid))

    started = clock.monotonic()
    delays = await issue(client, clock, load.certificates("c", load.count), load, note)
    took = clock.monotonic() - started
    await clock.wait(QUIET)  # what follows belongs to the count too
    costs.append(cost_of(bench.pid))
    written = (await bench.tally(client)).since(before)
    if bench.counts_driver:
        written.writes["all"] -= load.count
    return Measured(load.count, took, delays, costs, written)


def ceiling(kubeconfig: Path, count: int) -> float:
    """Issuances a second of a bare loop."""
    return asking(kubeconfig, lambda client: bare_loop(client, SystemClock(), count))


def row_of(scenario: str, bench: Bench, found: Measured) -> Row:
    """Figures for each Certificate that became Ready."""
    ready = len(found.delays)
    unready = found.asked - ready
    if not ready:
        return Row(scenario=scenario, server=bench.server, who=bench.who, count=found.asked, failed="none became Ready")
    ordered, third = sorted(found.delays), found.asked / 3
    first, last = found.costs[0], found.costs[-1]
    complete = len(found.costs) == len(("start", "a third", "two", "all", "end"))
    return Row(
        scenario=scenario,
        server=bench.server,
        who=bench.who,
        count=found.asked,
        per_second=round(ready / found.took, 2),
        p50=round(statistics.median(ordered), 3),
        p95=round(ordered[int(ready * 0.95)], 3),
        cpu_ms_each=round(_cpu_ms(first, last) / ready, 2),
        cpu_ms_first_third=round(_cpu_ms(*found.costs[:2]) / third, 2) if complete else None,
        cpu_ms_last_third=round(_cpu_ms(*found.costs[2:4]) / third, 2) if complete else None,
        rss=round(last.rss_mib, 1),
        peak=round(last.peak_mib, 1),
        writes={what: round(number / ready, 3) for what, number in sorted(found.tally.writes.items())},
        writes_each=round(found.tally.writes.total() / ready, 2),
        refused_each=None if bench.counts_driver else round(found.tally.refused / ready, 3),
        events_each=round(found.tally.events / ready, 2),
        failed=f"{unready} of {found.asked} were not Ready after {found.took:.0f} s" if unready else "",
    )


def _cpu_ms(before: Cost, after: Cost) -> float:
    return (after.cpu_seconds - before.cpu_seconds) * 1000


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
