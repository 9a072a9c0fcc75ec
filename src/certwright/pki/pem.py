"""PEM blocks (RFC 7468): splitting, decoding and writing, with limits on what is read."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from msgspec import Struct

from certwright.pki.errors import PkiError

CERTIFICATE = "CERTIFICATE"
CERTIFICATE_REQUEST = "CERTIFICATE REQUEST"
NEW_CERTIFICATE_REQUEST = "NEW CERTIFICATE REQUEST"  # RFC 7468 section 7 allows parsers to take it

_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,64})-----[ \t]*\r?\n([^-]*(?:-(?!----END \1-----)[^-]*)*)-----END \1-----"
)
_HEADER = re.compile(rb"^[!-9;-~]+:[^\n]*\n", re.MULTILINE)
_WHITESPACE = b" \t\n\r\v\f"


class PemLimits(Struct, frozen=True, kw_only=True):
    """The largest PEM texts that are read, in bytes."""

    certificate: int = 36_500
    key: int = 13_000
    chain: int = 95_000
    bundle: int = 330_000


DEFAULT_LIMITS = PemLimits()


class PemBlock(Struct, frozen=True, gc=False):
    """One block: its label, and the DER bytes it holds."""

    label: str
    der: bytes


def refuse_larger(pem: bytes, limit: int, what: str) -> None:
    """Raise `PkiError` when `pem` is longer than `limit` bytes."""
    if len(pem) > limit:
        raise PkiError(f"{what} is {len(pem)} bytes of PEM, more than the {limit} that are read")


def split(pem: bytes, what: str) -> list[PemBlock]:
    """All blocks in order of appearance; text between blocks is passed over; raises when there is no whole block."""
    blocks = [_decode(label, body, what) for label, body in _BLOCK.findall(pem)]
    if not blocks:
        raise _no_block(what)
    return blocks


def first(pem: bytes, what: str) -> PemBlock:
    """The first block, whatever comes behind it; raises when there is no whole block."""
    found = _BLOCK.search(pem)
    if found is None:
        raise _no_block(what)
    return _decode(found[1], found[2], what)


def split_certificates(pem: bytes, what: str) -> list[bytes]:
    """The DER of every block, all of which must be certificates."""
    blocks = split(pem, what)
    for number, block in enumerate(blocks, 1):
        if block.label != CERTIFICATE:
            raise PkiError(f"{what} holds a block {block.label} (number {number}) where only CERTIFICATE is expected")
    return [block.der for block in blocks]


def write(label: str, der: bytes) -> bytes:
    """One block in lines of 64 characters, LF, with a newline at its end."""
    text = base64.b64encode(der)
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    head = label.encode()
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (head, lines, head)


def write_certificates(ders: Sequence[bytes]) -> bytes:
    """The certificates one after the other, without text between them; no bytes for none."""
    return b"".join(write(CERTIFICATE, der) for der in ders)


def _no_block(what: str) -> PkiError:
    return PkiError(f"{what} holds no PEM block: it needs a line -----BEGIN …----- and its -----END …-----")


def _decode(label: bytes, body: bytes, what: str) -> PemBlock:
    name = label.decode("ascii")
    if b"ENCRYPTED" in label or b"ENCRYPTED" in body:
        raise PkiError(f"{what} is encrypted ({name}); store it without a passphrase")
    if b":" in body:
        body = _HEADER.sub(b"", body)
    try:
        der = binascii.a2b_base64(body.translate(None, _WHITESPACE), strict_mode=True)
    except binascii.Error as error:
        raise PkiError(f"the PEM block {name} of {what} is not valid base64: {error}") from None
    return PemBlock(name, der)
