"""The Java key store, format version 2, as the JDK's own provider reads it."""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from certwright.pki import der
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyEncoding, private_key_der
from certwright.pki.keystores.entry import KeyEntry

DEFAULT_ALIAS = "certificate"
AUTHORITY_ALIAS = "ca"

_MAGIC, _VERSION = 0xFEEDFEED, 2
_PRIVATE_KEY, _TRUSTED = 1, 2
_KEY_PROTECTOR = "1.3.6.1.4.1.42.2.17.1.1"
_WHITENER = b"Mighty Aphrodite"  # the digest of a store is salted with these words


def write_keystore(
    entry: KeyEntry,
    password: bytes,
    now: datetime,
    alias: str = DEFAULT_ALIAS,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """The key with its chain under `alias`, then its CA certificates as `ca`, `ca-1`…; `password` is UTF-8 text."""
    if alias.lower() in dict(_authorities(entry.authorities)):
        raise PkiError(f"the alias {alias!r} is taken by the CA certificate: choose another one")
    secret = _java_characters(password)
    protected = _protect(private_key_der(entry.key, KeyEncoding.PKCS8), secret, random(20))
    chain = b"".join(_certificate(certificate) for certificate in entry.certificates)
    body = struct.pack(">I", len(protected)) + protected + struct.pack(">I", len(entry.certificates)) + chain
    trusted = _trusted_entries(entry.authorities, now)
    return _store([_entry(_PRIVATE_KEY, alias, now, body), *trusted], secret)


def write_truststore(authorities: Sequence[bytes], password: bytes, now: datetime) -> bytes:
    """The CA certificates as `ca`, `ca-1`…; `password` is UTF-8 text."""
    return _store(_trusted_entries(authorities, now), _java_characters(password))


def entry_name(alias: str) -> bytes:
    """An alias as it stands in a store; raises `PkiError` for one that is too long."""
    # The JDK looks an alias up in lower case and would never find another.
    return _text(alias.lower())


def _store(entries: Sequence[bytes], secret: bytes) -> bytes:
    body = struct.pack(">III", _MAGIC, _VERSION, len(entries)) + b"".join(entries)
    return body + _digest(body, secret)


def store_digest(body: bytes, password: bytes) -> bytes:
    """The digest that ends a store with that body and password; `password` is UTF-8 text."""
    return _digest(body, _java_characters(password))


def _digest(body: bytes, secret: bytes) -> bytes:
    # The format asks for SHA-1; whoever needs more takes PKCS #12.
    return hashlib.sha1(secret + _WHITENER + body, usedforsecurity=False).digest()


def _trusted_entries(authorities: Sequence[bytes], now: datetime) -> list[bytes]:
    return [_entry(_TRUSTED, name, now, _certificate(data)) for name, data in _authorities(authorities)]


def _authorities(authorities: Sequence[bytes]) -> Iterable[tuple[str, bytes]]:
    return [
        (f"{AUTHORITY_ALIAS}-{number}" if number else AUTHORITY_ALIAS, data) for number, data in enumerate(authorities)
    ]


def _entry(kind: int, alias: str, now: datetime, body: bytes) -> bytes:
    created = struct.pack(">q", int(now.timestamp() * 1000))
    return struct.pack(">I", kind) + entry_name(alias) + created + body


def _certificate(data: bytes) -> bytes:
    return _text("X.509") + struct.pack(">I", len(data)) + data


def _text(text: str) -> bytes:
    units = struct.iter_unpack(">H", text.encode("utf-16-be"))
    # Java's modified UTF-8: each UTF-16 unit by itself, and NUL in two octets.
    octets = b"".join(chr(unit).encode("utf-8", "surrogatepass") if unit else b"\xc0\x80" for (unit,) in units)
    if len(octets) > 0xFFFF:
        raise PkiError("the alias of a key store is longer than 65535 octets")
    return struct.pack(">H", len(octets)) + octets


def _java_characters(password: bytes) -> bytes:
    try:
        return password.decode().encode("utf-16-be")
    except UnicodeDecodeError:
        raise PkiError("the password of the key store is not UTF-8 text") from None


def _protect(plain: bytes, secret: bytes, salt: bytes) -> bytes:
    stream, digest = b"", salt
    while len(stream) < len(plain):
        digest = hashlib.sha1(secret + digest, usedforsecurity=False).digest()
        stream += digest
    hidden = (int.from_bytes(plain, "big") ^ int.from_bytes(stream[: len(plain)], "big")).to_bytes(len(plain), "big")
    check = hashlib.sha1(secret + plain, usedforsecurity=False).digest()
    return der.sequence(der.sequence(der.oid(_KEY_PROTECTOR), der.NULL_VALUE), der.octets(salt + hidden + check))
