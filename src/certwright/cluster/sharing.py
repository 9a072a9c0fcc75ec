"""Equal parts of what the caches hold are kept once: thousands of objects repeat their names, words and moments."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import TypeVar, cast

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
    return cast(T, _shared(value))


def _shared(value: object) -> object:
    kind = type(value)
    if kind is str:
        return intern(cast(str, value))
    if kind is datetime:
        return one(cast(datetime, value))
    if kind is tuple:
        return tuple(map(_shared, cast("tuple[object, ...]", value))) if value else value
    if kind is dict:
        return {intern(k): _shared(v) for k, v in cast("dict[str, object]", value).items()} if value else _NOTHING
    if isinstance(value, Struct):
        return _shared_struct(value)
    return value


def _shared_struct(value: Struct) -> Struct:
    changes = {
        name: new
        for name in value.__struct_fields__
        if name != _UNIQUE and (new := _shared(old := getattr(value, name))) is not old
    }
    found = replace(value, **changes) if changes else value
    return one(found) if type(found) in _REPEATED else found
