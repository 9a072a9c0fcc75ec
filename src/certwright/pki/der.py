"""A small part of DER (ITU-T X.690): what X.509 structures are written with and taken apart by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from certwright.pki.errors import PkiError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, IA5_STRING = 0x0C, 0x13, 0x16
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

TRUE = b"\x01\x01\xff"
NULL_VALUE = b"\x05\x00"

_OID_TEXT = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38}))+", re.ASCII)
_LONGEST_OID = 128
_TIME_TEXT = re.compile(rb"[0-9]{14}Z")
_TIMES = frozenset({UTC_TIME, GENERALIZED_TIME})


class Element(Struct, frozen=True, gc=False):
    """One element that was read: its tag byte, its content, and the whole of it as it stood."""

    tag: int
    content: bytes
    raw: bytes


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length and content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """A SET OF encoded parts, in the order that DER asks for."""
    return tlv(SET, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """An INTEGER in the fewest octets."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> bytes:
    """An OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bits(content: bytes, unused: int = 0) -> bytes:
    """A BIT STRING whose last octet has `unused` bits that do not count."""
    return tlv(BIT_STRING, bytes((unused,)) + content)


def utf8(text: str) -> bytes:
    """A UTF8String."""
    return tlv(UTF8_STRING, text.encode())


def explicit(number: int, content: bytes) -> bytes:
    """A context tag around a whole element, or around several that form an implicit SEQUENCE."""
    return tlv(0xA0 | number, content)


def implicit(number: int, content: bytes) -> bytes:
    """A context tag in place of a primitive element's own."""
    return tlv(0x80 | number, content)


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER; raises `PkiError` for what is none."""
    arcs = [int(arc) for arc in dotted.split(".")] if _OID_TEXT.fullmatch(dotted) else []
    # Go reads each number into 64 bits with a sign.
    if not arcs or (arcs[0] < 2 and arcs[1] > 39) or max(arcs) >= 2**63:
        raise PkiError(f"{dotted[:80]!r} is not an object identifier such as 1.3.6.1.4.1")
    content = b"".join(_arc(arc) for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]))
    if len(content) > _LONGEST_OID:
        raise PkiError(f"the object identifier {dotted[:80]}… is longer than the {_LONGEST_OID} octets that are read")
    return tlv(OID, content)


@lru_cache(maxsize=512)
def oid_text(content: bytes) -> str:
    """The dotted text of an OBJECT IDENTIFIER's content."""
    if len(content) > _LONGEST_OID:
        raise PkiError(
            f"an object identifier is {len(content)} octets long, more than the {_LONGEST_OID} that are read"
        )
    arcs, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    if not content or content[-1] & 0x80:
        raise PkiError("an object identifier is cut short")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def time(moment: datetime) -> bytes:
    """A Time as RFC 5280 section 4.1.2.5 asks: UTCTime through 2049, GeneralizedTime from then on."""
    if 1950 <= moment.year < 2050:
        return tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(GENERALIZED_TIME, f"{moment.year:04}{moment:%m%d%H%M%S}Z".encode())


def whole_octets(element: Element) -> bytes:
    """The content of a BIT STRING that has no unused bits, as keys and signatures are."""
    if element.tag != BIT_STRING or element.content[:1] != b"\0":
        raise PkiError("a key or a signature is not a bit string of whole octets")
    return element.content[1:]


def read_time(element: Element) -> datetime:
    """The moment of a Time, aware, in UTC (RFC 5280 section 4.1.2.5: a year of two digits lies in 1950 to 2049)."""
    text = element.content
    if element.tag == UTC_TIME:
        text = (b"19" if text[:2] >= b"50" else b"20") + text
    if element.tag not in _TIMES or not _TIME_TEXT.fullmatch(text):
        raise PkiError("a date is not in the form that RFC 5280 asks for")
    try:
        return datetime.fromisoformat(f"{text[:8].decode()}T{text[8:].decode()}")
    except ValueError:
        raise PkiError(f"there is no date {text.decode()!r}") from None


def read(data: bytes, tag: int | None = None) -> Element:
    """The one element that `data` is; raises `PkiError` when it is another, is torn, or is followed by more."""
    start, stop = _bounds(data, 0, len(data))
    if stop != len(data):
        raise PkiError("there are bytes left over behind a DER element")
    if tag is not None and data[0] != tag:
        raise PkiError(f"a DER element has tag {data[0]:#04x} where {tag:#04x} is expected")
    return Element(data[0], data[start:], data)


def children(content: bytes) -> list[Element]:
    """The elements that stand one after the other in a constructed element's content."""
    found: list[Element] = []
    at, end = 0, len(content)
    while at < end:
        # Most elements are short: these are read here, without a call for each.
        start = at + 2
        if start <= end and (size := content[at + 1]) < 0x80 and content[at] & 0x1F != 0x1F and start + size <= end:
            stop = start + size
        else:
            start, stop = _bounds(content, at, end)
        found.append(Element(content[at], content[start:stop], content[at:stop]))
        at = stop
    return found


def _arc(value: int) -> bytes:
    out = bytearray((value & 0x7F,))
    while value := value >> 7:
        out.append(0x80 | value & 0x7F)
    return bytes(reversed(out))


def _bounds(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the content of the element at `at` starts and stops."""
    start = at + 2
    if end < start:
        raise PkiError("a DER element is cut short")
    if data[at] & 0x1F == 0x1F:
        raise PkiError("a DER element has a tag of many octets, which X.509 does not use")
    size = data[at + 1]
    if size >= 0x80:
        octet_count = size & 0x7F
        size = int.from_bytes(data[start : start + octet_count], "big")
        start += octet_count
        if not 1 <= octet_count <= 4 or size < 0x80 or size.bit_length() <= 8 * (octet_count - 1):
            raise PkiError("the length of a DER element is not in its shortest form")
    stop = start + size
    if stop > end:
        raise PkiError("a DER element is cut short")
    return start, stop
