"""A clock that runs faster than the wall's, for tests whose servers are in this process too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from certwright.clock import SystemClock, Timer

SPEED = 10


class FastClock:
    """A `Clock` on which `speed` seconds pass in each second; it starts at the time of day."""

    def __init__(self, speed: float) -> None:
        self._wall = SystemClock()
        self._speed = speed
        self._began = self._wall.now()
        self._began_at = self._wall.monotonic()

    def now(self) -> datetime:
        passed = (self._wall.monotonic() - self._began_at) * self._speed
        return (self._began + timedelta(seconds=passed)).astimezone(UTC)

    def monotonic(self) -> float:
        return self._wall.monotonic() * self._speed

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        left = max((when - self.now()).total_seconds(), 0) / self._speed
        return asyncio.get_running_loop().call_later(left, callback)

    async def wait(self, delay: timedelta) -> None:
        await self._wall.wait(delay / self._speed)


class _Leaping:
    """A pending call of a `LeapingClock`."""

    def __init__(self, when: datetime, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        if self.handle is not None:
            self.handle.cancel()


class LeapingClock(FastClock):
    """It runs, and a test makes it leap as well: whatever would have come up by then comes up at once."""

    def __init__(self, speed: float = SPEED) -> None:
        super().__init__(speed)
        self._leapt = timedelta(0)
        self._pending: set[_Leaping] = set()

    def now(self) -> datetime:
        return super().now() + self._leapt

    def monotonic(self) -> float:
        return super().monotonic() + self._leapt.total_seconds()

    def leap(self, by: timedelta) -> None:
        """It is later."""
        self._leapt += by
        for timer in list(self._pending):
            timer.cancel()
            self._arm(timer)

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        timer = _Leaping(when, callback)
        self._arm(timer)
        return timer

    async def wait(self, delay: timedelta) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_at(self.now() + delay, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def _arm(self, timer: _Leaping) -> None:
        self._pending = {each for each in self._pending if each.handle is not None and not each.handle.cancelled()}
        self._pending.add(timer)

        def fire() -> None:
            self._pending.discard(timer)
            timer.callback()

        left = max((timer.when - self.now()).total_seconds(), 0) / self._speed
        timer.handle = asyncio.get_running_loop().call_later(left, fire)
