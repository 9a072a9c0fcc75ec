from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from certwright.pki import pem
from certwright.pki.errors import PkiError
from certwright.pki.keys import (
    ML_DSA,
    KeyAlgorithm,
    KeyEncoding,
    KeySpec,
    PrivateKey,
    encode_private_key,
    examine_private_key,
    fits,
    generate,
    key_spec_of,
    ml_dsa_algorithm,
    parse_private_key,
    parse_private_key_der,
    private_key_der,
    public_key_digest,
    public_key_info,
    same_public_key,
)

RSA, ECDSA, ED25519 = KeyAlgorithm.RSA, KeyAlgorithm.ECDSA, KeyAlgorithm.ED25519
CLASSIC = [KeySpec(RSA, 2048), KeySpec(ECDSA, 256), KeySpec(ECDSA, 384), KeySpec(ECDSA, 521), KeySpec(ED25519)]
SPECS = [*CLASSIC, *map(KeySpec, ML_DSA)]

# RFC 8410 section 10.3: one key, without and with its public key.
RFC_8410 = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
RFC_8410_WITH_PUBLIC_KEY = b"""-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
"""


@pytest.fixture(scope="module", params=SPECS, ids=str)
def key(request: pytest.FixtureRequest) -> PrivateKey:
    spec = request.param
    assert isinstance(spec, KeySpec)
    return generate(spec)


def test_an_rsa_key_of_an_odd_size_is_one_bit_longer_and_fits() -> None:
    wanted = KeySpec(RSA, 2049)

    assert key_spec_of(generate(wanted)) == KeySpec(RSA, 2050)
    assert [size for size in (2048, 2049, 2050, 2051) if wanted.is_met_by(KeySpec(RSA, size))] == [2049, 2050]
    assert not KeySpec(RSA, 2048).is_met_by(KeySpec(RSA, 2049))
    assert not KeySpec(ECDSA, 521).is_met_by(KeySpec(ECDSA, 522))


@pytest.mark.parametrize("encoding", list(KeyEncoding))
def test_a_key_reads_back_from_every_encoding(key: PrivateKey, encoding: KeyEncoding) -> None:
    text = encode_private_key(key, encoding)

    again = parse_private_key(text)

    assert same_public_key(again, key)
    assert examine_private_key(text) == (key_spec_of(key), public_key_digest(key))
    assert encode_private_key(again, encoding) == text
    assert pem.split(text, "it")[0].der == private_key_der(key, encoding)


@pytest.mark.parametrize(
    ("spec", "encoding", "label"),
    [
        (KeySpec(RSA), KeyEncoding.PKCS1, "RSA PRIVATE KEY"),
        (KeySpec(ECDSA), KeyEncoding.PKCS1, "EC PRIVATE KEY"),
        (KeySpec(ECDSA), KeyEncoding.PKCS8, "PRIVATE KEY"),
        (KeySpec(ED25519), KeyEncoding.PKCS1, "PRIVATE KEY"),
        *((KeySpec(algorithm), KeyEncoding.PKCS1, "PRIVATE KEY") for algorithm in ML_DSA),
    ],
)
def test_the_label_names_the_encoding(spec: KeySpec, encoding: KeyEncoding, label: str) -> None:
    text = encode_private_key(generate(spec), encoding)

    assert text.startswith(f"-----BEGIN {label}-----\n".encode())
    assert text.endswith(f"-----END {label}-----\n".encode())


@pytest.mark.parametrize(
    ("spec", "made"),
    [
        (KeySpec(), KeySpec(RSA, 2048)),
        (KeySpec(ECDSA), KeySpec(ECDSA, 256)),
        (KeySpec(ED25519, 4096), KeySpec(ED25519, 0)),
        (KeySpec(KeyAlgorithm.ML_DSA_65, 256), KeySpec(KeyAlgorithm.ML_DSA_65)),
        (KeySpec(RSA, 8192), KeySpec(RSA, 8192)),
    ],
)
def test_sizes_have_defaults(spec: KeySpec, made: KeySpec) -> None:
    assert spec.resolved() == made


@pytest.mark.parametrize("spec", [KeySpec(RSA, 2047), KeySpec(RSA, 8193), KeySpec(ECDSA, 255), KeySpec(ECDSA, -1)])
def test_sizes_out_of_range_are_refused(spec: KeySpec) -> None:
    with pytest.raises(PkiError, match="ask for"):
        generate(spec)


def test_a_key_fits_the_spec_it_was_made_for_and_no_other(key: PrivateKey) -> None:
    assert [spec for spec in SPECS if fits(key, spec)] == [key_spec_of(key)]


