"""Private keys: what a spec asks for, making them, and their PEM and DER forms."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from msgspec import Struct

from certwright.pki import pem as pem_text
from certwright.pki.errors import PkiError
from certwright.pki.pem import DEFAULT_LIMITS

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class KeyAlgorithm(StrEnum):
    """The words of `spec.privateKey.algorithm`."""

    RSA = "RSA"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"


class KeyEncoding(StrEnum):
    """The words of `spec.privateKey.encoding`; for ECDSA `PKCS1` means SEC 1, Ed25519 is always PKCS #8."""

    PKCS1 = "PKCS1"
    PKCS8 = "PKCS8"


RSA_SIZES = range(2048, 8193)
CURVES: dict[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}

_READ = "RSA, ECDSA on P-256, P-384 or P-521, or Ed25519"
_SIZE_DEFAULTS = {KeyAlgorithm.RSA: 2048, KeyAlgorithm.ECDSA: 256, KeyAlgorithm.ED25519: 0}
_LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")


class KeySpec(Struct, frozen=True):
    """An algorithm with its size in bits: `size` 0 means the algorithm's default; Ed25519 has no other size than 0."""

    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    size: int = 0

    def resolved(self) -> KeySpec:
        """The same with the default size filled in; raises `PkiError` when the size is out of range."""
        size = self.size or _SIZE_DEFAULTS[self.algorithm]
        match self.algorithm:
            case KeyAlgorithm.RSA if size not in RSA_SIZES:
                raise PkiError(f"an RSA key of {size} bits is not made: ask for 2048 to 8192 bits")
            case KeyAlgorithm.ECDSA if size not in CURVES:
                raise PkiError(f"there is no ECDSA curve of {size} bits: ask for 256, 384 or 521")
            case KeyAlgorithm.ED25519:
                size = 0
        return KeySpec(self.algorithm, size)


def generate(spec: KeySpec) -> PrivateKey:
    """A new key as `spec` asks; an RSA key takes tens of milliseconds, so a caller on an event loop uses a thread."""
    spec = spec.resolved()
    match spec.algorithm:
        case KeyAlgorithm.RSA:
            return rsa.generate_private_key(65537, spec.size)
        case KeyAlgorithm.ECDSA:
            return ec.generate_private_key(CURVES[spec.size]())
        case KeyAlgorithm.ED25519:
            return ed25519.Ed25519PrivateKey.generate()


def key_spec_of(key: PrivateKey | PublicKey) -> KeySpec:
    """The algorithm and size of a key."""
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return KeySpec(KeyAlgorithm.RSA, key.key_size)
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return KeySpec(KeyAlgorithm.ECDSA, key.key_size)
    return KeySpec(KeyAlgorithm.ED25519, 0)


def fits(key: PrivateKey | PublicKey, spec: KeySpec) -> bool:
    """Whether the key is of the algorithm and size that `spec` asks for."""
    return key_spec_of(key) == KeySpec(spec.algorithm, _effective_size(spec))


def encode_private_key(key: PrivateKey, encoding: KeyEncoding = KeyEncoding.PKCS1) -> bytes:
    """The key as PEM: `RSA PRIVATE KEY`, `EC PRIVATE KEY` or, for PKCS #8 and Ed25519, `PRIVATE KEY`."""
    return key.private_bytes(Encoding.PEM, _format(key, encoding), NoEncryption())


def private_key_der(key: PrivateKey, encoding: KeyEncoding = KeyEncoding.PKCS1) -> bytes:
    """The same encoding without PEM, as the output format `DER` stores it."""
    return key.private_bytes(Encoding.DER, _format(key, encoding), NoEncryption())


def parse_private_key(pem: bytes, what: str = "the private key", limit: int = DEFAULT_LIMITS.key) -> PrivateKey:
    """The first private key of a PEM text in PKCS #1, SEC 1 or PKCS #8; raises `PkiError`, whose text starts `what`."""
    pem_text.refuse_larger(pem, limit, what)
    blocks = pem_text.split(pem, what)
    der = next((block.der for block in blocks if block.label in _LABELS), None)
    if der is None:
        found = ", ".join(block.label for block in blocks)
        raise PkiError(f"{what} holds no PEM block PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY, only: {found}")
    return parse_private_key_der(der, what)


def parse_private_key_der(der: bytes, what: str = "the private key") -> PrivateKey:
    """The key of a PKCS #1, SEC 1 or PKCS #8 structure; raises `PkiError`."""
    try:
        # The library's own check of an RSA key costs 40 ms and more; `_refuse_torn` does the cheap part of it.
        key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's text may quote what it read, so it is not passed on.
        raise PkiError(f"{what} cannot be decoded: it must be {_READ}, as PKCS #1, SEC 1 or PKCS #8") from None
    if isinstance(key, rsa.RSAPrivateKey):
        _refuse_torn(key, what)
        return key
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, tuple(CURVES.values())):
        return key
    raise PkiError(f"{what} is of a kind that is not supported: it must be {_READ}")


def is_supported(key: object) -> bool:
    """Whether this is a public key that certificates are made for here."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, tuple(CURVES.values()))
    return isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey)


def public_key_info(key: PrivateKey | PublicKey) -> bytes:
    """The SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) as DER."""
    public = key.public_key() if isinstance(key, PrivateKey) else key
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_key_digest(key: PrivateKey | PublicKey) -> bytes:
    """SHA-256 of the SubjectPublicKeyInfo: two keys with one digest are one key."""
    return hashlib.sha256(public_key_info(key)).digest()


def same_public_key(one: PrivateKey | PublicKey, other: PrivateKey | PublicKey) -> bool:
    """Whether both have the same public key."""
    return public_key_info(one) == public_key_info(other)


def _effective_size(spec: KeySpec) -> int:
    if spec.algorithm is KeyAlgorithm.ED25519:
        return 0
    return spec.size or _SIZE_DEFAULTS[spec.algorithm]


def _format(key: PrivateKey, encoding: KeyEncoding) -> PrivateFormat:
    if encoding is KeyEncoding.PKCS8 or isinstance(key, ed25519.Ed25519PrivateKey):
        return PrivateFormat.PKCS8
    return PrivateFormat.TraditionalOpenSSL


def _refuse_torn(key: rsa.RSAPrivateKey, what: str) -> None:
    numbers = key.private_numbers()
    public, p, q, d = numbers.public_numbers, numbers.p, numbers.q, numbers.d
    whole = (
        p * q == public.n
        and d * public.e % (p - 1) == 1
        and d * public.e % (q - 1) == 1
        and numbers.dmp1 == d % (p - 1)
        and numbers.dmq1 == d % (q - 1)
        and numbers.iqmp * q % p == 1
    )
    if not whole:
        raise PkiError(f"{what} is an RSA key whose numbers do not belong together: it was damaged or edited")
