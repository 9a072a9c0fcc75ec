"""Signatures on requests and certificates: which algorithm a key signs with, and its DER identifier."""

from __future__ import annotations

from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from certwright.pki import der, ml_dsa
from certwright.pki.errors import PkiError
from certwright.pki.keys import ML_DSA, READ, KeyAlgorithm, PrivateKey, PublicKey, is_supported, key_spec_of


class SignatureAlgorithm(StrEnum):
    """The words of `spec.signatureAlgorithm`, and those of FIPS 204."""

    SHA256_RSA = "SHA256WithRSA"
    SHA384_RSA = "SHA384WithRSA"
    SHA512_RSA = "SHA512WithRSA"
    ECDSA_SHA256 = "ECDSAWithSHA256"
    ECDSA_SHA384 = "ECDSAWithSHA384"
    ECDSA_SHA512 = "ECDSAWithSHA512"
    ED25519 = "PureEd25519"
    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"


_Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
_OIDS = {
    SignatureAlgorithm.SHA256_RSA: "1.2.840.113549.1.1.11",
    SignatureAlgorithm.SHA384_RSA: "1.2.840.113549.1.1.12",
    SignatureAlgorithm.SHA512_RSA: "1.2.840.113549.1.1.13",
    SignatureAlgorithm.ECDSA_SHA256: "1.2.840.10045.4.3.2",
    SignatureAlgorithm.ECDSA_SHA384: "1.2.840.10045.4.3.3",
    SignatureAlgorithm.ECDSA_SHA512: "1.2.840.10045.4.3.4",
    SignatureAlgorithm.ED25519: "1.3.101.112",
} | {SignatureAlgorithm(algorithm): dotted for algorithm, dotted in zip(ML_DSA, ml_dsa.OIDS, strict=True)}
_BY_OID = {dotted: algorithm for algorithm, dotted in _OIDS.items()}
_HASHES: dict[SignatureAlgorithm, type[_Hash]] = {
    SignatureAlgorithm.SHA256_RSA: hashes.SHA256,
    SignatureAlgorithm.SHA384_RSA: hashes.SHA384,
    SignatureAlgorithm.SHA512_RSA: hashes.SHA512,
    SignatureAlgorithm.ECDSA_SHA256: hashes.SHA256,
    SignatureAlgorithm.ECDSA_SHA384: hashes.SHA384,
    SignatureAlgorithm.ECDSA_SHA512: hashes.SHA512,
}
_KEYS = (
    {algorithm: KeyAlgorithm.RSA if algorithm.endswith("RSA") else KeyAlgorithm.ECDSA for algorithm in _HASHES}
    | {SignatureAlgorithm.ED25519: KeyAlgorithm.ED25519}
    | {SignatureAlgorithm(algorithm): algorithm for algorithm in ML_DSA}
)


def default_algorithm(key: PrivateKey | PublicKey) -> SignatureAlgorithm:
    """What a key signs with unless told otherwise: a hash as strong as the key."""
    spec = key_spec_of(key)
    match spec.algorithm:
        case KeyAlgorithm.RSA if spec.size >= 4096:
            return SignatureAlgorithm.SHA512_RSA
        case KeyAlgorithm.RSA:
            return SignatureAlgorithm.SHA384_RSA if spec.size >= 3072 else SignatureAlgorithm.SHA256_RSA
        case KeyAlgorithm.ECDSA if spec.size >= 521:
            return SignatureAlgorithm.ECDSA_SHA512
        case KeyAlgorithm.ECDSA:
            return SignatureAlgorithm.ECDSA_SHA384 if spec.size >= 384 else SignatureAlgorithm.ECDSA_SHA256
        case KeyAlgorithm.ED25519:
            return SignatureAlgorithm.ED25519
    return SignatureAlgorithm(spec.algorithm)


def signs_with(key: PrivateKey | PublicKey, algorithm: SignatureAlgorithm) -> bool:
    """Whether a key of this kind makes signatures of this algorithm."""
    return _KEYS[algorithm] is key_spec_of(key).algorithm


def algorithm_identifier(algorithm: SignatureAlgorithm) -> bytes:
    """The AlgorithmIdentifier: RSA has NULL parameters (RFC 4055), the others none (RFC 5758, RFC 8410, RFC 9881)."""
    parameters = der.NULL_VALUE if _KEYS[algorithm] is KeyAlgorithm.RSA else b""
    return der.sequence(der.oid(_OIDS[algorithm]), parameters)


def algorithm_name(identifier: bytes) -> str:
    """The name of an AlgorithmIdentifier's algorithm, or its OID where the API has no word for it."""
    dotted = _oid_of(identifier)
    return _BY_OID.get(dotted, dotted)


def signed(key: PrivateKey, algorithm: SignatureAlgorithm, body: bytes) -> bytes:
    """The SEQUENCE of the body, the algorithm and the signature over the body (RFC 5280 section 4.1)."""
    if not signs_with(key, algorithm):
        kind = key_spec_of(key).algorithm
        raise PkiError(f"the {kind} key cannot sign with {algorithm}: choose an algorithm that fits the key")
    return der.sequence(body, algorithm_identifier(algorithm), der.bits(_signature(key, algorithm, body)))


def verifies(key: PublicKey, identifier: bytes, body: bytes, signature: bytes) -> bool:
    """Whether `signature` over `body` is of this key by an algorithm that is supported here."""
    algorithm = _BY_OID.get(_oid_of(identifier))
    if algorithm is None or not signs_with(key, algorithm):
        return False
    try:
        _verify(key, algorithm, body, signature)
    except InvalidSignature:
        return False
    return True


def load_public_key(info: bytes) -> PublicKey:
    """The key of a SubjectPublicKeyInfo; raises `PkiError` for kinds that certificates are not made for here."""
    try:
        key = load_der_public_key(info)
    except (ValueError, UnsupportedAlgorithm):
        raise PkiError("the public key cannot be decoded") from None
    if isinstance(key, PublicKey) and is_supported(key):
        return key
    raise PkiError(f"the public key is not {READ}")


def _oid_of(identifier: bytes) -> str:
    parts = der.children(der.read(identifier, der.SEQUENCE).content)
    if not parts or parts[0].tag != der.OID:
        raise PkiError("a signature algorithm has no identifier")
    return der.oid_text(parts[0].content)


def _signature(key: PrivateKey, algorithm: SignatureAlgorithm, body: bytes) -> bytes:
    match key:
        case rsa.RSAPrivateKey():
            return key.sign(body, padding.PKCS1v15(), _HASHES[algorithm]())
        case ec.EllipticCurvePrivateKey():
            return key.sign(body, ec.ECDSA(_HASHES[algorithm]()))
        case _:
            return key.sign(body)


def _verify(key: PublicKey, algorithm: SignatureAlgorithm, body: bytes, signature: bytes) -> None:
    match key:
        case rsa.RSAPublicKey():
            key.verify(signature, body, padding.PKCS1v15(), _HASHES[algorithm]())
        case ec.EllipticCurvePublicKey():
            key.verify(signature, body, ec.ECDSA(_HASHES[algorithm]()))
        case _:
            key.verify(signature, body)
