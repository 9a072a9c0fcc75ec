"""What may never change about Orders and Challenges."""

from __future__ import annotations

from collections.abc import Iterator

from certwright.api import acme_v1 as acme
from certwright.rules.validation import FORBIDDEN, Problem

_AT_THE_CA = "It cannot change once it is set: it belongs to the order at the CA."


def changed_order_problems(old: acme.Order, new: acme.Order) -> Iterator[Problem]:
    """Which fields of an Order were changed that may not."""
    if old.spec.request and new.spec.request != old.spec.request:
        text = "It cannot change once it is set: delete the Order, a new one is made."
        yield Problem("spec.request", text, FORBIDDEN)
    before, after = old.status, new.status
    fields = {
        "url": (before.url, after.url),
        "finalizeURL": (before.finalize_url, after.finalize_url),
        "certificate": (before.certificate, after.certificate),
        "authorizations": (before.authorizations, after.authorizations),
    }
    for name, (was, now) in fields.items():
        if was and now != was:
            yield Problem(f"status.{name}", _AT_THE_CA, FORBIDDEN)


def changed_challenge_problems(old: acme.Challenge, new: acme.Challenge) -> Iterator[Problem]:
    """Whether the spec of a Challenge was changed."""
    if old.spec != new.spec:
        text = "It cannot change: delete the Challenge, its Order makes a new one if one is needed."
        yield Problem("spec", text, FORBIDDEN)
