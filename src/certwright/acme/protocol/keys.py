"""Account keys: their algorithm, JWK (RFC 7517), thumbprint (RFC 7638), signing and verifying (RFC 7518, RFC 8037)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certwright.acme.protocol import base64url
from certwright.pki.errors import PkiError
from certwright.pki.keys import ClassicPrivateKey, ClassicPublicKey, PrivateKey, PublicKey, parse_private_key

Jwk = dict[str, str]

SMALLEST_RSA = 2048
LARGEST_RSA = 8192
_OTHER_KIND = "the key is of a kind that ACME has no algorithm for: take RSA, EC or Ed25519"


class _Curve(NamedTuple):
    name: str
    algorithm: str
    curve: ec.EllipticCurve
    digest: hashes.HashAlgorithm
    size: int


_CURVES = (
    _Curve("P-256", "ES256", ec.SECP256R1(), hashes.SHA256(), 32),
    _Curve("P-384", "ES384", ec.SECP384R1(), hashes.SHA384(), 48),
    _Curve("P-521", "ES512", ec.SECP521R1(), hashes.SHA512(), 66),
)


class AccountKey:
    """A private key that signs requests; its repr shows the thumbprint only."""

    def __init__(self, private_key: PrivateKey) -> None:
        if not isinstance(private_key, ClassicPrivateKey):
            raise PkiError(_OTHER_KIND)
        self._key = private_key
        public = private_key.public_key()
        self.algorithm = algorithm_of(public)
        self.jwk = jwk_of(public)
        self.thumbprint = thumbprint(self.jwk)

    @classmethod
    def from_pem(cls, pem: bytes) -> AccountKey:
        """The first private key of a PEM text; raises `PkiError` (a `ValueError`) with a sentence."""
        return cls(parse_private_key(pem, "the ACME account key"))

    def sign(self, message: bytes) -> bytes:
        """The signature as JWS wants it: ECDSA as r and s, not as DER (RFC 7518 section 3.4)."""
        match self._key:
            case rsa.RSAPrivateKey():
                return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePrivateKey():
                curve = _curve(self._key.curve.name)
                r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(curve.digest)))
                return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"AccountKey({self.algorithm}, thumbprint={self.thumbprint})"


def algorithm_of(key: ClassicPublicKey) -> str:
    """The `alg` that belongs to the key."""
    match key:
        case rsa.RSAPublicKey():
            return "RS256"
        case ec.EllipticCurvePublicKey():
            return _curve(key.curve.name).algorithm
    return "EdDSA"


def jwk_of(key: PublicKey) -> Jwk:
    """The required members of the public key's JWK; raises `PkiError` for a kind that ACME does not know."""
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
        case ec.EllipticCurvePublicKey():
            curve, point = _curve(key.curve.name), key.public_numbers()
            x, y = (base64url.encode(number.to_bytes(curve.size, "big")) for number in (point.x, point.y))
            return {"kty": "EC", "crv": curve.name, "x": x, "y": y}
        case ed25519.Ed25519PublicKey():
            point_octets = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(point_octets)}
    raise PkiError(_OTHER_KIND)


def thumbprint(jwk: Jwk) -> str:
    """RFC 7638: SHA-256 over the required members in lexical order, as base64url."""
    text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return base64url.encode(hashlib.sha256(text.encode()).digest())


def key_of(jwk: Mapping[str, object]) -> ClassicPublicKey:
    """The public key of a JWK; raises `ValueError` for what is malformed, weak or of another kind."""
    match jwk.get("kty"):
        case "RSA":
            return _rsa_key(_number(jwk, "n"), _number(jwk, "e"))
        case "EC":
            curve = next((curve for curve in _CURVES if curve.name == jwk.get("crv")), None)
            if curve is None:
                raise ValueError("the curve of the JWK must be P-256, P-384 or P-521")
            return ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), curve.curve).public_key()
        case "OKP" if jwk.get("crv") == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(_octets(jwk, "x"))
    raise ValueError("the JWK must be RSA, EC or Ed25519")


def is_signed_by(key: ClassicPublicKey, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (in JWS form) over `message` is the key's."""
    try:
        _verify(key, message, signature)
    except InvalidSignature:
        return False
    return True


def _verify(key: ClassicPublicKey, message: bytes, signature: bytes) -> None:
    match key:
        case rsa.RSAPublicKey():
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        case ec.EllipticCurvePublicKey():
            curve = _curve(key.curve.name)
            if len(signature) != 2 * curve.size:
                raise InvalidSignature
            r, s = (int.from_bytes(half, "big") for half in (signature[: curve.size], signature[curve.size :]))
            key.verify(encode_dss_signature(r, s), message, ec.ECDSA(curve.digest))
        case ed25519.Ed25519PublicKey():
            key.verify(signature, message)


def _rsa_key(n: int, e: int) -> rsa.RSAPublicKey:
    if not SMALLEST_RSA <= n.bit_length() <= LARGEST_RSA:
        raise ValueError(f"an RSA key must have {SMALLEST_RSA} to {LARGEST_RSA} bits")
    if e not in {3, 65537}:
        raise ValueError("the exponent of an RSA key must be 65537")
    return rsa.RSAPublicNumbers(e, n).public_key()


def _curve(library_name: str) -> _Curve:
    for curve in _CURVES:
        if curve.curve.name == library_name:
            return curve
    raise ValueError(f"the curve {library_name} is not used with ACME: take P-256, P-384 or P-521")


def _integer(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _number(jwk: Mapping[str, object], member: str) -> int:
    return int.from_bytes(_octets(jwk, member), "big")


def _octets(jwk: Mapping[str, object], member: str) -> bytes:
    value = jwk.get(member)
    if not isinstance(value, str):
        raise ValueError(f"the JWK lacks {member}")
    return base64url.decode(value)
