"""Runs a process from its start to a signal: event loop, logging, signals, exit code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import uvloop

from certwright.telemetry.logs import LogFormat, configure_logging

log = logging.getLogger(__name__)

STOPPED, FAILED = 0, 1


class ProcessError(Exception):
    """The process cannot go on; the message is a sentence with a next step."""


def run_process(
    main: Callable[[], Coroutine[Any, Any, None]],
    logging_format: LogFormat,
    verbosity: int,
    expected: tuple[type[Exception], ...] = (),
) -> int:
    """Run `main` until it ends or SIGTERM or SIGINT cancels it; the exit code.

    A `ProcessError`, or one of the `expected` errors, is told in its own words; other exceptions are our fault.
    """
    configure_logging(sys.stderr, logging_format, verbosity)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signal(main))
    except BaseException as failure:
        told = [error for error in leaves(failure) if isinstance(error, (ProcessError, *expected))]
        if not told:
            raise
        for error in told:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201  the last word of a process, also with logs off
        return FAILED
    return STOPPED


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancel a task, and return when it has ended."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def leaves(error: BaseException) -> list[BaseException]:
    """The exceptions in a group, however deep; of any other exception itself alone."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for part in error.exceptions for leaf in leaves(part)]


async def _until_signal(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(main())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, task, number)
    try:
        await task
    except asyncio.CancelledError:
        log.info("stopped")


def _stop(task: asyncio.Task[None], number: int) -> None:
    log.info("stopping", extra={"signal": signal.Signals(number).name})
    task.cancel()


async def all_of(*parts: Callable[[], Awaitable[None]]) -> None:
    """Run the parts side by side; the first that fails cancels the others."""
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(_as_coroutine(part))


async def _as_coroutine(part: Callable[[], Awaitable[None]]) -> None:
    await part()
