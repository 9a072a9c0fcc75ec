"""Rate limits over sliding windows."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from certwright.acme.server.options import Rate

MOST_KEYS = 50_000


class Meter:
    """Counts events by key against one rate; without a rate nothing is limited."""

    def __init__(self, rate: Rate | None) -> None:
        self._rate = rate
        self._seen: dict[str, deque[datetime]] = {}

    def wait_for(self, key: str, now: datetime) -> timedelta | None:
        """How long to wait until one more event is allowed; None where it is allowed now."""
        if self._rate is None:
            return None
        seen = self._seen.get(key, deque())
        while seen and seen[0] <= now - self._rate.window:
            seen.popleft()
        if len(seen) < self._rate.most:
            return None
        return (seen[0] if seen else now) + self._rate.window - now

    def count(self, key: str, now: datetime) -> None:
        """One event happened."""
        if self._rate is None:
            return
        # What is seen again goes to the end, so that the keys at the front are the ones longest unseen.
        self._seen[key] = self._seen.pop(key, deque())
        self._seen[key].append(now)
        if len(self._seen) > MOST_KEYS:
            del self._seen[next(iter(self._seen))]
