"""Nonces (RFC 8555 section 6.5): each is taken once."""

from __future__ import annotations

import secrets

MOST_KEPT = 20_000


class Nonces:
    """Hands out nonces and takes each back once; the oldest are forgotten when too many are out."""

    def __init__(self) -> None:
        self._out: dict[str, None] = {}

    def new(self) -> str:
        """A nonce that was never handed out before."""
        nonce = secrets.token_urlsafe(16)
        self._out[nonce] = None
        if len(self._out) > MOST_KEPT:
            del self._out[next(iter(self._out))]
        return nonce

    def take(self, nonce: str) -> bool:
        """Whether it was handed out and not taken before; it counts no more."""
        return self._out.pop(nonce, self) is None
