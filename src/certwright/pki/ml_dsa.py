"""Private ML-DSA keys in the forms of RFC 9881 section 6 that the library does not read, as OpenSSL writes them."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import mldsa

from certwright.pki import der
from certwright.pki.errors import PkiError

PrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
PublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey

# RFC 9881 section 2: the identifiers of the keys, and of what they sign.
OIDS: dict[str, type[PrivateKey]] = {
    "2.16.840.1.101.3.4.3.17": mldsa.MLDSA44PrivateKey,
    "2.16.840.1.101.3.4.3.18": mldsa.MLDSA65PrivateKey,
    "2.16.840.1.101.3.4.3.19": mldsa.MLDSA87PrivateKey,
}


def parse_seeded(data: bytes, what: str) -> PrivateKey | None:
    """The key of a PKCS #8 structure that holds seed and expanded key; None for what is no ML-DSA key.

    Raises `PkiError` where there is no seed, or seed and expanded key are not of one key.
    """
    try:
        _, algorithm, content, *_ = der.children(der.read(data, der.SEQUENCE).content)
        kind = OIDS.get(der.oid_text(der.children(algorithm.content)[0].content))
    except (PkiError, ValueError, IndexError):
        return None
    if kind is None:
        return None
    try:
        seed, expanded = der.children(der.read(content.content, der.SEQUENCE).content)
        key = kind.from_seed_bytes(seed.content)
    except (PkiError, ValueError):
        raise PkiError(
            f"{what} is an ML-DSA key without its seed, which is not read: store the form with seed"
        ) from None
    if not _is_of(expanded.content, key):
        raise PkiError(f"{what} is an ML-DSA key whose seed and expanded key do not belong together")
    return key


def _is_of(expanded: bytes, key: PrivateKey) -> bool:
    """By the digest of the public key, which every expanded key holds (FIPS 204, algorithms 6 and 24)."""
    digest = hashlib.shake_256(key.public_key().public_bytes_raw()).digest(64)
    return hmac.compare_digest(expanded[64:128], digest)
