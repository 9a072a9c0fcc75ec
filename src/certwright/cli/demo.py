"""`certwright demo`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from certwright.app.demo import demo_world
from certwright.app.running import run_process
from certwright.app.standalone_process import CANNOT_START
from certwright.cli.demo_story import DemoStory
from certwright.cli.params import LEVEL
from certwright.clock import SystemClock

EPILOG = """\b
Examples:
  certwright demo
  certwright demo --keep --data-dir ./demo-data
"""


@click.command(epilog=EPILOG)
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of its data; a temporary one by default.")
@click.option("--keep", is_flag=True, help="Go on serving at the end, until Ctrl-C.")
@click.option("-v", "--v", "verbosity", type=LEVEL, default=-1, help="How much is logged; warnings only by default.")
def command(data_dir: Path | None, keep: bool, verbosity: int) -> None:
    """Show the whole way of a certificate on this machine, without a cluster.

    Starts everything in one process, applies a Secret, a ClusterIssuer and a Certificate of the API of 2018, proves
    the name by DNS-01, and waits for the certificate and its renewal. The exit code is 0 only if every check held.
    """
    if data_dir is not None:
        raise SystemExit(_run(data_dir.absolute(), keep, verbosity))
    with tempfile.TemporaryDirectory(prefix="certwright-demo-") as folder:
        raise SystemExit(_run(Path(folder), keep, verbosity))


def _run(data_dir: Path, keep: bool, verbosity: int) -> int:
    clock = SystemClock()
    story = DemoStory(clock, click.echo)

    async def main() -> None:
        story.begin()
        async with demo_world(data_dir, clock) as world:
            await story.tell(world, keep=keep)

    code = run_process(main, "text", verbosity, CANNOT_START)
    return code or story.exit_code