def test_a_spec_without_size_is_fitted_by_the_default_size_only() -> None:
    key = generate(KeySpec(ECDSA, 384))

    assert not fits(key, KeySpec(ECDSA))
    assert fits(generate(KeySpec(ECDSA)), KeySpec(ECDSA))
    assert fits(generate(KeySpec(ED25519)), KeySpec(ED25519, 2048))


def test_two_keys_differ_in_digest() -> None:
    one, other = generate(KeySpec(ECDSA)), generate(KeySpec(ECDSA))

    assert public_key_digest(one) != public_key_digest(other)
    assert public_key_digest(one) == public_key_digest(one.public_key())


def test_an_encrypted_key_is_refused() -> None:
    key = generate(KeySpec(ECDSA))
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))

    with pytest.raises(PkiError, match=r"tls\.key is encrypted"):
        parse_private_key(text, "tls.key")


def test_a_key_whose_public_point_is_another_is_not_believed() -> None:
    data = private_key_der(generate(KeySpec(ECDSA)))
    torn = data[:-64] + private_key_der(generate(KeySpec(ECDSA)))[-64:]

    with pytest.raises(PkiError, match="cannot be decoded"):
        examine_private_key(pem.write("EC PRIVATE KEY", torn))


def test_curve_parameters_before_the_key_are_passed_over() -> None:
    key = generate(KeySpec(ECDSA))
    text = pem.write("EC PARAMETERS", bytes.fromhex("06082a8648ce3d030107")) + encode_private_key(key)

    assert same_public_key(parse_private_key(text), key)


def test_a_certificate_in_place_of_a_key_is_named() -> None:
    with pytest.raises(PkiError, match="only: CERTIFICATE"):
        parse_private_key(pem.write("CERTIFICATE", b"x"))


@pytest.mark.parametrize("other", [x25519.X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())])
def test_other_kinds_of_key_are_refused(other: x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
    data = other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    with pytest.raises(PkiError, match="must be RSA, ECDSA"):
        parse_private_key_der(data)


def test_nothing_of_a_damaged_key_is_in_the_error() -> None:
    data = private_key_der(generate(KeySpec(ECDSA)), KeyEncoding.PKCS8)

    with pytest.raises(PkiError) as caught:
        parse_private_key(pem.write("PRIVATE KEY", data[:40] + data[45:]), "tls.key")

    assert str(caught.value).startswith("tls.key cannot be decoded: it must be RSA")
    assert caught.value.__cause__ is None


def test_an_rsa_key_of_mixed_numbers_is_refused() -> None:
    one, other = generate(KeySpec(RSA)), generate(KeySpec(RSA))
    assert isinstance(one, rsa.RSAPrivateKey)
    assert isinstance(other, rsa.RSAPrivateKey)
    own, foreign = one.private_numbers(), other.private_numbers()
    torn = rsa.RSAPrivateNumbers(
        p=own.p, q=own.q, d=foreign.d, dmp1=own.dmp1, dmq1=own.dmq1, iqmp=own.iqmp, public_numbers=own.public_numbers
    )
    key = torn.private_key(unsafe_skip_rsa_key_validation=True)

    with pytest.raises(PkiError, match="do not belong together"):
        parse_private_key(encode_private_key(key))


@pytest.mark.parametrize("text", [RFC_8410, RFC_8410_WITH_PUBLIC_KEY], ids=["version 1", "version 2"])
def test_the_keys_of_rfc_8410_are_read(text: bytes) -> None:
    key = parse_private_key(text)

    assert key_spec_of(key) == KeySpec(ED25519)
    assert encode_private_key(key) == RFC_8410


def test_a_key_beyond_the_limit_is_not_read() -> None:
    text = encode_private_key(generate(KeySpec(ECDSA)))

    with pytest.raises(PkiError, match="more than the 100"):
        parse_private_key(text, limit=100)


def test_the_largest_rsa_key_is_within_the_limit() -> None:
    length_of_8192_bits = len(pem.write("RSA PRIVATE KEY", bytes(4652)))

    assert length_of_8192_bits < pem.DEFAULT_LIMITS.key


def test_a_spec_is_told_with_its_size_where_it_has_one() -> None:
    specs = (KeySpec(RSA, 4096), KeySpec(ECDSA), KeySpec(ED25519, 256), KeySpec(KeyAlgorithm.ML_DSA_87, 256))

    assert list(map(str, specs)) == ["RSA 4096", "ECDSA of the default size", "Ed25519", "ML-DSA-87"]


def test_ml_dsa_keys_are_told_by_their_public_key(key: PrivateKey) -> None:
    algorithm = key_spec_of(key).algorithm

    assert ml_dsa_algorithm(public_key_info(key)) is (algorithm if algorithm in ML_DSA else None)
    assert ml_dsa_algorithm(b"") is None
