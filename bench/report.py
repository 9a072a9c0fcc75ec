"""Tells a run: one table, the ratios to another controller, and a file."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from tools.test_tools import TOOLS

from bench.peer import PEER, Peer
from bench.rows import Aim, Ratio, Row, Run
from bench.servers import OURS
from certwright.version import VERSION

RESULTS = Path(__file__).resolve().parent / "results"
# By scenario, what we have to reach of the other's figure: how many times its rate, which share of its 95th percentile.
RATES = {"ca-500": 4, "ca-3000": 5, "rsa-300": 2, "acme-60": 40}
DELAYS = {"ca-500": 0.25}
COMPARED = {
    "rate": "per_second",
    "p50": "p50",
    "p95": "p95",
    "CPU ms each": "cpu_ms_each",
    "CPU s": "cpu_seconds",
    "s until quiet": "seconds_until_quiet",
    "RSS": "rss",
    "writes each": "writes_each",
    "events each": "events_each",
}
HEADINGS = (
    *("scenario", "server", "who", "count", "/s", "of loop", "p50 s", "p95 s", "CPU ms", "1st→3rd", "CPU s", "quiet s"),
    *("RSS", "peak", "writes", "refused", "events", "met", "aims"),
)
TEXTS = (0, 1, 2, 18)
"""Columns that begin at the left."""


def table(run: Run) -> str:
    """All rows, aligned, and below them what we are beside the other."""
    cells = [HEADINGS, *(_cells(row) for row in run.rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            text.ljust(width) if column in TEXTS else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join([*lines, *(_beside(run.beside))])


def line(row: Row) -> str:
    """A row by itself, as progress."""
    pairs = zip(HEADINGS[1:], _cells(row)[1:], strict=True)
    return ", ".join(f"{heading} {text}" for heading, text in pairs if text not in {"–", ""})


def beside(rows: Iterable[Row]) -> list[Ratio]:
    """Ours to theirs, where both did the same work in this run."""
    found = {(row.scenario, row.server, row.who): row for row in rows}
    ratios: list[Ratio] = []
    for (scenario, server, who), theirs in found.items():
        ours = found.get((scenario, server, OURS))
        if who == PEER and ours is not None:
            ratios += _ratios(ours, theirs)
    return ratios


def _ratios(ours: Row, theirs: Row) -> Iterator[Ratio]:
    for what, field in COMPARED.items():
        mine, other = getattr(ours, field), getattr(theirs, field)
        if mine is None or not other:
            continue
        times, aim = round(mine / other, 3), None
        if what == "rate" and ours.scenario in RATES:
            aim = Aim("times", times, RATES[ours.scenario], least=True)
        elif what == "p95" and ours.scenario in DELAYS:
            aim = Aim("times", times, DELAYS[ours.scenario])
        yield Ratio(ours.scenario, what, mine, other, times, aim)


def _beside(ratios: list[Ratio]) -> Iterator[str]:
    if not ratios:
        return
    yield f"\n{OURS} beside {PEER}, same machine, same run:"
    for each in ratios:
        aim = f"  {each.aim}: {'met' if each.aim.met else 'not met'}" if each.aim else ""
        yield f"  {each.scenario:14} {each.what:14} {each.ours:10g} {each.theirs:10g}  × {each.times:<8g}{aim}"


def _cells(row: Row) -> tuple[str, ...]:
    thirds = (row.cpu_ms_first_third, row.cpu_ms_last_third)
    numbers = (row.per_second, row.ceiling_share, row.p50, row.p95, row.cpu_ms_each)
    more = (row.cpu_seconds, row.seconds_until_quiet, row.rss, row.peak)
    each = (row.writes_each, row.refused_each, row.events_each)
    words = [f"FAILED: {row.failed.splitlines()[0]}"] if row.failed else []
    words += [row.note] if row.note else []
    return (
        *(row.scenario, row.server, row.who, str(row.count)),
        *map(_number, numbers),
        "–" if None in thirds else "→".join(map(_number, thirds)),
        *map(_number, (*more, *each)),
        "–" if not row.aims and not row.failed else "yes" if row.met else "NO",
        "; ".join([*words, *map(str, row.aims)]),
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def save(run: Run, folder: Path) -> Path:
    """Write it to a file that is named after its moment."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub(r'[^0-9T]', '', run.date)}{'-quick' if run.quick else ''}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")
    return path


def machine() -> dict[str, str]:
    """What it is measured on, and how busy that was before."""
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "cores": str(os.cpu_count()),
        "processor": model[1] if model else platform.machine(),
        "memory": f"{int(memory[1]) >> 20} GiB" if memory else "",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def versions(peer: Peer | None) -> dict[str, str]:
    """Of all that took part."""
    found = {"certwright": VERSION, "python": platform.python_version(), "commit": _commit()}
    found |= {name: TOOLS[name].version for name in ("kubernetes", "pebble")}
    found["bind"] = _bind()
    return {**found, PEER: peer.version} if peer else found


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    answer = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _bind() -> str:
    named = shutil.which("named", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if named is None:
        return "absent"
    answer = subprocess.run([named, "-v"], capture_output=True, text=True, check=False)
    return answer.stdout.strip()
