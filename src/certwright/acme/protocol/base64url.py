"""Base64url without padding, as JOSE writes it (RFC 7515 appendix C)."""

from __future__ import annotations

import base64
import binascii
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """The text of `data`."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of `text`; raises `ValueError` for padding and for characters outside the alphabet."""
    if not _ALPHABET.fullmatch(text):
        raise ValueError("the text is not base64url without padding: it may hold only A-Z, a-z, 0-9, - and _")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("the text is not base64url: its length is impossible") from None
