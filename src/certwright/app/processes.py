"""The entry of each process: options in, exit code out."""

from __future__ import annotations

from collections.abc import Callable

from certwright.apiserver.options import StartError
from certwright.app.controller import run_controllers
from certwright.app.options import ControllerOptions
from certwright.app.running import run_process
from certwright.app.serving import ServeError
from certwright.app.standalone import Running, StandaloneOptions, standalone, until_cancelled
from certwright.clock import SystemClock
from certwright.kube.client.errors import BadConnection
from certwright.telemetry.logs import LogFormat

EXPECTED = (StartError, ServeError, BadConnection)


def run_controller(options: ControllerOptions, logging_format: LogFormat, verbosity: int) -> int:
    """`certwright controller`."""
    return run_process(lambda: run_controllers(options, SystemClock()), logging_format, verbosity, EXPECTED)


def run_standalone(
    options: StandaloneOptions, logging_format: LogFormat, verbosity: int, tell: Callable[[Running], None]
) -> int:
    """`certwright run`; `tell` is called once everything runs."""

    async def main() -> None:
        async with standalone(options, SystemClock()) as running:
            tell(running)
            await until_cancelled()

    return run_process(main, logging_format, verbosity, EXPECTED)
