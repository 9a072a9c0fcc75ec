"""Subject alternative names (RFC 5280 section 4.2.1.6) of the kinds that the Certificate API has."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

from certwright.pki import der
from certwright.pki.errors import PkiError

_OTHER, _EMAIL, _DNS, _URI, _IP = 0, 1, 2, 6, 7


class OtherName(Struct, frozen=True, order=True):
    """A name of a type of its own: the OID of the type, and a text that is encoded as UTF8String."""

    oid: str
    value: str


class AlternativeNames(Struct, frozen=True, kw_only=True):
    """The names by kind, in order; addresses as text."""

    dns_names: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    other_names: tuple[OtherName, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any name."""
        return any((self.dns_names, self.email_addresses, self.ip_addresses, self.uris, self.other_names))

    def is_same_as(self, other: AlternativeNames) -> bool:
        """Whether both hold the same names, in whatever order, with addresses compared by value."""
        return self._sorted() == other._sorted()

    def _sorted(self) -> tuple[list[str], list[str], list[bytes], list[str], list[OtherName]]:
        addresses = sorted(pack_ip(text) for text in self.ip_addresses)
        others = sorted(self.other_names)
        return sorted(self.dns_names), sorted(self.email_addresses), addresses, sorted(self.uris), others


def pack_ip(text: str) -> bytes:
    """The 4 or 16 octets of an address; an IPv4 address in IPv6 form has 4."""
    try:
        address = ip_address(text)
    except ValueError:
        raise PkiError(f"{text[:80]!r} is not an IP address") from None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise PkiError(f"{text[:80]!r} names a zone, which an IP address in a certificate cannot have")
        return (address.ipv4_mapped or address).packed
    return address.packed


def unpack_ip(octets: bytes) -> str:
    """The text of an address of 4 or 16 octets."""
    if len(octets) == 4:
        return str(IPv4Address(octets))
    if len(octets) == 16:
        address = IPv6Address(octets)
        return str(address.ipv4_mapped or address)
    raise PkiError(f"an IP address has {len(octets)} octets where 4 or 16 are expected")


def ia5(text: str, what: str) -> bytes:
    """The ASCII octets of a name; raises `PkiError` for an empty one and for other characters."""
    if not text or not text.isascii():
        raise PkiError(f"the {what} {text[:80]!r} must be ASCII and not empty: write an IDN with its xn-- labels")
    return text.encode("ascii")


def encode_alternative_names(names: AlternativeNames) -> bytes:
    """The GeneralNames in the order dNSName, rfc822Name, iPAddress, uniformResourceIdentifier, otherName."""
    return der.sequence(
        *(der.implicit(_DNS, ia5(name, "DNS name")) for name in names.dns_names),
        *(der.implicit(_EMAIL, ia5(name, "email address")) for name in names.email_addresses),
        *(der.implicit(_IP, pack_ip(name)) for name in names.ip_addresses),
        *(der.implicit(_URI, ia5(name, "URI")) for name in names.uris),
        *(_encode_other(name) for name in names.other_names),
    )


def decode_alternative_names(value: bytes) -> AlternativeNames:
    """The names of a SAN extension's value; kinds that the API does not have, as directoryName, are left out."""
    by_kind: dict[int, list[bytes]] = {}
    for part in der.children(der.read(value, der.SEQUENCE).content):
        by_kind.setdefault(part.tag & 0x1F, []).append(part.content)
    return AlternativeNames(
        dns_names=tuple(map(_text, by_kind.get(_DNS, ()))),
        email_addresses=tuple(map(_text, by_kind.get(_EMAIL, ()))),
        ip_addresses=tuple(map(unpack_ip, by_kind.get(_IP, ()))),
        uris=tuple(map(_text, by_kind.get(_URI, ()))),
        other_names=tuple(name for name in map(_decode_other, by_kind.get(_OTHER, ())) if name is not None),
    )


def _encode_other(name: OtherName) -> bytes:
    return der.explicit(_OTHER, der.oid(name.oid) + der.explicit(0, der.utf8(name.value)))


def _decode_other(content: bytes) -> OtherName | None:
    match der.children(content):
        case [der.Element(tag=der.OID) as kind, value]:
            held = der.read(value.content)
        case _:
            raise PkiError("a subject alternative name of type otherName is not an OID with a value")
    if held.tag != der.UTF8_STRING:
        return None
    return OtherName(der.oid_text(kind.content), held.content.decode("utf-8", "replace"))


def _text(content: bytes) -> str:
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        raise PkiError("a subject alternative name holds characters that are not ASCII") from None
