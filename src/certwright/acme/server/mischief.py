"""Seeded faults, so that clients are tested against the CA that they will meet on its worst day."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What goes wrong with a signed request."""

    BAD_NONCE = "bad nonce"
    RATE_LIMITED = "rate limited"
    SERVER_ERROR = "server error"
    DROPPED_BEFORE = "dropped before anything changed"
    DROPPED_AFTER = "dropped after the change"


class Mischief:
    """Which faults happen: some by chance (`shares` from 0 to 1, repeatable by `seed`), some to order (`next`)."""

    def __init__(
        self,
        seed: int = 0,
        shares: Mapping[Fault, float] | None = None,
        *,
        processing_for: timedelta = timedelta(0),
        pending_for: timedelta = timedelta(0),
        omits_account_location: bool = False,
    ) -> None:
        self._random = Random(seed)  # noqa: S311 faults shall repeat, not be secret
        self._shares = dict(shares or {})
        self._ordered: dict[str, deque[Fault]] = {}
        self.processing_for = processing_for
        """How long an order stays `processing` after it is finalized."""
        self.pending_for = pending_for
        """How long an authorization stays `pending` after its challenge was checked."""
        self.omits_account_location = omits_account_location
        """Whether answers to account updates lack Location, as Pebble's do."""
        self.retry_after = timedelta(seconds=30)
        """What an answer of the fault `RATE_LIMITED` asks for."""

    def next(self, resource: str, *faults: Fault) -> None:
        """The next requests to `resource` (the path's first word, as `new-order`) suffer these faults, one each."""
        self._ordered.setdefault(resource, deque()).extend(faults)

    def draw(self, resource: str) -> Fault | None:
        """The fault of this request."""
        ordered = self._ordered.get(resource)
        if ordered:
            return ordered.popleft()
        for fault, share in self._shares.items():
            if self._random.random() < share:
                return fault
        return None
