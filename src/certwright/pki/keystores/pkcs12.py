"""PKCS #12 key stores and trust stores (RFC 7292) in the four profiles of the Certificate API."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from certwright.pki import der
from certwright.pki.certificate import issuer_and_subject
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyEncoding, private_key_der
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.keystores.password_encryption import (
    Authenticate,
    Encrypt,
    Random,
    encrypt_aes,
    encrypt_rc2,
    encrypt_triple_des,
    mac_pbmac1,
    mac_sha1,
    mac_sha256,
)
from certwright.pki.names import name_to_text

_DATA, _ENCRYPTED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6"
_SHROUDED_KEY_BAG, _CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.2", "1.2.840.113549.1.12.10.1.3"
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME, _LOCAL_KEY_ID = "1.2.840.113549.1.9.20", "1.2.840.113549.1.9.21"
# Java takes a certificate without a key for trusted only with this attribute of Oracle's.
_TRUSTED_KEY_USAGE, _ANY_USAGE = "2.16.840.1.113894.746875.1.1", "2.5.29.37.0"
_BMP_STRING = 0x1E


class Profile(StrEnum):
    """The words of `spec.keystores.pkcs12.profile`."""

    LEGACY_RC2 = "LegacyRC2"
    LEGACY_DES = "LegacyDES"
    MODERN_2023 = "Modern2023"
    MODERN_2026 = "Modern2026"


class _Algorithms(Struct, frozen=True):
    certificates: Encrypt
    key: Encrypt
    mac: Authenticate


_ALGORITHMS = {
    Profile.LEGACY_RC2: _Algorithms(encrypt_rc2, encrypt_triple_des, mac_sha1),
    Profile.LEGACY_DES: _Algorithms(encrypt_triple_des, encrypt_triple_des, mac_sha1),
    Profile.MODERN_2023: _Algorithms(encrypt_aes, encrypt_aes, mac_sha256),
    Profile.MODERN_2026: _Algorithms(encrypt_aes, encrypt_aes, mac_pbmac1),
}
# Where the salt stands in the MacData: in that of PBMAC1 among the parameters of PBKDF2 (RFC 9579).
_SALTS = dict.fromkeys(Profile, (1,)) | {Profile.MODERN_2026: (0, 0, 1, 0, 1, 0)}


def write_keystore(
    entry: KeyEntry,
    password: bytes,
    profile: Profile = Profile.LEGACY_RC2,
    random: Random = secrets.token_bytes,
) -> bytes:
    """The key, its chain and its CA certificates; `password` is UTF-8 text."""
    text, algorithms = _text(password), _ALGORITHMS[profile]
    leaf, *above = entry.certificates
    key_id = _attribute(_LOCAL_KEY_ID, der.octets(hashlib.sha1(leaf, usedforsecurity=False).digest()))
    bags = [_certificate_bag(leaf, [key_id]), *(_certificate_bag(data, []) for data in (*above, *entry.authorities))]
    identifier, hidden = algorithms.key(text, private_key_der(entry.key, KeyEncoding.PKCS8), random)
    key_bag = _bag(_SHROUDED_KEY_BAG, der.sequence(identifier, der.octets(hidden)), [key_id])
    parts = (_encrypted(bags, text, algorithms.certificates, random), _plain(der.sequence(key_bag)))
    return _store(der.sequence(*parts), text, algorithms.mac, random)


def write_truststore(
    authorities: Sequence[bytes],
    password: bytes,
    profile: Profile = Profile.LEGACY_RC2,
    random: Random = secrets.token_bytes,
) -> bytes:
    """The CA certificates, each trusted under its subject as its name; `password` is UTF-8 text."""
    text, algorithms = _text(password), _ALGORITHMS[profile]
    trusted = _attribute(_TRUSTED_KEY_USAGE, der.oid(_ANY_USAGE))
    names = _distinct([name_to_text(issuer_and_subject(data)[1]) for data in authorities])
    bags = [
        _certificate_bag(data, [trusted, _attribute(_FRIENDLY_NAME, der.tlv(_BMP_STRING, name.encode("utf-16-be")))])
        for data, name in zip(authorities, names, strict=True)
    ]
    return _store(der.sequence(_encrypted(bags, text, algorithms.certificates, random)), text, algorithms.mac, random)


def has_mac(data: bytes, password: bytes, profile: Profile) -> bool:
    """Whether a store ends with the MAC that is written here for its content, its salt and that password."""
    try:
        _, content, mac = der.children(der.read(data, der.SEQUENCE).content)
        safe, salt = _down(content, 1, 0).content, _down(mac, *_SALTS[profile]).content
        wanted = _ALGORITHMS[profile].mac(_text(password), safe, lambda _: salt)
    except (PkiError, ValueError, IndexError):
        return False
    return hmac.compare_digest(wanted, mac.raw)


def _down(element: der.Element, *path: int) -> der.Element:
    for at in path:
        element = der.children(element.content)[at]
    return element


def _text(password: bytes) -> str:
    if b"\0" in password:
        raise PkiError("the password of the key store holds a NUL character, with which OpenSSL cannot open it")
    try:
        return password.decode()
    except UnicodeDecodeError:
        raise PkiError("the password of the key store is not UTF-8 text") from None


def _distinct(names: Sequence[str]) -> list[str]:
    """Java keeps one entry a name, so an old and a new CA of one subject need different ones."""
    return [f"{name} ({names[:at].count(name) + 1})" if name in names[:at] else name for at, name in enumerate(names)]


def _store(safe: bytes, password: str, mac: Authenticate, random: Random) -> bytes:
    return der.sequence(der.integer(3), _plain(safe), mac(password, safe, random))


def _plain(content: bytes) -> bytes:
    return der.sequence(der.oid(_DATA), der.explicit(0, der.octets(content)))


def _encrypted(bags: Sequence[bytes], password: str, encrypt: Encrypt, random: Random) -> bytes:
    identifier, hidden = encrypt(password, der.sequence(*bags), random)
    content = der.sequence(der.oid(_DATA), identifier, der.implicit(0, hidden))
    return der.sequence(der.oid(_ENCRYPTED_DATA), der.explicit(0, der.sequence(der.integer(0), content)))


def _certificate_bag(data: bytes, attributes: Sequence[bytes]) -> bytes:
    value = der.sequence(der.oid(_X509_CERTIFICATE), der.explicit(0, der.octets(data)))
    return _bag(_CERTIFICATE_BAG, value, attributes)


def _bag(kind: str, value: bytes, attributes: Sequence[bytes]) -> bytes:
    return der.sequence(der.oid(kind), der.explicit(0, value), der.set_of(attributes))


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of([value]))
