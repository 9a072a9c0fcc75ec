"""What a cache keeps and when it believes what it hears: never an older form, never an object that is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import intern
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from certwright.api.meta import ObjectMeta
from certwright.kube.client.listing import ApiObject, Malformed, Selection
from certwright.kube.runtime.shelf import Entry, Index, Shelf
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.selectors import LabelSelector

LOG = logging.getLogger(__name__)
S = TypeVar("S")
T = TypeVar("T")
S_contra = TypeVar("S_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)


class Change(Struct, Generic[T], frozen=True):
    """What a cache keeps of an object has changed: `old` is None where it is new, `new` where it is gone."""

    key: ObjectKey
    old: T | None
    new: T | None


class Keep(Protocol[S_contra, T_co]):
    """What is kept of objects, one for one and in their order; None of one that is not kept."""

    def __call__(self, objects: Sequence[S_contra], /) -> Sequence[T_co | None]:
        """What is kept of them."""


def each(keep: Callable[[S], T | None]) -> Keep[S, T]:
    """Looks at one object after the other."""
    return lambda objects: [keep(obj) for obj in objects]


class _News(NamedTuple):
    key: ObjectKey
    version: int
    obj: ApiObject


class Kept(Generic[T]):
    """Hears of objects from lists, watches and our own writes, in whatever order these arrive."""

    def __init__(
        self,
        name: str,
        keep: Keep[Any, T],  # what kind of object comes in matters to `keep` alone
        selection: Selection,
        indexes: Mapping[str, Index[T]],
    ) -> None:
        self._name = name
        self._keep = keep
        self._namespace = selection.namespace
        self._labels = LabelSelector.parse(selection.labels)
        self._listeners: list[Callable[[Change[T]], None]] = []
        self._is_listing = False
        self._listed: set[ObjectKey] = set()
        self._forgotten: set[str] = set()
        self._forgotten_but_listed: set[str] = set()
        self._told = 0
        self.shelf: Shelf[T] = Shelf(indexes)

    def subscribe(self, listener: Callable[[Change[T]], None]) -> None:
        """Tell of each change, and of what is there already."""
        self._listeners.append(listener)
        for key in list(self.shelf):
            entry = self.shelf.entry(key)
            if entry is not None:
                self._call(listener, Change(key, None, entry.kept))

    def remember(self, obj: ApiObject) -> None:
        """The answer to a write of ours."""
        metadata = obj.metadata
        key, version = key_of(metadata), number_of(metadata.resource_version)
        if metadata.uid in self._forgotten:
            return
        if metadata.deletion_timestamp is not None and not metadata.finalizers:
            self.forget(key, metadata.uid)
        elif not self._selects(metadata):
            self._leave(metadata)
        elif self.shelf.entry(key) is not None or not version or version > self._told:
            # Else the watch has been past this version, and has told of a deletion since.
            self._take([_News(key, version, obj)])

    def forget(self, key: ObjectKey, uid: str) -> None:
        """Our delete was answered; what the watch still tells of the object is late."""
        entry = self.shelf.entry(key)
        if entry is not None and entry.uid == uid:
            self._forgotten.add(uid)
            self._drop(key)

    def begin(self) -> None:
        """A list begins: what is not seen until `complete` is gone."""
        self._is_listing = True
        self._listed = set()
        self._forgotten_but_listed = set()

    def seen(self, objects: Iterable[ApiObject]) -> None:
        """The objects are there; of two forms of one, the later comes later."""
        news = []
        for obj in objects:
            metadata = obj.metadata
            key = key_of(metadata)
            if self._is_listing:
                self._listed.add(key)
            if metadata.uid not in self._forgotten or self._is_held(metadata):
                news.append(_News(key, number_of(metadata.resource_version), obj))
        self._take(news)

    def _is_held(self, metadata: ObjectMeta) -> bool:
        """Whether somebody's finalizer holds an object whose delete was accepted."""
        if metadata.deletion_timestamp is None or not metadata.finalizers:
            self._forgotten_but_listed.add(metadata.uid)
            return False
        self._forgotten.discard(metadata.uid)
        return True

    def removed(self, obj: ApiObject) -> None:
        """The object is gone, or has left the selection."""
        self._forgotten.discard(obj.metadata.uid)
        self._leave(obj.metadata)

    def unread(self, malformed: Malformed, version: str, *, removed: bool) -> None:
        """Nothing can be decided about an object that cannot be read, so it counts as gone."""
        entry = self.shelf.entry(malformed.key)
        if entry is not None and (removed or not version or number_of(version) > entry.version):
            self._drop(malformed.key)

    def complete(self, version: str) -> bool:
        """The list is whole; False where the server's history was set back (a restored backup), and all is to be
        heard again."""
        number = number_of(version)
        if number < self._told:
            self._told = 0
            for entry in self.shelf.entries():
                entry.version = 0
            return False
        gone = [key for key in self.shelf if key not in self._listed and self._version(key) <= number]
        for key in gone:
            self._drop(key)
        self._forgotten = self._forgotten_but_listed
        self._is_listing = False
        self._listed = set()
        self._forgotten_but_listed = set()
        self._told = number
        return True

    def told(self, version: str) -> None:
        """Every change up to this version was heard."""
        self._told = max(self._told, number_of(version))

    def _selects(self, metadata: ObjectMeta) -> bool:
        return self._namespace in {"", metadata.namespace} and self._labels.matches(metadata.labels)

    def _version(self, key: ObjectKey) -> int:
        entry = self.shelf.entry(key)
        return entry.version if entry else 0

    def _take(self, news: list[_News]) -> None:
        fresh = [found for found in news if self._is_fresh(found)]
        for found, kept in zip(fresh, self._projected([found.obj for found in fresh]), strict=True):
            if self._is_fresh(found):  # another form of it may have come just before
                self._put(found, kept)

    def _is_fresh(self, news: _News) -> bool:
        old = self.shelf.entry(news.key)
        return old is None or not _is_stale(old, news.obj.metadata.uid, news.version)

    def _put(self, news: _News, kept: T | None) -> None:
        if kept is None:
            self._drop(news.key)
            return
        before = self.shelf.put(news.key, Entry(news.obj.metadata.uid, news.version, kept))
        if before is None or before != kept:
            self._tell(Change(news.key, before, kept))

    def _projected(self, objects: Sequence[ApiObject]) -> Sequence[T | None]:
        try:
            return self._keep(objects)
        except Exception:  # a fault about one object must not hide all others
            if len(objects) == 1:
                LOG.exception(
                    "An object is skipped, since it cannot be kept", extra=self._names(key_of(objects[0].metadata))
                )
                return (None,)
        return [kept for obj in objects for kept in self._projected((obj,))]

    def _leave(self, metadata: ObjectMeta) -> None:
        """What went may be an older form, or another object of that name."""
        key = key_of(metadata)
        entry = self.shelf.entry(key)
        version = number_of(metadata.resource_version)
        if entry is not None and entry.uid == metadata.uid and not (version and version < entry.version):
            self._drop(key)

    def _drop(self, key: ObjectKey) -> None:
        old = self.shelf.drop(key)
        if old is not None:
            self._tell(Change(key, old, None))

    def _tell(self, change: Change[T]) -> None:
        for listener in self._listeners:
            self._call(listener, change)

    def _call(self, listener: Callable[[Change[T]], None], change: Change[T]) -> None:
        try:
            listener(change)
        except Exception:  # one listener's fault must not keep the others from hearing
            LOG.exception("A listener failed", extra=self._names(change.key))

    def _names(self, key: ObjectKey) -> dict[str, str]:
        return {"resource": self._name, "object": str(key)}


def key_of(metadata: ObjectMeta) -> ObjectKey:
    """The key of the object with that metadata; a hundred thousand keys share their namespaces."""
    return ObjectKey(intern(metadata.namespace), metadata.name)


def number_of(version: str) -> int:
    """A resourceVersion as a number, so that two can be compared; 0 where it is none, which is then always newer."""
    return int(version) if version.isascii() and version.isdecimal() and len(version) <= 20 else 0


def _is_stale(old: Entry[T], uid: str, version: int) -> bool:
    if not version or not old.version:
        return False
    return version < old.version or (version == old.version and uid == old.uid)
