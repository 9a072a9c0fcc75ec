"""Equal parts of what the caches hold are kept once: thousands of objects repeat their names, words and moments."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from sys import intern
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition, ObjectReference

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

_NOTHING: dict[str, object] = {}
_REPEATED = frozenset({Condition, ObjectReference, cm.PrivateKey})
"""What is often the same in one object after the other."""
_UNIQUE = "resource_version"


@lru_cache(maxsize=4096)
def one(value: H) -> H:
    """The value itself, or one equal to it that was seen before."""
    return value


def shared(value: T) -> T:
    """An equal value whose parts are those of other values wherever these are the same."""
    how = _BY_KIND.get(type(value), _shared_struct)
    return value if how is None else cast(T, how(value))


def _shared_tuple(value: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(map(shared, value)) if value else value


def _shared_map(value: dict[str, object]) -> dict[str, object]:
    return {intern(name): shared(part) for name, part in value.items()} if value else _NOTHING


def _shared_struct(value: object) -> object:
    if not isinstance(value, Struct):
        return value
    changes = {}
    for name in _fields(type(value)):
        old = getattr(value, name)
        # As `shared`, without a call for the many parts that are empty or numbers.
        how = _BY_KIND.get(type(old), _shared_struct)
        if how is not None and (new := how(old)) is not old:
            changes[name] = new
    found = replace(value, **changes) if changes else value
    return one(found) if type(found) in _REPEATED else found


@cache
def _fields(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name != _UNIQUE)


_BY_KIND: Mapping[type, Callable[[Any], object] | None] = {
    str: intern,
    datetime: one,
    tuple: _shared_tuple,
    dict: _shared_map,
    **dict.fromkeys((type(None), bool, int, bytes)),
}
