"""Looks again until something holds: for servers in other processes, which tell nobody when they are done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from certwright.clock import SystemClock

T = TypeVar("T")
STEP = timedelta(milliseconds=25)


async def eventually(look: Callable[[], Awaitable[T | None]], patience: timedelta = timedelta(seconds=60)) -> T:
    """The first answer of `look` that is neither None nor False; AssertionError with the last one after `patience`."""
    clock = SystemClock()
    end = clock.now() + patience
    while True:
        answer = await look()
        if answer is not None and answer is not False:
            return answer
        if clock.now() > end:
            break
        await clock.wait(STEP)
    raise AssertionError(f"still {answer!r} after {patience.total_seconds():g} s")
