"""The objects of one kind, kept up to date by a watch, holding only what is used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from certwright.api.resource import Kind
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import EVERYTHING, ApiObject, Selection
from certwright.kube.runtime.feed import Feed
from certwright.kube.runtime.kept import Change, Keep, Kept, each
from certwright.kube.runtime.shelf import Index
from certwright.kube.wire.keys import ObjectKey

__all__ = ["Cache", "Change", "each"]

S = TypeVar("S", bound=ApiObject)
T = TypeVar("T")


class Cache(Generic[T]):
    """One kind, one selection; `keep` says what is kept of objects that came together, in their order.

    What is kept never goes back to an older resourceVersion, nor does an object come back that was deleted.
    """

    def __init__(  # noqa: PLR0913 - one thing to say about each side of a cache
        self,
        client: KubeClient,
        kind: Kind[S],
        keep: Keep[S, T],
        *,
        clock: Clock,
        selection: Selection = EVERYTHING,
        indexes: Mapping[str, Index[T]] = MappingProxyType({}),
        metadata_only: bool = False,
    ) -> None:
        self._kept: Kept[T] = Kept(kind.resource.qualified, keep, selection, indexes)
        self._synced = asyncio.Event()
        self._feed = Feed(
            client,
            kind,
            selection,
            self._kept,
            clock=clock,
            metadata_only=metadata_only,
            on_complete=self._synced.set,
        )

    def get(self, key: ObjectKey) -> T | None:
        """What is kept of the object; None where there is none."""
        entry = self._kept.shelf.entry(key)
        return None if entry is None else entry.kept

    def find(self, index: str, value: str) -> tuple[T, ...]:
        """What is kept of the objects that the index puts under `value`, in order of their keys."""
        return self._kept.shelf.find(index, value)

    def values(self) -> Iterable[T]:
        """Everything kept; do not await while iterating, since the cache may change."""
        return (entry.kept for entry in self._kept.shelf.entries())

    def __len__(self) -> int:
        return len(self._kept.shelf)

    def subscribe(self, listener: Callable[[Change[T]], None]) -> None:
        """Call at each change, synchronously and in order, also for the first list and for what is already kept."""
        self._kept.subscribe(listener)

    def remember(self, obj: S) -> None:
        """Take the answer to our own write, where it is newer than what is kept; listeners are told at once."""
        self._kept.remember(obj)

    def forget(self, key: ObjectKey, uid: str) -> None:
        """Our own delete was answered: the object goes, and late events do not bring it back.

        One that a finalizer holds comes back with the watch.
        """
        self._kept.forget(key, uid)

    async def synced(self) -> None:
        """Return once the first list is in."""
        await self._synced.wait()

    async def run(self) -> None:
        """List and watch until cancelled; never ends by itself."""
        await self._feed.run()
