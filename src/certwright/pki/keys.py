"""Private keys: what a spec asks for, making them, and their PEM and DER forms."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from msgspec import Struct

from certwright.pki import der, ml_dsa
from certwright.pki import pem as pem_text
from certwright.pki.errors import PkiError
from certwright.pki.pem import DEFAULT_LIMITS

ClassicPrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
ClassicPublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = ClassicPrivateKey | ml_dsa.PrivateKey
PublicKey = ClassicPublicKey | ml_dsa.PublicKey


class KeyAlgorithm(StrEnum):
    """The words of `spec.privateKey.algorithm`, and those of FIPS 204."""

    RSA = "RSA"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"


class KeyEncoding(StrEnum):
    """The words of `spec.privateKey.encoding`: `PKCS1` means SEC 1 for ECDSA; RSA and ECDSA alone have such forms."""

    PKCS1 = "PKCS1"
    PKCS8 = "PKCS8"


RSA_SIZES = range(2048, 8193)
CURVES: dict[int, type[ec.EllipticCurve]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}
_CURVES = tuple(CURVES.values())

ML_DSA = (KeyAlgorithm.ML_DSA_44, KeyAlgorithm.ML_DSA_65, KeyAlgorithm.ML_DSA_87)

READ = "RSA, ECDSA on P-256, P-384 or P-521, Ed25519, or ML-DSA"
_SIZE_DEFAULTS = {KeyAlgorithm.RSA: 2048, KeyAlgorithm.ECDSA: 256}
_ML_DSA_STARTS = {
    der.sequence(der.oid(dotted)): algorithm for algorithm, dotted in zip(ML_DSA, ml_dsa.OIDS, strict=True)
}
_ML_DSA_START = 13
_LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")

# A P-256 key in SEC 1 (RFC 5915) with its curve and public point: only the 32 octets of the key and the 64 of the point
# differ, and the library has compared the two.
_P256_START, _P256_MIDDLE = bytes.fromhex("30770201010420"), bytes.fromhex("a00a06082a8648ce3d030107a14403420004")
_P256_MIDDLE_AT, _P256_POINT_AT = 39, 56
_P256_INFO_START = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


class KeySpec(Struct, frozen=True):
    """An algorithm with its size in bits: 0 means the default, and is all that there is beside RSA and ECDSA."""

    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    size: int = 0

    def resolved(self) -> KeySpec:
        """The same with the default size filled in; raises `PkiError` when the size is out of range."""
        size = _effective_size(self)
        match self.algorithm:
            case KeyAlgorithm.RSA if size not in RSA_SIZES:
                raise PkiError(f"an RSA key of {size} bits is not made: ask for 2048 to 8192 bits")
            case KeyAlgorithm.ECDSA if size not in CURVES:
                raise PkiError(f"there is no ECDSA curve of {size} bits: ask for 256, 384 or 521")
        return KeySpec(self.algorithm, size)

    def is_met_by(self, made: KeySpec) -> bool:
        """Whether a key of that kind is what is asked for; an RSA key of an odd size may be one bit longer."""
        size = _effective_size(self)
        sizes = {size, size + size % 2} if self.algorithm is KeyAlgorithm.RSA else {size}
        return made.algorithm is self.algorithm and made.size in sizes

    def __str__(self) -> str:
        size = f" {self.size}" if self.size else " of the default size"
        return self.algorithm + (size if self.algorithm in _SIZE_DEFAULTS else "")


_P256 = KeySpec(KeyAlgorithm.ECDSA, 256)


def generate(spec: KeySpec) -> PrivateKey:
    """A new key as `spec` asks; an RSA key takes tens of milliseconds, so a caller on an event loop uses a thread."""
    spec = spec.resolved()
    match spec.algorithm:
        case KeyAlgorithm.RSA:
            # OpenSSL makes two primes of half the size: a key of an odd size would come out one bit too short.
            return rsa.generate_private_key(65537, spec.size + spec.size % 2)
        case KeyAlgorithm.ECDSA:
            return ec.generate_private_key(CURVES[spec.size]())
        case KeyAlgorithm.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case KeyAlgorithm.ML_DSA_44:
            return mldsa.MLDSA44PrivateKey.generate()
        case KeyAlgorithm.ML_DSA_65:
            return mldsa.MLDSA65PrivateKey.generate()
        case KeyAlgorithm.ML_DSA_87:
            return mldsa.MLDSA87PrivateKey.generate()


def key_spec_of(key: PrivateKey | PublicKey) -> KeySpec:
    """The algorithm and size of a key."""
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return KeySpec(KeyAlgorithm.RSA, key.key_size)
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return KeySpec(KeyAlgorithm.ECDSA, key.key_size)
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            return KeySpec(KeyAlgorithm.ED25519)
        case mldsa.MLDSA44PrivateKey() | mldsa.MLDSA44PublicKey():
            return KeySpec(KeyAlgorithm.ML_DSA_44)
        case mldsa.MLDSA65PrivateKey() | mldsa.MLDSA65PublicKey():
            return KeySpec(KeyAlgorithm.ML_DSA_65)
        case mldsa.MLDSA87PrivateKey() | mldsa.MLDSA87PublicKey():
            return KeySpec(KeyAlgorithm.ML_DSA_87)


def fits(key: PrivateKey | PublicKey, spec: KeySpec) -> bool:
    """Whether the key is of the algorithm and size that `spec` asks for."""
    return spec.is_met_by(key_spec_of(key))


def encode_private_key(key: PrivateKey, encoding: KeyEncoding = KeyEncoding.PKCS1) -> bytes:
    """The key as PEM: `RSA PRIVATE KEY`, `EC PRIVATE KEY` or, for PKCS #8 and every other algorithm, `PRIVATE KEY`."""
    return key.private_bytes(Encoding.PEM, _format(key, encoding), NoEncryption())


