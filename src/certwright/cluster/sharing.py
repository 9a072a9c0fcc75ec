"""Equal parts of what the caches hold are kept once: thousands of objects repeat their names, words and moments."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import astuple, replace

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition, ObjectReference

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

NOTHING: dict[str, Any] = {}
_UNIQUE = intern("resource_version")


@lru_cache(maxsize=4096)
def one(value: H) -> H:
    """The value itself, or one equal to it that was seen before."""
    return value


def shared(value: T) -> T:
    """An equal value whose parts are those of other values wherever these are the same."""
    how = _HOW[type(value)]
    return value if how is None else cast(T, how(value))


def _shared_tuple(value: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(map(shared, value))


def _shared_map(value: dict[str, object]) -> dict[str, object]:
    return {intern(name): shared(part) for name, part in value.items()} if value else NOTHING


def _shared_struct(value: Struct) -> Struct:
    changes = {}
    for name, old in zip(value.__struct_fields__, astuple(value), strict=True):
        if old and name is not _UNIQUE:
            how = _HOW[type(old)]
            if how is not None and (new := how(old)) is not old:
                changes[name] = new
        elif type(old) is dict:
            changes[name] = NOTHING
    return replace(value, **changes) if changes else value


class _Hows(dict[type, Callable[[Any], object] | None]):
    """How values of a type are shared; None: they are as they are."""

    def __missing__(self, kind: type) -> Callable[[Any], object] | None:
        how = _shared_struct if issubclass(kind, Struct) else None
        self[kind] = how
        return how


_shared_repeated = lru_cache(maxsize=4096)(_shared_struct)
"""Of what is often the same in one object after the other."""
_HOW = _Hows({str: intern, datetime: one, tuple: _shared_tuple, dict: _shared_map})
_HOW.update(dict.fromkeys((Condition, ObjectReference, cm.PrivateKey), _shared_repeated))
