"""The usage names of the Certificate API, and the key usage bits and extended key usages that they stand for."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from certwright.pki import der
from certwright.pki.errors import PkiError

DEFAULT_USAGES = ("digital signature", "key encipherment")
SIGNING_USAGES = ("digital signature",)
"""In place of the default ones where a key can do nothing but sign."""
CERT_SIGN = "cert sign"

# RFC 5280 section 4.2.1.3: the bit of each name, counted from the first of the BIT STRING.
KEY_USAGES = {
    "digital signature": 0,
    "signing": 0,
    "content commitment": 1,
    "key encipherment": 2,
    "data encipherment": 3,
    "key agreement": 4,
    CERT_SIGN: 5,
    "crl sign": 6,
    "encipher only": 7,
    "decipher only": 8,
}
EXTENDED_KEY_USAGES = {
    "any": "2.5.29.37.0",
    "server auth": "1.3.6.1.5.5.7.3.1",
    "client auth": "1.3.6.1.5.5.7.3.2",
    "code signing": "1.3.6.1.5.5.7.3.3",
    "email protection": "1.3.6.1.5.5.7.3.4",
    "s/mime": "1.3.6.1.5.5.7.3.4",
    "ipsec end system": "1.3.6.1.5.5.7.3.5",
    "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
    "ipsec user": "1.3.6.1.5.5.7.3.7",
    "timestamping": "1.3.6.1.5.5.7.3.8",
    "ocsp signing": "1.3.6.1.5.5.7.3.9",
    "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
    "netscape sgc": "2.16.840.1.113730.4.1",
}
# RFC 9881 section 5: what a certificate of an ML-DSA key may not be for.
_NOT_BY_SIGNING = frozenset(
    {"key encipherment", "data encipherment", "key agreement", "encipher only", "decipher only"}
)
USAGE_NAMES = (*KEY_USAGES, *EXTENDED_KEY_USAGES)

# Where two names mean the same, the first in the tables above is the one that is read back.
_BIT_NAMES = {bit: name for name, bit in reversed(KEY_USAGES.items())}
_PURPOSE_NAMES = {purpose: name for name, purpose in reversed(EXTENDED_KEY_USAGES.items())}


class Usages(Struct, frozen=True):
    """What a certificate may be used for: key usage bits, and OIDs of extended key usages in the order asked for."""

    bits: frozenset[int] = frozenset()
    purposes: tuple[str, ...] = ()

    def is_same_as(self, other: Usages) -> bool:
        """Whether both allow the same, in whatever order."""
        return self.bits == other.bits and set(self.purposes) == set(other.purposes)

    def names(self) -> tuple[str, ...]:
        """The API's names, key usages first; an extended key usage without a name is given as its OID."""
        bits = (_BIT_NAMES[bit] for bit in sorted(self.bits) if bit in _BIT_NAMES)
        return (*bits, *(_PURPOSE_NAMES.get(purpose, purpose) for purpose in self.purposes))


def usages_from(names: Iterable[str], *, is_ca: bool = False, signs_only: bool = False) -> Usages:
    """What the names ask for, `DEFAULT_USAGES` if there are none; a CA may sign certificates whatever is asked.

    `signs_only` is for ML-DSA keys: other default usages, and `PkiError` where something is asked that they cannot do.
    """
    asked = list(names) or list(SIGNING_USAGES if signs_only else DEFAULT_USAGES)
    if is_ca:
        asked.append(CERT_SIGN)
    for name in asked:
        if name not in KEY_USAGES and name not in EXTENDED_KEY_USAGES:
            raise PkiError(f"{name[:80]!r} is not a usage: use one of {', '.join(USAGE_NAMES)}")
        if signs_only and name in _NOT_BY_SIGNING:
            raise PkiError(f"an ML-DSA key signs and does nothing else: take {name!r} out of the usages")
    # One that is asked for twice stands there twice: whoever checks a request compares the lists.
    purposes = tuple(EXTENDED_KEY_USAGES[name] for name in asked if name in EXTENDED_KEY_USAGES)
    return Usages(frozenset(KEY_USAGES[name] for name in asked if name in KEY_USAGES), purposes)


def encode_key_usage(bits: frozenset[int]) -> bytes:
    """The KeyUsage BIT STRING, without trailing zero bits."""
    value = sum(0x8000 >> bit for bit in bits).to_bytes(2, "big").rstrip(b"\0")
    last = value[-1] if value else 0x80
    return der.bits(value, unused=(last & -last).bit_length() - 1 if value else 0)


def decode_key_usage(value: bytes) -> frozenset[int]:
    """The bits of a KeyUsage extension's value."""
    content = der.read(value, der.BIT_STRING).content
    return frozenset(8 * at + bit for at, octet in enumerate(content[1:3]) for bit in range(8) if octet & 0x80 >> bit)


def encode_extended_key_usage(purposes: Iterable[str]) -> bytes:
    """The ExtKeyUsageSyntax, in the order given."""
    return der.sequence(*(der.oid(purpose) for purpose in purposes))


def decode_extended_key_usage(value: bytes) -> tuple[str, ...]:
    """The OIDs of an ExtendedKeyUsage extension's value."""
    return tuple(der.oid_text(part.content) for part in der.children(der.read(value, der.SEQUENCE).content))
