"""Measures issuance, memory and starts, and says which aims are met: `python -m bench`.

Progress is told on standard error, the table on standard output; every run leaves a file in bench/results/.
A scenario that fails is a row that says so.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from tools import test_tools

from bench import report
from bench.peer import PEER, Peer, contender
from bench.rows import Row, Run
from bench.scenarios import SCENARIOS, Asked, Scenario
from bench.servers import EMBEDDED, REAL
from certwright.clock import SystemClock

CLOCK = SystemClock()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where something of ours failed, not where an aim is missed."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.peer_controller is None) != (given.peer_webhook is None):
        parser.error("give both, --peer-controller and --peer-webhook")
    peer = _peer(given)
    asked = Asked(given.server or (REAL, EMBEDDED), contender(peer) if peer else None, given.quick, bool(given.only))
    chosen = [each for each in SCENARIOS if (each.name in given.only if given.only else each.usual)]
    run = _measure(chosen, asked, peer)
    path = report.save(run, given.results)
    text = msgspec.json.format(msgspec.json.encode(run)).decode() if given.output == "json" else report.table(run)
    sys.stdout.write(f"{text}\n")
    _say(f"written to {path}")
    return 1 if any(row.failed and row.who != PEER for row in run.rows) else 0


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(
        f"  {each.name:14} {each.says}{'' if each.usual else ' (only where named)'}" for each in SCENARIOS
    )
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"scenarios:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", action="extend", nargs="+", choices=[each.name for each in SCENARIOS], default=[], metavar="NAME")
    add("--server", action="append", choices=[REAL, EMBEDDED], help="by default both")
    add(
        "--quick", action="store_true", help="a twenty-fifth of the work: shows that everything works, measures nothing"
    )
    add("--peer", action="store_true", help=f"also run the {PEER} that `make judges` builds")
    add("--peer-controller", type=Path, metavar="PATH", help=f"also run this controller of {PEER}")
    add("--peer-webhook", type=Path, metavar="PATH", help="and its webhook")
    add("--results", type=Path, default=report.RESULTS, metavar="FOLDER", help="where the file of the run goes")
    add("-o", "--output", choices=["table", "json"], default="table")
    return parser


def _peer(given: argparse.Namespace) -> Peer | None:
    if given.peer_controller:
        return Peer(given.peer_controller.resolve(), given.peer_webhook.resolve(), "given by path")
    if not given.peer:
        return None
    folder = test_tools.build(PEER)
    return Peer(folder / f"{PEER}-controller", folder / f"{PEER}-webhook", test_tools.TOOLS[PEER].version)


def _measure(chosen: Sequence[Scenario], asked: Asked, peer: Peer | None) -> Run:
    began, date, machine = CLOCK.monotonic(), CLOCK.now(), report.machine()
    rows: list[Row] = []
    try:
        for number, scenario in enumerate(chosen, start=1):
            _say(f"[{number}/{len(chosen)}] {scenario.name}: {scenario.says}")
            rows += rows_of(scenario, asked)
    except KeyboardInterrupt:
        _say("interrupted; what was measured until here is told")
    return Run(
        date=f"{date:%Y-%m-%dT%H:%M:%SZ}",
        machine=machine,
        versions=report.versions(peer),
        quick=asked.quick,
        seconds=round(CLOCK.monotonic() - began, 1),
        rows=rows,
        beside=report.beside(rows),
    )


def rows_of(scenario: Scenario, asked: Asked) -> Iterator[Row]:
    """What comes of a scenario; the last row says so where it fails."""
    began = CLOCK.monotonic()
    rows = scenario.rows(asked)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other scenarios go on
            _say("".join(traceback.format_exception(fault)))
            yield Row(scenario=scenario.name, server="", who="", count=0, failed=f"{type(fault).__name__}: {fault}")
            return
        _say(f"  {CLOCK.monotonic() - began:6.1f} s  {report.line(row)}")
        yield row


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    sys.exit(main())
