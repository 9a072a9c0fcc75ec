"""What both challenge types say of a look at the outside world."""

from __future__ import annotations

from msgspec import Struct


class Propagated(Struct, frozen=True):
    """The ACME server will find the answer: the challenge may be accepted."""


class NotYet(Struct, frozen=True):
    """The answer is not visible everywhere; `reason` is a sentence for the status, without key or foreign text."""

    reason: str


Visibility = Propagated | NotYet
