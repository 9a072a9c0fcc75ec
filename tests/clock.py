"""A clock that only the test moves."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)
# As many turns of the event loop as a chain of wake-ups in one instant may need.
TURNS = 50


class _Turn:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def settle(turns: int = TURNS) -> None:
    """Let everything run that is ready now."""
    for _ in range(turns):
        await _Turn()


class MovableTimer:
    """A pending call of a `MovableClock`."""

    def __init__(self, when: datetime, number: int, callback: Callable[[], None]) -> None:
        self.when = when
        self._number = number
        self._callback = callback
        self._cancelled = False

    def __lt__(self, other: MovableTimer) -> bool:
        return (self.when, self._number) < (other.when, other._number)

    def cancel(self) -> None:
        self._cancelled = True

    def fire(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback()

    @property
    def is_pending(self) -> bool:
        return not self._cancelled


class MovableClock:
    """A `Clock` whose time stands still until `advance` or `run_for`; timers fire in order, each at its own time."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._start = start
        self._timers: list[MovableTimer] = []
        self._count = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def call_at(self, when: datetime, callback: Callable[[], None]) -> MovableTimer:
        self._count += 1
        timer = MovableTimer(when, self._count, callback)
        heapq.heappush(self._timers, timer)
        if when <= self._now:
            asyncio.get_running_loop().call_soon(self._fire_due)
        return timer

    async def wait(self, delay: timedelta) -> None:
        if delay <= timedelta(0):
            await _Turn()
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_at(self._now + delay, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def advance(self, by: timedelta) -> None:
        """Move on by `by`, calling what falls due; what that wakes runs when the test next awaits."""
        end = self._now + by
        while (due := self.next_timer()) is not None and due <= end:
            self._now = max(self._now, due)
            self._fire_due()
        self._now = end

    async def run_for(self, by: timedelta) -> None:
        """Move on by `by` as time does: whatever a timer wakes runs, and may set timers, before the next one fires."""
        end = self._now + by
        await settle()
        while (due := self.next_timer()) is not None and due <= end:
            self._now = max(self._now, due)
            self._fire_due()
            await settle()
        self._now = end
        await settle()

    def next_timer(self) -> datetime | None:
        """When the next pending call is due."""
        while self._timers and not self._timers[0].is_pending:
            heapq.heappop(self._timers)
        return self._timers[0].when if self._timers else None

    @property
    def pending(self) -> int:
        """How many calls are pending."""
        return sum(timer.is_pending for timer in self._timers)

    def _fire_due(self) -> None:
        while self._timers and self._timers[0].when <= self._now:
            heapq.heappop(self._timers).fire()
