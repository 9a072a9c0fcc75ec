"""Distinguished names: the Certificate spec's subject fields and RFC 4514 text, to DER and back."""

from __future__ import annotations

import re
from itertools import takewhile

from msgspec import Struct

from certwright.pki import der
from certwright.pki.errors import PkiError

COMMON_NAME, SERIAL_NUMBER, COUNTRY, LOCALITY, PROVINCE = "2.5.4.3", "2.5.4.5", "2.5.4.6", "2.5.4.7", "2.5.4.8"
STREET, ORGANIZATION, ORGANIZATIONAL_UNIT, POSTAL_CODE = "2.5.4.9", "2.5.4.10", "2.5.4.11", "2.5.4.17"

EMPTY_NAME = der.sequence()

# The names of RFC 4514 section 3 and SERIALNUMBER, which are those that cert-manager reads, in capitals.
ATTRIBUTES = {
    "CN": COMMON_NAME,
    "SERIALNUMBER": SERIAL_NUMBER,
    "C": COUNTRY,
    "L": LOCALITY,
    "ST": PROVINCE,
    "STREET": STREET,
    "O": ORGANIZATION,
    "OU": ORGANIZATIONAL_UNIT,
    "DC": "0.9.2342.19200300.100.1.25",
    "UID": "0.9.2342.19200300.100.1.1",
}
# What OpenSSL and certificate tools write beyond them.
_SHORT_NAMES = {dotted: name for name, dotted in ATTRIBUTES.items()} | {
    POSTAL_CODE: "POSTALCODE",
    "2.5.4.4": "SN",
    "2.5.4.12": "T",
    "2.5.4.42": "GN",
    "1.2.840.113549.1.9.1": "EMAILADDRESS",
}

_COMMON_NAME_OID = der.oid(COMMON_NAME)

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*", re.ASCII)
_BMP_STRING = 0x1E
_CODECS = {
    der.UTF8_STRING: "utf-8",
    der.PRINTABLE_STRING: "ascii",
    der.IA5_STRING: "ascii",
    0x12: "ascii",  # NumericString
    0x14: "latin-1",  # TeletexString, as everyone reads it
    0x1C: "utf-32-be",  # UniversalString
    _BMP_STRING: "utf-16-be",
}

_ATTRIBUTE = re.compile(
    r" *(?P<type>[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *= *"
    r"(?:#(?P<hex>(?:[0-9A-Fa-f]{2})+) *|(?P<text>(?!#)(?:\\[0-9A-Fa-f]{2}|\\[ \"#+,;<=>\\]|[^\\,+;])*))"
    r"(?P<next>[,+;]|$)",
    re.DOTALL,
)
_PIECE = re.compile(r"\\[0-9A-Fa-f]{2}|\\.|.", re.DOTALL)
_LONGEST_TEXT = 16_384


class Subject(Struct, frozen=True, kw_only=True):
    """The parts of a subject that the Certificate API and its annotations know; lists as written, or in DER order."""

    countries: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    localities: tuple[str, ...] = ()
    street_addresses: tuple[str, ...] = ()
    postal_codes: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    common_name: str = ""
    serial_number: str = ""


def encode_subject(subject: Subject) -> bytes:
    """The DER Name: one RDN for each kind of attribute, holding all its values."""
    single = [(COMMON_NAME, subject.common_name), (SERIAL_NUMBER, subject.serial_number)]
    rdns = [
        (COUNTRY, subject.countries),
        (PROVINCE, subject.provinces),
        (LOCALITY, subject.localities),
        (STREET, subject.street_addresses),
        (POSTAL_CODE, subject.postal_codes),
        (ORGANIZATION, subject.organizations),
        (ORGANIZATIONAL_UNIT, subject.organizational_units),
        *((kind, (value,)) for kind, value in single if value),
    ]
    return der.sequence(*(der.set_of(_attribute(kind, value) for value in values) for kind, values in rdns if values))


def subject_of(name: bytes) -> Subject:
    """The known parts of a DER Name; of several common names or serial numbers the last counts."""
    if (only := _common_name_alone(name)) is not None:
        return Subject(common_name=only)
    found: dict[str, tuple[str, ...]] = {}
    for kind, value in (pair for rdn in _read_rdns(name) for pair in rdn):
        text = _text_of(value)
        if text is not None:
            found[kind] = (*found.get(kind, ()), text)
    return Subject(
        countries=found.get(COUNTRY, ()),
        provinces=found.get(PROVINCE, ()),
        localities=found.get(LOCALITY, ()),
        street_addresses=found.get(STREET, ()),
        postal_codes=found.get(POSTAL_CODE, ()),
        organizations=found.get(ORGANIZATION, ()),
        organizational_units=found.get(ORGANIZATIONAL_UNIT, ()),
        common_name=found.get(COMMON_NAME, ("",))[-1],
        serial_number=found.get(SERIAL_NUMBER, ("",))[-1],
    )


