"""Reads what a process costs from /proc."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

TICKS = os.sysconf("SC_CLK_TCK")
KIB_PER_MIB = 1024


class Cost(Struct, frozen=True):
    """CPU since its start, and resident memory now and at its peak."""

    cpu_seconds: float
    rss_mib: float
    peak_mib: float


def cost_of(pid: int) -> Cost:
    """What process `pid` has cost so far."""
    folder = Path("/proc") / str(pid)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    sizes = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    return Cost((user + system) / TICKS, _mib(sizes["VmRSS"]), _mib(sizes["VmHWM"]))


def _mib(text: str) -> float:
    return int(text.split(maxsplit=1)[0]) / KIB_PER_MIB
