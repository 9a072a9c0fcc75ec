"""X.509 extensions (RFC 5280 section 4.2): the ones that are written here, and reading any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_network

from msgspec import Struct

from certwright.pki import der
from certwright.pki.alternative_names import ia5
from certwright.pki.errors import PkiError

SUBJECT_KEY_ID, KEY_USAGE, ALTERNATIVE_NAMES = "2.5.29.14", "2.5.29.15", "2.5.29.17"
BASIC_CONSTRAINTS, NAME_CONSTRAINTS, CRL_POINTS = "2.5.29.19", "2.5.29.30", "2.5.29.31"
AUTHORITY_KEY_ID, EXTENDED_KEY_USAGE = "2.5.29.35", "2.5.29.37"
AUTHORITY_ACCESS = "1.3.6.1.5.5.7.1.1"

_OCSP, _CA_ISSUERS = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"

# The library would also take an address alone, a mask in place of the length, and a zone.
_CIDR = re.compile(r"[0-9A-Fa-f:.]+/(0|[1-9][0-9]*)", re.ASCII)


class Extension(Struct, frozen=True):
    """One extension: its OID, whether it is critical, and the DER of its value."""

    oid: str
    critical: bool
    value: bytes

    def encode(self) -> bytes:
        """The Extension as DER; `critical` is written only where it is true."""
        return der.sequence(der.oid(self.oid), der.TRUE if self.critical else b"", der.octets(self.value))


class Subtrees(Struct, frozen=True, kw_only=True):
    """One side of name constraints: domains and addresses as text, IP ranges as CIDR."""

    dns_domains: tuple[str, ...] = ()
    ip_ranges: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    uri_domains: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The GeneralSubtrees' content: no bytes when there are none."""
        bases = (
            *(der.implicit(2, constraint(name)) for name in self.dns_domains),
            *(der.implicit(7, pack_range(text)) for text in self.ip_ranges),
            *(der.implicit(1, constraint(name)) for name in self.email_addresses),
            *(der.implicit(6, constraint(name)) for name in self.uri_domains),
        )
        return b"".join(der.sequence(base) for base in bases)


class NameConstraints(Struct, frozen=True, kw_only=True):
    """The names that a CA may, and may not, issue for."""

    critical: bool = False
    permitted: Subtrees = Subtrees()
    excluded: Subtrees = Subtrees()


class BasicConstraints(Struct, frozen=True):
    """Whether the subject is a CA, and how many CAs may stand below it (None: any number)."""

    is_ca: bool = False
    path_length: int | None = None


def encode_name_constraints(constraints: NameConstraints) -> bytes:
    """The NameConstraints value; a side without subtrees is left out."""
    sides = ((0, constraints.permitted.encode()), (1, constraints.excluded.encode()))
    return der.sequence(*(der.explicit(number, subtrees) for number, subtrees in sides if subtrees))


def encode_basic_constraints(constraints: BasicConstraints) -> bytes:
    """The BasicConstraints value."""
    length = b"" if constraints.path_length is None else der.integer(constraints.path_length)
    return der.sequence(der.TRUE + length if constraints.is_ca else b"")


def decode_basic_constraints(value: bytes) -> BasicConstraints:
    """What a BasicConstraints extension's value says."""
    parts = der.children(der.read(value, der.SEQUENCE).content)
    is_ca = any(part.tag == der.BOOLEAN and part.content != b"\0" for part in parts)
    lengths = [int.from_bytes(part.content, "big") for part in parts if part.tag == der.INTEGER]
    return BasicConstraints(is_ca, lengths[0] if is_ca and lengths else None)


def encode_authority_key_id(identifier: bytes) -> bytes:
    """An AuthorityKeyIdentifier value that holds the identifier alone."""
    return der.sequence(der.implicit(0, identifier))


@lru_cache(maxsize=256)
def decode_authority_key_id(value: bytes) -> bytes:
    """The identifier in an AuthorityKeyIdentifier extension's value; no bytes if it names the issuer otherwise."""
    parts = der.children(der.read(value, der.SEQUENCE).content)
    return next((part.content for part in parts if part.tag == 0x80), b"")


def encode_authority_access(ocsp: Sequence[str], ca_issuers: Sequence[str]) -> bytes:
    """The AuthorityInfoAccess value, OCSP servers first."""
    pairs = [*((_OCSP, url) for url in ocsp), *((_CA_ISSUERS, url) for url in ca_issuers)]
    return der.sequence(*(der.sequence(der.oid(method), _uri(url)) for method, url in pairs))


def encode_crl_points(urls: Sequence[str]) -> bytes:
    """The CRLDistributionPoints value, one point for each URL."""
    return der.sequence(*(der.sequence(der.explicit(0, der.explicit(0, _uri(url)))) for url in urls))


def encode_extensions(extensions: Iterable[Extension]) -> bytes:
    """The Extensions SEQUENCE, in the order given."""
    return der.sequence(*(extension.encode() for extension in extensions))


def decode_extensions(value: bytes) -> dict[str, Extension]:
    """The extensions by OID, in their order; raises `PkiError` when one stands twice."""
    found: dict[str, Extension] = {}
    for part in der.children(der.read(value, der.SEQUENCE).content):
        extension = _decode(part.content)
        if extension.oid in found:
            raise PkiError(f"the extension {extension.oid} stands twice")
        found[extension.oid] = extension
    return found


# All but the names are the same in one certificate after the other.
@lru_cache(maxsize=256)
def _decode(content: bytes) -> Extension:
    fields = der.children(content)
    if not 2 <= len(fields) <= 3 or fields[0].tag != der.OID or fields[-1].tag != der.OCTET_STRING:
        raise PkiError("an extension is not an OID with an OCTET STRING")
    critical = len(fields) == 3 and fields[1].content != b"\0"
    return Extension(der.oid_text(fields[0].content), critical, fields[-1].content)


def _uri(url: str) -> bytes:
    return der.implicit(6, ia5(url, "URL"))


def constraint(name: str) -> bytes:
    """The octets of a domain or address to constrain; an empty one stands for all there are."""
    return ia5(name, "name constraint") if name else b""


def pack_range(text: str) -> bytes:
    """The address and the mask of a range in CIDR form (RFC 5280 section 4.2.1.10)."""
    try:
        if _CIDR.fullmatch(text) is None:
            raise ValueError(text)
        network = ip_network(text, strict=False)
    except ValueError:
        raise PkiError(f"the name constraint {text[:80]!r} is not an IP range such as 10.0.0.0/8") from None
    return network.network_address.packed + network.netmask.packed
