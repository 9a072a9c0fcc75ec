"""A task that works off keys: each key once however often it was named meanwhile, again where it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

from certwright.clock import Clock

_log = logging.getLogger(__name__)
_RETRY_AFTER = timedelta(seconds=5)
Key = TypeVar("Key")


class Worker(Generic[Key]):
    """Runs `act` for every key that was added."""

    def __init__(self, name: str, act: Callable[[Key], Awaitable[None]], clock: Clock) -> None:
        self._name = name
        self._act = act
        self._clock = clock
        self._keys: dict[Key, None] = {}
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_busy = False

    def add(self, key: Key) -> None:
        """Have the key looked at soon."""
        self._keys[key] = None
        self._ready.set()

    def add_later(self, key: Key, after: timedelta) -> None:
        """Have the key looked at after a while."""
        self._clock.call_at(self._clock.now() + after, lambda: self.add(key))

    def start(self) -> None:
        """Begin to work."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End, in the middle of whatever is done."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._keys:
                key = next(iter(self._keys))
                del self._keys[key]
                await self._look(key)

    async def _look(self, key: Key) -> None:
        try:
            await self._act(key)
        except Exception:  # noqa: BLE001 - a fault of ours: logged, and the server lives on
            _log.exception("a pass failed", extra={"worker": self._name, "key": str(key)})
            self.add_later(key, _RETRY_AFTER)
