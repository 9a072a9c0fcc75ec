"""Conditions: a list with one entry a type, whose transition time moves only with the status."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from certwright.api.meta import Condition


def with_condition(conditions: tuple[Condition, ...], wanted: Condition, now: datetime) -> tuple[Condition, ...]:
    """The list with `wanted` in it: in the place of its type, or at the end; itself where nothing changes."""
    old = find_condition(conditions, wanted.type)
    since = old.last_transition_time if old is not None and old.status == wanted.status else None
    new = replace(wanted, last_transition_time=since or now.replace(microsecond=0))
    if old is None:
        return (*conditions, new)
    if old == new:
        return conditions
    return tuple(new if condition is old else condition for condition in conditions)


def without_condition(conditions: tuple[Condition, ...], kind: str) -> tuple[Condition, ...]:
    """The list without the entry of that type; itself where there is none."""
    kept = tuple(condition for condition in conditions if condition.type != kind)
    return conditions if len(kept) == len(conditions) else kept


def find_condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The entry of that type."""
    for condition in conditions:
        if condition.type == kind:
            return condition
    return None


def is_true(conditions: tuple[Condition, ...], kind: str) -> bool:
    """Whether the entry of that type says True."""
    found = find_condition(conditions, kind)
    return found is not None and found.status == "True"
