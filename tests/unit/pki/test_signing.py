from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certwright.pki import der
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate, public_key_info
from certwright.pki.signing import (
    SignatureAlgorithm,
    algorithm_identifier,
    algorithm_name,
    default_algorithm,
    load_public_key,
    signed,
    signs_with,
    verifies,
)

BODY = der.sequence(der.utf8("body"))


@pytest.fixture(scope="module")
def keys() -> dict[KeyAlgorithm, PrivateKey]:
    return {algorithm: generate(KeySpec(algorithm)) for algorithm in KeyAlgorithm}


@pytest.mark.parametrize("algorithm", list(SignatureAlgorithm))
def test_a_signature_verifies_by_its_key_only(
    algorithm: SignatureAlgorithm, keys: dict[KeyAlgorithm, PrivateKey]
) -> None:
    key = next(key for key in keys.values() if signs_with(key, algorithm))

    body, identifier, signature = der.children(der.read(signed(key, algorithm, BODY)).content)

    assert body.raw == BODY
    assert algorithm_name(identifier.raw) == algorithm
    results = {
        kind: verifies(key.public_key(), identifier.raw, BODY, signature.content[1:]) for kind, key in keys.items()
    }
    assert results == {kind: other is key for kind, other in keys.items()}
    assert not verifies(key.public_key(), identifier.raw, BODY + b"x", signature.content[1:])


@pytest.mark.parametrize(
    ("size", "algorithm"),
    [(2048, "SHA256WithRSA"), (3071, "SHA256WithRSA"), (3072, "SHA384WithRSA"), (4096, "SHA512WithRSA")],
)
def test_the_hash_of_an_rsa_signature_grows_with_the_key(size: int, algorithm: str) -> None:
    public = rsa.RSAPublicNumbers(65537, (1 << size - 1) + 1).public_key()

    assert default_algorithm(public) == algorithm


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [(ec.SECP256R1(), "ECDSAWithSHA256"), (ec.SECP384R1(), "ECDSAWithSHA384"), (ec.SECP521R1(), "ECDSAWithSHA512")],
)
def test_the_hash_of_an_ecdsa_signature_fits_the_curve(curve: ec.EllipticCurve, algorithm: str) -> None:
    assert default_algorithm(ec.generate_private_key(curve)) == algorithm


def test_an_algorithm_of_another_kind_of_key_is_refused(keys: dict[KeyAlgorithm, PrivateKey]) -> None:
    with pytest.raises(PkiError, match="RSA key cannot sign with PureEd25519"):
        signed(keys[KeyAlgorithm.RSA], SignatureAlgorithm.ED25519, BODY)


def test_an_unknown_algorithm_never_verifies_and_is_named_by_its_oid(keys: dict[KeyAlgorithm, PrivateKey]) -> None:
    sha1 = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.NULL_VALUE)

    assert not verifies(keys[KeyAlgorithm.RSA].public_key(), sha1, BODY, b"x")
    assert algorithm_name(sha1) == "1.2.840.113549.1.1.5"


def test_only_rsa_identifiers_have_parameters() -> None:
    assert algorithm_identifier(SignatureAlgorithm.SHA256_RSA).endswith(b"\x05\x00")
    assert len(der.children(der.read(algorithm_identifier(SignatureAlgorithm.ECDSA_SHA256)).content)) == 1


def test_public_keys_that_no_certificate_is_made_for_are_refused() -> None:
    other = ec.generate_private_key(ec.SECP256K1()).public_key()

    with pytest.raises(PkiError, match="is not RSA, ECDSA"):
        load_public_key(public_key_info(other))
    with pytest.raises(PkiError, match="cannot be decoded"):
        load_public_key(b"\x30\x00")