def private_key_der(key: PrivateKey, encoding: KeyEncoding = KeyEncoding.PKCS1) -> bytes:
    """The same encoding without PEM, as the output format `DER` stores it."""
    return key.private_bytes(Encoding.DER, _format(key, encoding), NoEncryption())


def parse_private_key(pem: bytes, what: str = "the private key", limit: int = DEFAULT_LIMITS.key) -> PrivateKey:
    """The first private key of a PEM text in PKCS #1, SEC 1 or PKCS #8; raises `PkiError`, whose text starts `what`."""
    return parse_private_key_der(_private_der(pem, what, limit), what)


def examine_private_key(pem: bytes, what: str = "the private key") -> tuple[KeySpec, bytes]:
    """What kind of key `parse_private_key` would give, and its `public_key_digest`; raises the same."""
    data = _private_der(pem, what, DEFAULT_LIMITS.key)
    key = parse_private_key_der(data, what)
    # Encoding the public key anew is a quarter of the work; a hundred thousand keys are examined at a start.
    if data[_P256_MIDDLE_AT : _P256_POINT_AT + 1] == _P256_MIDDLE and data.startswith(_P256_START):
        return _P256, hashlib.sha256(_P256_INFO_START + data[_P256_POINT_AT:]).digest()
    return key_spec_of(key), public_key_digest(key)


def parse_private_key_der(data: bytes, what: str = "the private key") -> PrivateKey:
    """The key of a PKCS #1, SEC 1 or PKCS #8 structure; raises `PkiError`."""
    try:
        # The library's own check of an RSA key costs 40 ms and more; `_refuse_torn` does the cheap part of it.
        key = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if (seeded := ml_dsa.parse_seeded(data, what)) is not None:
            return seeded
        if (bare := _without_additions(data)) is not None:
            return parse_private_key_der(bare, what)
        # The library's text may quote what it read, so it is not passed on.
        raise PkiError(f"{what} cannot be decoded: it must be {READ}, as PKCS #1, SEC 1 or PKCS #8") from None
    match key:
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, _CURVES):
            return key
        case rsa.RSAPrivateKey():
            _refuse_torn(key, what)
            return key
        case (
            ed25519.Ed25519PrivateKey()
            | mldsa.MLDSA44PrivateKey()
            | mldsa.MLDSA65PrivateKey()
            | mldsa.MLDSA87PrivateKey()
        ):
            return key
    raise PkiError(f"{what} is of a kind that is not supported: it must be {READ}")


def is_supported(key: object) -> bool:
    """Whether this is a public key that certificates are made for here."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, _CURVES)
    return isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ml_dsa.PublicKey)


def ml_dsa_algorithm(info: bytes) -> KeyAlgorithm | None:
    """Which of the ML-DSA algorithms the key of a SubjectPublicKeyInfo is for; None for keys of every other kind."""
    # The identifier stands behind a tag and a length of two octets: no such key is shorter than 256.
    return _ML_DSA_STARTS.get(info[4 : 4 + _ML_DSA_START])


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


def _private_der(pem: bytes, what: str, limit: int) -> bytes:
    pem_text.refuse_larger(pem, limit, what)
    blocks = pem_text.split(pem, what)
    for block in blocks:
        if block.label in _LABELS:
            return block.der
    found = ", ".join(block.label for block in blocks)
    raise PkiError(f"{what} holds no PEM block PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY, only: {found}")


def _effective_size(spec: KeySpec) -> int:
    default = _SIZE_DEFAULTS.get(spec.algorithm, 0)
    return spec.size or default if default else 0


def _format(key: PrivateKey, encoding: KeyEncoding) -> PrivateFormat:
    has_older_form = isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return PrivateFormat.TraditionalOpenSSL if has_older_form and encoding is KeyEncoding.PKCS1 else PrivateFormat.PKCS8


def _without_additions(data: bytes) -> bytes | None:
    """PKCS #8 without the attributes and the public key that RFC 5958 adds, which the library does not read."""
    try:
        parts = der.children(der.read(data, der.SEQUENCE).content)
    except PkiError:
        return None
    match parts:
        case [_, der.Element(tag=der.SEQUENCE) as algorithm, der.Element(tag=der.OCTET_STRING) as content, _, *_]:
            return der.sequence(der.integer(0), algorithm.raw, content.raw)
    return None


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
