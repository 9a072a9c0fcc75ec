"""The work that is measured, by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from bench import acme, apiserver, scale
from bench.clones import foreign
from bench.driver import Load
from bench.issuance import ceiling, measure, row_of
from bench.rows import Aim, Row
from bench.servers import (
    CERTWRIGHT,
    EMBEDDED,
    OURS,
    REAL,
    Bench,
    Contender,
    install,
    server_of,
    standalone,
)

QUICK = 25
"""How many times smaller the work is that only shows that everything works."""
QUICK_LEAST = 8


@dataclass(frozen=True)
class Asked:
    """What the caller wants."""

    servers: Sequence[str]
    peer: Contender | None = None
    quick: bool = False
    named: bool = False
    """Whether the scenarios were chosen by name."""

    def count(self, full: int) -> int:
        """The number of objects."""
        return max(QUICK_LEAST, full // QUICK) if self.quick else full

    def contenders(self) -> list[Contender]:
        """Who is measured on a real server, we first."""
        return [CERTWRIGHT, *([self.peer] if self.peer else [])]


@dataclass(frozen=True)
class Scenario:
    """One of them; its rows come as soon as they are measured."""

    name: str
    says: str
    rows: Callable[[Asked], Iterator[Row]]
    usual: bool = True
    """Whether it is measured where none is named."""


def budget(row: Row) -> tuple[Aim, ...]:
    """What an issuance may write."""
    refused = () if row.refused_each is None else (Aim("refused", row.refused_each, 0),)
    return (_at_most("writes", row.writes_each, 4), _at_most("events", row.events_each, 2), *refused)


def light(row: Row) -> tuple[Aim, ...]:
    """And what CPU it may take."""
    return (_at_most("CPU ms", row.cpu_ms_each, 8), *budget(row))


def flat(row: Row) -> tuple[Aim, ...]:
    """And that does not grow with their number, nor does memory much."""
    growth = (row.cpu_ms_last_third or 0) / (row.cpu_ms_first_third or 1)
    return (*light(row), _at_most("CPU of the last third by the first", growth, 1.25), _at_most("peak", row.peak, 130))


def prompt(row: Row) -> tuple[Aim, ...]:
    """Who comes first is served first."""
    return (_at_most("p50", row.p50, 2), *budget(row))


def _still(row: Row) -> tuple[Aim, ...]:
    return (_at_most("writes", (row.writes_each or 0) * row.count, 0),)


def _at_most(what: str, found: float | None, limit: float) -> Aim:
    return Aim(what, float("inf") if found is None else found, limit)


@dataclass(frozen=True)
class Issuing:
    """Certificates that are issued, by everybody on every server that is asked for."""

    name: str
    load: Load
    share: float = 0
    """Of the bare loop that has to be reached; 0: it is not measured."""
    aims: Callable[[Row], tuple[Aim, ...]] = budget

    def __call__(self, asked: Asked) -> Iterator[Row]:
        load = replace(self.load, count=asked.count(self.load.count))
        for contender in asked.contenders() if REAL in asked.servers else ():
            yield from self._on_real_server(load, contender)
        if EMBEDDED in asked.servers:
            with _folder() as folder, standalone(folder) as bench:
                row = row_of(self.name, bench, measure(bench, load))
            yield replace(row, aims=budget(row))

    def _on_real_server(self, load: Load, contender: Contender) -> Iterator[Row]:
        with _folder() as folder, server_of(REAL, folder) as server:
            install(server.kubeconfig)
            with contender.start(server, ()) as bench:
                row = row_of(self.name, bench, measure(bench, load))
            if contender.who != OURS:
                yield row
                return
            top = ceiling(server.kubeconfig, load.count) if self.share else 0.0
        if top:
            yield Row(scenario=self.name, server=REAL, who="bare loop", count=load.count, per_second=round(top, 2))
            row = replace(row, ceiling_share=round((row.per_second or 0) / top, 3))
            row = replace(row, aims=(Aim("share of the bare loop", row.ceiling_share or 0, self.share, least=True),))
        yield replace(row, aims=row.aims + self.aims(row))


def restarts(asked: Asked) -> Iterator[Row]:
    """Whether a controller that comes back finds its feet soon, in little memory, and leaves everything as it is."""
    count = asked.count(4300)
    for kind in asked.servers:
        with _folder() as folder, scale.filled(kind, folder, count) as server:
            for contender in asked.contenders() if kind == REAL else [CERTWRIGHT]:
                row = scale.restart(server, contender, "restart-4300", count)
                aims = (*_still(row), _at_most("RSS", row.rss, 100), _at_most("CPU s", row.cpu_seconds, 4))
                yield replace(row, aims=aims if contender is CERTWRIGHT else ())


def foreigners(asked: Asked) -> Iterator[Row]:
    """What Secrets of others cost, beside a thousand Certificates."""
    count, others = asked.count(1000), asked.count(30_000)
    for kind in asked.servers:
        with _folder() as folder, scale.filled(kind, folder, count) as server:
            without = scale.restart(server, CERTWRIGHT, "foreign-30000", count)
            yield replace(without, note="without foreign Secrets")
            scale.put(server, foreign(others))
            row = scale.restart(server, CERTWRIGHT, "foreign-30000", count)
            added = (row.rss or 0) - (without.rss or 0)
            yield replace(row, note=f"with {others}", aims=(_at_most("RSS added", added, 32),))


def cold(asked: Asked) -> Iterator[Row]:
    """A start with a hundred thousand Certificates."""
    count = asked.count(100_000)
    for kind in asked.servers:
        with _folder() as folder, scale.filled(kind, folder, count) as server:
            row = scale.restart(server, CERTWRIGHT, "cold-100000", count)
        quiet = _at_most("s until quiet", row.seconds_until_quiet, 60)
        yield replace(row, aims=(*_still(row), _at_most("RSS", row.rss, 1024), quiet))


def acmes(asked: Asked) -> Iterator[Row]:
    """Certificates of an ACME CA by DNS-01."""
    load = Load(asked.count(60), issuer="acme", patience=timedelta(minutes=2))
    starts: list[Callable[[Path, Sequence[str]], AbstractContextManager[Bench]]] = []
    if REAL in asked.servers:  # the other one sleeps a minute for each of five: it is measured on demand
        starts += [partial(_on_server, each) for each in (asked.contenders() if asked.named else [CERTWRIGHT])]
    if EMBEDDED in asked.servers:
        starts.append(standalone)
    for start in starts:
        with _folder() as folder, acme.world(folder) as world, start(folder, world.flags) as bench:
            row = row_of("acme-60", bench, measure(bench, load, world.prepare, warm_up=2))
        aims = (Aim("a second", row.per_second or 0, 3, least=True), _at_most("p95", row.p95, 20))
        yield replace(row, aims=aims if bench.who == OURS else ())


def embedded_server(asked: Asked) -> Iterator[Row]:
    """Writes and watches of the embedded API server itself."""
    if EMBEDDED in asked.servers:
        for rate in apiserver.measured(apiserver.QUICK if asked.quick else apiserver.FULL):
            yield Row(
                scenario="apiserver",
                server=EMBEDDED,
                who=rate.what,
                count=rate.times,
                per_second=round(rate.per_second, 1),
                cpu_ms_each=round(1000 / rate.per_cpu_second, 3),
            )


@contextmanager
def _on_server(contender: Contender, folder: Path, flags: Sequence[str]) -> Iterator[Bench]:
    with server_of(REAL, folder) as server:
        install(server.kubeconfig)
        with contender.start(server, flags) as bench:
            yield bench


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="certwright-bench-") as folder:
        yield Path(folder)


SCENARIOS = (
    Scenario("ca-500", "500 Certificates at once, CA issuer, P-256", Issuing("ca-500", Load(500), 0.65, light)),
    Scenario("ca-3000", "3,000 Certificates at once, CA issuer, P-256", Issuing("ca-3000", Load(3000), 0.60, flat)),
    Scenario("rsa-300", "300 Certificates at once, CA issuer, RSA-2048", Issuing("rsa-300", Load(300, "RSA"))),
    Scenario("paced", "1,000 Certificates, 50 a second", Issuing("paced", Load(1000, rate=50), aims=prompt)),
    Scenario("restart-4300", "a start with 4,300 issued Certificates", restarts),
    Scenario("foreign-30000", "what 30,000 Secrets of others add", foreigners),
    Scenario("acme-60", "60 Certificates, ACME DNS-01, BIND and Pebble", acmes),
    Scenario("apiserver", "writes and watches of the embedded API server", embedded_server),
    Scenario("cold-100000", "a start with 100,000 issued Certificates", cold, usual=False),
)
