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
