"""The objects of one kind, kept up to date by a watch, holding only what is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from msgspec import Struct

from certwright.api.resource import Kind
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import EVERYTHING, ApiObject, Selection
from certwright.kube.wire.keys import ObjectKey

S = TypeVar("S", bound=ApiObject)
T = TypeVar("T")

Index = Callable[[T], Iterable[str]]


class Change(Struct, Generic[T], frozen=True):
    """What a cache keeps of an object has changed: `old` is None where it is new, `new` where it is gone."""

    key: ObjectKey
    old: T | None
    new: T | None


class Cache(Generic[T]):
    """One kind, one selection; kept as `keep(object)`, where None means that the object is not kept."""

    def __init__(  # noqa: PLR0913 - one thing to say about each side of a cache
        self,
        client: KubeClient,
        kind: Kind[S],
        keep: Callable[[S], T | None],
        *,
        clock: Clock,
        selection: Selection = EVERYTHING,
        indexes: Mapping[str, Index[T]] = MappingProxyType({}),
        metadata_only: bool = False,
    ) -> None:
        raise NotImplementedError

    def get(self, key: ObjectKey) -> T | None:
        """What is kept of the object; None where there is none."""
        raise NotImplementedError

    def find(self, index: str, value: str) -> tuple[T, ...]:
        """What is kept of the objects that the index puts under `value`, in order of their keys."""
        raise NotImplementedError

    def values(self) -> Iterable[T]:
        """Everything kept; do not change the cache while iterating."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def subscribe(self, listener: Callable[[Change[T]], None]) -> None:
        """Call at each change, synchronously and in order, also for the first list and for what is already kept."""
        raise NotImplementedError

    def remember(self, obj: ApiObject) -> None:
        """Take the answer to our own write, where it is newer than what is kept; listeners are told at once."""
        raise NotImplementedError

    def forget(self, key: ObjectKey, uid: str) -> None:
        """Our own delete was answered: the object goes, and late events do not bring it back."""
        raise NotImplementedError

    async def synced(self) -> None:
        """Return once the first list is in."""
        raise NotImplementedError

    async def run(self) -> None:
        """List and watch until cancelled; never ends by itself."""
        raise NotImplementedError
