from __future__ import annotations

from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol import base64url
from certwright.acme.protocol.keys import AccountKey, algorithm_of, is_signed_by, jwk_of, key_of, thumbprint
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate

# RFC 7638 section 3.1
RSA_JWK = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
}
# RFC 8037 appendix A
ED25519_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
ED25519_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
ED25519_SIGNED = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
ED25519_SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
# RFC 7515 appendix A.3
EC_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
EC_SIGNED = (
    b"eyJhbGciOiJFUzI1NiJ9."
    b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
EC_SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

SPECS = [
    (KeySpec(KeyAlgorithm.RSA, 2048), "RS256"),
    (KeySpec(KeyAlgorithm.ECDSA, 256), "ES256"),
    (KeySpec(KeyAlgorithm.ECDSA, 384), "ES384"),
    (KeySpec(KeyAlgorithm.ECDSA, 521), "ES512"),
    (KeySpec(KeyAlgorithm.ED25519), "EdDSA"),
]


@cache
def private_key(spec: KeySpec) -> PrivateKey:
    return generate(spec)


@pytest.mark.parametrize(
    ("jwk", "wanted"),
    [
        (RSA_JWK, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ED25519_JWK, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_the_thumbprints_of_rfc_7638_and_rfc_8037(jwk: dict[str, str], wanted: str) -> None:
    assert thumbprint(jwk) == wanted
    assert thumbprint(jwk_of(key_of(jwk))) == wanted


def test_the_signature_of_rfc_7515_is_right_and_another_message_is_not() -> None:
    key = key_of(EC_JWK)

    assert algorithm_of(key) == "ES256"
    assert is_signed_by(key, EC_SIGNED, base64url.decode(EC_SIGNATURE))
    assert not is_signed_by(key, EC_SIGNED + b"x", base64url.decode(EC_SIGNATURE))


def test_the_signature_of_rfc_8037_is_made_byte_for_byte() -> None:
    key = AccountKey(ed25519.Ed25519PrivateKey.from_private_bytes(base64url.decode(ED25519_D)))

    assert key.jwk == ED25519_JWK
    assert base64url.encode(key.sign(ED25519_SIGNED)) == ED25519_SIGNATURE


@pytest.mark.parametrize(("spec", "algorithm"), SPECS)
@settings(deadline=None)
@given(message=st.binary(max_size=200))
def test_every_kind_of_key_signs_what_its_jwk_verifies(spec: KeySpec, algorithm: str, message: bytes) -> None:
    key = AccountKey(private_key(spec))

    signature = key.sign(message)

    assert key.algorithm == algorithm
    assert is_signed_by(key_of(key.jwk), message, signature)
    assert not is_signed_by(key_of(key.jwk), message + b"!", signature)


def test_a_key_without_an_algorithm_of_jws_is_refused() -> None:
    key = generate(KeySpec(KeyAlgorithm.ML_DSA_65))

    with pytest.raises(PkiError, match="take RSA, EC or Ed25519"):
        AccountKey(key)
    with pytest.raises(PkiError, match="take RSA, EC or Ed25519"):
        jwk_of(key.public_key())


@pytest.mark.parametrize("size", [256, 384, 521])
def test_an_ecdsa_signature_in_der_is_refused(size: int) -> None:
    key = private_key(KeySpec(KeyAlgorithm.ECDSA, size))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    public = key.public_key()

    assert not is_signed_by(public, b"message", key.sign(b"message", ec.ECDSA(hashes.SHA256())))


@pytest.mark.parametrize(
    ("jwk", "words"),
    [
        ({}, "must be RSA, EC or Ed25519"),
        ({"kty": "oct", "k": "AAAA"}, "must be RSA, EC or Ed25519"),
        ({"kty": "RSA", "e": "AQAB"}, "lacks n"),
        ({**RSA_JWK, "n": "AQAB"}, "2048 to 8192"),
        ({**RSA_JWK, "e": "AQ"}, "65537"),
        ({**EC_JWK, "crv": "secp256k1"}, "P-256, P-384 or P-521"),
        ({**EC_JWK, "y": "AAAA"}, "(?i)curve"),
        ({**EC_JWK, "x": 5}, "lacks x"),
        ({**ED25519_JWK, "x": "AAAA"}, "32 bytes"),
        ({**ED25519_JWK, "x": "=="}, "base64url"),
    ],
)
def test_weak_malformed_and_foreign_jwks_are_refused(jwk: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        key_of(jwk)


def test_an_rsa_key_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="8192"):
        key_of({**RSA_JWK, "n": base64url.encode(b"\xff" * 1025)})


def test_a_key_is_read_from_pem() -> None:
    made = private_key(KeySpec(KeyAlgorithm.RSA, 2048))
    assert isinstance(made, rsa.RSAPrivateKey)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    assert AccountKey.from_pem(pem).jwk == jwk_of(made.public_key())
    with pytest.raises(ValueError, match="the ACME account key"):
        AccountKey.from_pem(b"nothing")


def test_the_repr_shows_the_thumbprint_only() -> None:
    key = AccountKey(private_key(KeySpec(KeyAlgorithm.ECDSA, 256)))

    assert repr(key) == f"AccountKey(ES256, thumbprint={key.thumbprint})"
