"""Whether a key store opens with a password, and is of the form asked for."""

from __future__ import annotations

import hashlib
import hmac

from certwright.pki import der
from certwright.pki.errors import PkiError
from certwright.pki.keystores.jks import entry_name, store_digest
from certwright.pki.keystores.pkcs12 import Profile, has_mac

_DIGEST_SIZE = hashlib.sha1(usedforsecurity=False).digest_size
_RC2_40 = der.oid("1.2.840.113549.1.12.1.6")
_TRIPLE_DES = der.oid("1.2.840.113549.1.12.1.3")
_PBES2, _PBMAC1 = der.oid("1.2.840.113549.1.5.13"), der.oid("1.2.840.113549.1.5.14")


def opens_jks(data: bytes, password: bytes, alias: str = "") -> bool:
    """Whether a Java key store has that password; with `alias`, also whether an entry is called so."""
    body, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    try:
        is_right = hmac.compare_digest(store_digest(body, password), digest)
        name = entry_name(alias) if alias else b""
    except PkiError:
        return False
    return is_right and name in body


def opens_pkcs12(data: bytes, password: bytes, profile: Profile) -> bool:
    """Whether a PKCS #12 store has that password and profile."""
    # The library panics at a NUL, which no handler of errors catches; no store of ours has one.
    if b"\0" in password or _profile(data) is not profile:
        return False
    # It brings the library's X.509 along, which nothing else here needs.
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    try:
        load_pkcs12(data, password)
    except (ValueError, TypeError):
        # The password is wrong (TypeError: it is not UTF-8), or the key is of a kind that the library takes from no
        # store, as ML-DSA is.
        return has_mac(data, password, profile)
    return True


def _profile(data: bytes) -> Profile | None:
    """By the identifiers of its algorithms, which stand outside of what is encrypted."""
    if _PBES2 in data:
        return Profile.MODERN_2026 if _PBMAC1 in data else Profile.MODERN_2023
    if _RC2_40 in data:
        return Profile.LEGACY_RC2
    return Profile.LEGACY_DES if _TRIPLE_DES in data else None
