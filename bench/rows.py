"""What is measured: one row a scenario, server and program, with the aims that it has to reach."""

from __future__ import annotations

from msgspec import Struct


class Aim(Struct, frozen=True):
    """A limit, and what was found."""

    what: str
    found: float
    limit: float
    least: bool = False
    """Whether the limit is the least that is wanted, not the most."""

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.found >= self.limit if self.least else self.found <= self.limit

    def __str__(self) -> str:
        text = f"{self.what} {'≥' if self.least else '≤'} {self.limit:g}"
        return text if self.met else f"{text} (is {self.found:.4g})"


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times in seconds, CPU of the controller's process, memory in MiB; None is what was not measured."""

    scenario: str
    server: str
    who: str
    count: int
    per_second: float | None = None
    ceiling_share: float | None = None
    p50: float | None = None
    p95: float | None = None
    cpu_ms_each: float | None = None
    cpu_ms_first_third: float | None = None
    cpu_ms_last_third: float | None = None
    cpu_seconds: float | None = None
    seconds_until_quiet: float | None = None
    rss: float | None = None
    peak: float | None = None
    writes_each: float | None = None
    refused_each: float | None = None
    events_each: float | None = None
    writes: dict[str, float] = {}
    """Each kind of them, for each Certificate."""
    aims: tuple[Aim, ...] = ()
    note: str = ""
    failed: str = ""

    @property
    def met(self) -> bool:
        """Whether it was measured and reaches every aim."""
        return not self.failed and all(aim.met for aim in self.aims)


class Ratio(Struct, frozen=True):
    """Two programs in one run: how many times as much one has as the other."""

    scenario: str
    what: str
    ours: float
    theirs: float
    times: float
    aim: Aim | None = None


class Run(Struct, frozen=True, kw_only=True):
    """Everything of one run."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    quick: bool
    seconds: float
    rows: list[Row]
    beside: list[Ratio]
