"""Keys that wait for a time, on one timer of the clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Generic, TypeVar

from certwright.clock import Clock, Timer

K = TypeVar("K", bound=Hashable)
# Wishes that no longer count are swept out once there are so many more of them than of those that do.
MOST_STALE = 1000


class Delays(Generic[K]):
    """The earliest wish per key counts; `due` is called with each key once its time has come."""

    def __init__(self, clock: Clock, due: Callable[[K], None]) -> None:
        self._clock = clock
        self._due = due
        self._wishes: dict[K, datetime] = {}
        self._heap: list[tuple[datetime, int, K]] = []
        self._count = 0
        self._timer: Timer | None = None
        self._armed_for: datetime | None = None
        self._is_open = False

    def __len__(self) -> int:
        return len(self._wishes)

    def wish(self, key: K, when: datetime) -> None:
        """Call at `when`, where no earlier wish of the key is there."""
        earlier = self._wishes.get(key)
        if earlier is not None and earlier <= when:
            return
        self._wishes[key] = when
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, key))
        if len(self._heap) > 2 * len(self._wishes) + MOST_STALE:
            self._sweep()
        if self._is_open and (self._armed_for is None or when < self._armed_for):
            self._arm(when)

    def drop(self, key: K) -> None:
        """The key has no wish any more."""
        self._wishes.pop(key, None)

    def stop(self) -> None:
        """No calls until `start`."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed_for = None

    def start(self) -> None:
        """Calls from now on."""
        self._is_open = True
        self._rearm()

    def _arm(self, when: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = when
        self._timer = self._clock.call_at(when, self._fire)

    def _fire(self) -> None:
        self._timer = self._armed_for = None
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            when, _, key = heapq.heappop(self._heap)
            if self._wishes.get(key) == when:
                del self._wishes[key]
                self._due(key)
        self._rearm()

    def _rearm(self) -> None:
        while self._heap and self._wishes.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if self._heap and (self._armed_for is None or self._heap[0][0] < self._armed_for):
            self._arm(self._heap[0][0])

    def _sweep(self) -> None:
        self._heap = [wish for wish in self._heap if self._wishes.get(wish[2]) == wish[0]]
        heapq.heapify(self._heap)
