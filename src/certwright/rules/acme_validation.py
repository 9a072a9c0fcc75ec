"""What may never change about Orders and Challenges."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api.meta import json_name
from certwright.rules.validation import FORBIDDEN, Problem

_AT_THE_CA = "It cannot change once it is set: it belongs to the order at the CA."


def changed_order_problems(old: acme.Order, new: acme.Order) -> Iterator[Problem]:
    """Which fields of an Order were changed that may not."""
    if old.spec.request and new.spec.request != old.spec.request:
        text = "It cannot change once it is set: delete the Order, a new one is made."
        yield Problem("spec.request", text, FORBIDDEN)
    for field in _changed(old.status, new.status, ("url", "finalize_url", "certificate")):
        yield Problem(f"status.{field}", _AT_THE_CA, FORBIDDEN)
    yield from _authorizations(old.status.authorizations, new.status.authorizations)


def _authorizations(old: tuple[acme.Authorization, ...], new: tuple[acme.Authorization, ...]) -> Iterator[Problem]:
    """They may come first as addresses alone, and be filled in as the CA tells more."""
    if old and len(new) != len(old):
        yield Problem("status.authorizations", _AT_THE_CA, FORBIDDEN)
        return
    for at, (before, after) in enumerate(zip(old, new, strict=False)):
        path = f"status.authorizations[{at}]"
        for field in _changed(before, after, ("url", "identifier", "wildcard", "initial_state")):
            yield Problem(f"{path}.{field}", _AT_THE_CA, FORBIDDEN)
        if before.challenges and before.challenges != after.challenges:
            yield Problem(f"{path}.challenges", _AT_THE_CA, FORBIDDEN)


def _changed(old: Struct, new: Struct, fields: tuple[str, ...]) -> Iterator[str]:
    """Those that were set and are other now, by their names in the API."""
    for field in fields:
        before = getattr(old, field)
        if before not in {None, "", b""} and getattr(new, field) != before:
            yield json_name(field)


def changed_challenge_problems(old: acme.Challenge, new: acme.Challenge) -> Iterator[Problem]:
    """Whether the spec of a Challenge was changed."""
    if old.spec != new.spec:
        text = "It cannot change: delete the Challenge, its Order makes a new one if one is needed."
        yield Problem("spec", text, FORBIDDEN)
