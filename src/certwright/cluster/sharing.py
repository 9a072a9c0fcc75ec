"""Equal parts of what the caches hold are kept once: thousands of objects repeat their words, not their names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache
from sys import intern
from typing import Any, TypeVar

from msgspec.structs import replace

from certwright.api.meta import Condition, OwnerReference

H = TypeVar("H", bound=Hashable)

NOTHING: dict[str, Any] = {}


@lru_cache(maxsize=4096)
def one(value: H) -> H:
    """The value itself, or one equal to it that was seen before."""
    return value


def shared_conditions(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The same with words that are kept once."""
    return tuple(
        [
            replace(found, type=intern(found.type), reason=intern(found.reason), message=intern(found.message))
            for found in conditions
        ]
    )


def shared_owners(references: Iterable[OwnerReference]) -> tuple[OwnerReference, ...]:
    """The same with words that are kept once."""
    return tuple(
        [replace(found, api_version=intern(found.api_version), kind=intern(found.kind)) for found in references]
    )
