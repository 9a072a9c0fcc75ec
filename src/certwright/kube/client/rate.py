"""A limit on the rate of requests."""

from __future__ import annotations

from datetime import timedelta

from certwright.clock import Clock


class TokenBucket:
    """Lets `burst` requests through at once, then `qps` a second, first come first served; `qps` 0 is no limit."""

    def __init__(self, qps: float, burst: int, clock: Clock) -> None:
        self._qps = qps
        self._burst = max(burst, 1)
        self._clock = clock
        self._tokens = float(self._burst)
        self._at = clock.monotonic()

    @property
    def is_open(self) -> bool:
        """Whether there is no limit."""
        return self._qps <= 0

    async def take(self) -> None:
        """Return when it is this caller's turn."""
        if self.is_open:
            return
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._qps) - 1
        self._at = now
        if self._tokens < 0:
            await self._clock.wait(timedelta(seconds=-self._tokens / self._qps))