def _common_name_alone(name: bytes) -> str | None:
    """The common name of a Name that has nothing else, as most leaves have; None where it is another, or too long."""
    size = len(name)
    if not 13 <= size < 0x80 or name[6:11] != _COMMON_NAME_OID:
        return None
    # SEQUENCE, SET, SEQUENCE, OID and text: each length says that nothing follows.
    heads = (der.SEQUENCE, size - 2, der.SET, size - 4, der.SEQUENCE, size - 6)
    if tuple(name[:6]) != heads or name[12] != size - 13:
        return None
    return _text_of(der.Element(name[11], name[13:], name[11:]))


def name_from_text(text: str) -> bytes:
    """The DER Name of an RFC 4514 text (its last RDN comes first in DER); raises `PkiError` that quotes the place."""
    if len(text) > _LONGEST_TEXT:
        raise PkiError(f"the subject is {len(text)} characters long, more than the {_LONGEST_TEXT} that are read")
    rdns: list[list[bytes]] = [[]]
    at, follows = 0, ","  # RFC 2253 section 4: a semicolon parts RDNs as well
    while follows:
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            raise PkiError(
                f"the subject cannot be read at {text[at : at + 40]!r}: write type=value, joined by ',' or '+', "
                "with a backslash before the characters , + ; \\ and before a leading #"
            )
        rdns[-1].append(_attribute_from(match))
        at, follows = match.end(), match["next"]
        if follows in {",", ";"}:
            rdns.append([])
    return der.sequence(*(der.set_of(rdn) for rdn in reversed(rdns)))


def name_to_text(name: bytes) -> str:
    """The RFC 4514 text of a DER Name; an attribute without a short name is written as `OID=#hex`."""
    rdns = ["+".join(_attribute_text(kind, value) for kind, value in rdn) for rdn in _read_rdns(name)]
    return ",".join(reversed(rdns))


def directory_string(text: str) -> bytes:
    """A PrintableString where the characters allow it, else a UTF8String."""
    if _PRINTABLE.fullmatch(text):
        return der.tlv(der.PRINTABLE_STRING, text.encode("ascii"))
    return der.utf8(text)


def _attribute(kind: str, value: str) -> bytes:
    return der.sequence(der.oid(kind), directory_string(value))


def _attribute_from(match: re.Match[str]) -> bytes:
    kind = ATTRIBUTES.get(match["type"], match["type"])
    if not kind[0].isdecimal():
        known = ", ".join(ATTRIBUTES)
        raise PkiError(
            f"the subject has an attribute {kind[:80]!r} that is not known: use one of {known}, or a dotted OID"
        )
    if match["hex"] is None:
        return _attribute(kind, _unescape(match["text"]))
    value = bytes.fromhex(match["hex"])
    text = _text_of(der.read(value))
    # RFC 5280 section 4.1.2.4 has strings alone; what a reader cannot decode spoils the whole certificate.
    if text is None or (value[0] == _BMP_STRING and not text.isascii() and max(text) > "\uffff"):
        raise PkiError(f"the subject's value #{match['hex'][:40]} is not a string that can be read: write it as text")
    return der.sequence(der.oid(kind), value)


def _unescape(text: str) -> str:
    pieces = _PIECE.findall(text)
    trailing = sum(1 for _ in takewhile(lambda piece: piece == " ", reversed(pieces)))
    octets = b"".join(_octets(piece) for piece in pieces[: len(pieces) - trailing])
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise PkiError(f"the escapes in the subject's value {text[:40]!r} do not form UTF-8") from None


def _octets(piece: str) -> bytes:
    if len(piece) == 3:
        return bytes.fromhex(piece[1:])
    return piece[-1].encode("utf-8", "replace")


def _read_rdns(name: bytes) -> list[list[tuple[str, der.Element]]]:
    rdns = der.children(der.read(name, der.SEQUENCE).content)
    return [[_read_attribute(part) for part in der.children(rdn.content)] for rdn in rdns]


def _read_attribute(part: der.Element) -> tuple[str, der.Element]:
    match der.children(part.content):
        case [der.Element(tag=der.OID) as kind, value]:
            return der.oid_text(kind.content), value
    raise PkiError("a distinguished name holds something that is no attribute")


def _text_of(value: der.Element) -> str | None:
    codec = _CODECS.get(value.tag)
    if codec is None:
        return None
    try:
        return value.content.decode(codec)
    except UnicodeDecodeError:
        return None


def _attribute_text(kind: str, value: der.Element) -> str:
    text = _text_of(value)
    if text is None or kind not in _SHORT_NAMES:
        return f"{_SHORT_NAMES.get(kind, kind)}=#{value.raw.hex()}"
    return f"{_SHORT_NAMES[kind]}={_escape(text)}"


def _escape(text: str) -> str:
    text = re.sub(r'([\\"+,;<>])', r"\\\1", text).replace("\0", "\\00")
    if text.startswith(("#", " ")):
        text = "\\" + text
    if len(text) > 1 and text.endswith(" ") and text != "\\ ":
        text = text[:-1] + "\\ "
    return text
