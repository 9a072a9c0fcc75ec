"""The entry of the standalone process: options in, exit code out."""

from __future__ import annotations

from collections.abc import Callable

from certwright.apiserver.options import StartError
from certwright.app.controller import CANNOT_START as CONTROLLER_CANNOT_START
from certwright.app.installing import NotServed
from certwright.app.running import run_process
from certwright.app.standalone import Running, StandaloneOptions, standalone, until_cancelled
from certwright.clock import SystemClock
from certwright.telemetry.logs import LogFormat

CANNOT_START = (StartError, NotServed, *CONTROLLER_CANNOT_START)
"""What is told in its own words, for it says what to do."""


def run_standalone(
    options: StandaloneOptions, logging_format: LogFormat, verbosity: int, tell: Callable[[Running], None]
) -> int:
    """`certwright run`; `tell` is called once everything runs."""

    async def main() -> None:
        async with standalone(options, SystemClock()) as running:
            tell(running)
            await until_cancelled()

    return run_process(main, logging_format, verbosity, CANNOT_START)
