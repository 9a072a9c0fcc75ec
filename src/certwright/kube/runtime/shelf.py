"""What a cache holds, with indexes; kept small, since there may be a hundred thousand entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from certwright.kube.wire.keys import ObjectKey

T = TypeVar("T")

Index = Callable[[T], Iterable[str]]
# Most values of an index have one object: a set for each would be its largest part.
_Keys = ObjectKey | set[ObjectKey]


class Entry(Struct, Generic[T], gc=False):
    """One object; `version` is its resourceVersion as a number, 0 where it is none."""

    uid: str
    version: int
    kept: T


class Shelf(Generic[T]):
    """Entries by key, and keys by what the indexes say of what is kept."""

    def __init__(self, indexes: Mapping[str, Index[T]]) -> None:
        self._entries: dict[ObjectKey, Entry[T]] = {}
        self._indexes: dict[str, tuple[Index[T], dict[str, _Keys]]] = {name: (indexes[name], {}) for name in indexes}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[ObjectKey]:
        return iter(self._entries)

    def entry(self, key: ObjectKey) -> Entry[T] | None:
        """The entry of that key."""
        return self._entries.get(key)

    def entries(self) -> Iterable[Entry[T]]:
        """All entries."""
        return self._entries.values()

    def find(self, index: str, value: str) -> tuple[T, ...]:
        """What is kept under the keys that the index puts under the value, in their order."""
        found = self._indexes[index][1].get(value)
        if found is None:
            return ()
        if isinstance(found, set):
            return tuple([self._entries[key].kept for key in sorted(found)])
        return (self._entries[found].kept,)

    def put(self, key: ObjectKey, entry: Entry[T]) -> T | None:
        """Take the entry; what was kept before."""
        old = self._entries.get(key)
        self._entries[key] = entry
        if old is not None:
            self._reindex(key, old.kept, entry.kept)
            return old.kept
        for index, keys in self._indexes.values():
            for value in index(entry.kept):
                _put_in(keys, value, key)
        return None

    def drop(self, key: ObjectKey) -> T | None:
        """Let the entry go; what was kept."""
        old = self._entries.pop(key, None)
        if old is None:
            return None
        for index, keys in self._indexes.values():
            for value in index(old.kept):
                _take_out(keys, value, key)
        return old.kept

    def _reindex(self, key: ObjectKey, old: T, new: T) -> None:
        for index, keys in self._indexes.values():
            before, after = tuple(index(old)), tuple(index(new))
            if before == after:
                continue
            for value in frozenset(before).difference(after):
                _take_out(keys, value, key)
            for value in frozenset(after).difference(before):
                _put_in(keys, value, key)


def _put_in(keys: dict[str, _Keys], value: str, key: ObjectKey) -> None:
    found = keys.get(value)
    if found is None:
        keys[value] = key
    elif isinstance(found, set):
        found.add(key)
    elif found != key:
        keys[value] = {found, key}


def _take_out(keys: dict[str, _Keys], value: str, key: ObjectKey) -> None:
    found = keys.get(value)
    if isinstance(found, set):
        found.discard(key)
        if len(found) == 1:
            keys[value] = found.pop()
    elif found == key:
        del keys[value]
