"""The only reader of time: a wall clock with timers that follow it, also across a suspend or a jump."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

# A machine that was suspended, or whose clock was set, is noticed after at most this long.
LONGEST_TIMER = timedelta(seconds=30)


class Timer(Protocol):
    """A pending call."""

    def cancel(self) -> None:
        """The call will not happen; a second cancel does nothing."""


class Clock(Protocol):
    """What the product knows of time."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring durations."""

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        """Call once `now()` has reached `when`, on the running event loop; at once (next turn) if it has passed."""

    async def wait(self, delay: timedelta) -> None:
        """Return after `delay` of this clock."""


class _WallTimer:
    """Re-armed in pieces, so that a clock that jumps fires it no later than `LONGEST_TIMER` after the jump."""

    def __init__(self, clock: SystemClock, when: datetime, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._when = when
        self._callback = callback
        self._piece: asyncio.TimerHandle | asyncio.Handle | None = None
        self._arm()

    def _arm(self) -> None:
        left = self._when - self._clock.now()
        loop = asyncio.get_running_loop()
        if left <= timedelta(0):
            self._piece = loop.call_soon(self._fire)
        else:
            self._piece = loop.call_later(min(left, LONGEST_TIMER).total_seconds(), self._look)

    def _look(self) -> None:
        if self._clock.now() >= self._when:
            self._fire()
        else:
            self._arm()

    def _fire(self) -> None:
        self._piece = None
        self._callback()

    def cancel(self) -> None:
        if self._piece is not None:
            self._piece.cancel()
            self._piece = None


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        return _WallTimer(self, when, callback)

    async def wait(self, delay: timedelta) -> None:
        await asyncio.sleep(delay.total_seconds())
