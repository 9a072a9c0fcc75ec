"""A control loop: one pass per key at a time, in order of arrival, by a bounded number of workers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from certwright.clock import Clock
from certwright.errors import Blocked, Retry
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.runtime.delays import Delays
from certwright.kube.wire.status import ApiError, Conflict

LOG = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
A_TURN = timedelta(0)
"""Lets others go on, and takes no time."""


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
        self._name = name
        self._reconcile = reconcile
        self._clock = clock
        self._options = options
        self._watcher = watcher
        self._queue: deque[K] = deque()
        self._queued: set[K] = set()
        self._passes: dict[K, asyncio.Task[None]] = {}
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._delays: Delays[K] = Delays(clock, self.add)
        self._is_open = False
        self.has_begun = False
        """Whether passes are or were made: until then every key that was added waits."""

    def add(self, key: K) -> None:
        """The key needs a pass; it waits at the end of the queue, or stays where it already waits."""
        if key in self._passes:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._queue.append(key)
            self._start_passes()

    def add_at(self, key: K, when: datetime) -> None:
        """The key needs a pass at that time; the earliest wish counts until the next pass of the key begins."""
        if when <= self._clock.now():
            self.add(key)
        else:
            self._delays.wish(key, when)

    def __len__(self) -> int:
        """How many keys wait for a pass or are in one; those that wait for a time are not counted."""
        return len(self._queue) + len(self._passes)

    @property
    def delayed(self) -> int:
        """How many keys wait for a time."""
        return len(self._delays)

    async def run(self) -> None:
        """Make passes until cancelled; then those in flight finish within the grace period."""
        self._is_open = self.has_begun = True
        self._delays.start()
        self._start_passes()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._is_open = False
            self._delays.stop()
            await self._finish()

    async def _finish(self) -> None:
        """Let passes in flight end; whatever still runs after the grace period is cancelled."""
        grace = asyncio.ensure_future(self._clock.wait(self._options.grace))
        try:
            while self._passes and not grace.done():
                await asyncio.wait([*self._passes.values(), grace], return_when=asyncio.FIRST_COMPLETED)
        finally:
            grace.cancel()
            late = dict(self._passes)
            for task in late.values():
                task.cancel()
            await asyncio.gather(grace, *late.values(), return_exceptions=True)
            # A task that was cancelled before it began has not tidied up.
            self._passes.clear()
            for key in late:
                self.add(key)

    def _start_passes(self) -> None:
        while self._may_begin():
            key = self._taken()
            self._passes[key] = asyncio.ensure_future(self._work(key))

    def _may_begin(self) -> bool:
        return self._is_open and bool(self._queue) and len(self._passes) < self._options.workers

    def _taken(self) -> K:
        """The key that has waited longest; it waits no more, for a time neither."""
        key = self._queue.popleft()
        self._queued.discard(key)
        self._delays.drop(key)
        return key

    async def _work(self, key: K) -> None:
        """Make passes one after the other as long as keys wait; everybody else has a turn between two of them."""
        worker = self._passes[key]
        await self._pass(key)
        # What has asked to cancel one pass must not be held against another.
        while self._may_begin() and not worker.cancelling():
            key = self._taken()
            self._passes[key] = worker
            await self._clock.wait(A_TURN)
            await self._pass(key)
        self._start_passes()

    async def _pass(self, key: K) -> None:
        try:
            when = await self._outcome(key)
        finally:
            del self._passes[key]
        if when is not None:
            self.add_at(key, when)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def _outcome(self, key: K) -> datetime | None:
        """When to look again."""
        try:
            when = await self._reconcile(key)
        except Blocked as blocked:
            LOG.info("Waiting for a change", extra=self._names(key, f"{blocked.reason}: {blocked.message}"))
            when = None
        except asyncio.CancelledError as error:
            if not self._is_open:
                raise
            # Something inside the pass was cancelled, not the pass.
            self._say(key, error)
            return self._failed(key, error)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - logged, counted and backed off; Rust's panics are no Exception
            self._say(key, error)
            return self._failed(key, error)
        self._count(is_failed=False)
        self._failures.pop(key, None)
        return when

    def _failed(self, key: K, error: BaseException) -> datetime:
        self._count(is_failed=not isinstance(error, Conflict))
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        if isinstance(error, Retry) and error.after is not None:
            wait = error.after
        else:
            wait = min(self._options.first_backoff * (1 << min(failures, 30)), self._options.longest_backoff)
        return self._clock.now() + wait

    def _say(self, key: K, error: BaseException) -> None:
        match error:
            case Conflict():
                LOG.debug("The view was stale; looking again", extra=self._names(key, str(error)))
            case Retry():
                LOG.info("Trying again later", extra=self._names(key, error.message))
            case ApiError() | Unreachable() | BadConnection():
                LOG.warning("The API server refused; trying again", extra=self._names(key, str(error)))
            case _:
                LOG.error("A pass failed; trying again", extra=self._names(key), exc_info=error)

    def _names(self, key: K, problem: str = "") -> dict[str, str]:
        return {"controller": self._name, "object": str(key), **({"problem": problem} if problem else {})}

    def _count(self, *, is_failed: bool) -> None:
        if self._watcher is not None:
            self._watcher.pass_made(self._name)
            if is_failed:
                self._watcher.pass_failed(self._name)
