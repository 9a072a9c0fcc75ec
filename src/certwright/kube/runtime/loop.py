"""A control loop: one pass per key at a time, in order of arrival, by a bounded number of workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from certwright.clock import Clock

K = TypeVar("K", bound=Hashable)


class LoopObserver(Protocol):
    """Counts passes."""

    def pass_made(self, controller: str) -> None:
        """A pass has ended."""

    def pass_failed(self, controller: str) -> None:
        """It has ended in a fault; a refused stale write (a conflict) is none."""


class LoopOptions(Struct, frozen=True, kw_only=True):
    """`grace` is how long passes in flight may take to finish when the loop is stopped."""

    workers: int = 16
    first_backoff: timedelta = timedelta(seconds=1)
    longest_backoff: timedelta = timedelta(seconds=30)
    grace: timedelta = timedelta(seconds=10)


_DEFAULTS = LoopOptions()


class Loop(Generic[K]):
    """Passes over keys. A key that is added during its own pass has another one after it.

    `reconcile` returns when to look again; None: only when something changes. `Retry` is tried again after its wait,
    or with back-off; `Blocked` waits for a change; a `Conflict` is tried again quietly; anything else is a fault.
    """

    def __init__(
        self,
        name: str,
        reconcile: Callable[[K], Awaitable[datetime | None]],
        clock: Clock,
        options: LoopOptions = _DEFAULTS,
        watcher: LoopObserver | None = None,
    ) -> None:
        raise NotImplementedError

    def add(self, key: K) -> None:
        """The key needs a pass; it waits at the end of the queue, or stays where it already waits."""
        raise NotImplementedError

    def add_at(self, key: K, when: datetime) -> None:
        """The key needs a pass at that time; the earliest wish counts until the next pass of the key begins."""
        raise NotImplementedError

    def __len__(self) -> int:
        """How many keys wait for a pass or are in one; those that wait for a time are not counted."""
        raise NotImplementedError

    async def run(self) -> None:
        """Make passes until cancelled; then those in flight finish within the grace period."""
        raise NotImplementedError
