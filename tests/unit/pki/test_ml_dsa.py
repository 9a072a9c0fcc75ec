"""ML-DSA (FIPS 204, RFC 9881): keys, requests and certificates, judged by an implementation that is not OpenSSL's."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests import judges

from certwright.pki import der, ml_dsa, pem
from certwright.pki.certificate import is_issued_by, parse_certificate_der
from certwright.pki.chain import order_chain
from certwright.pki.csr import RequestContent, build_request, is_signed_by_its_key, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.issuance import Terms, sign, sign_with_own_key, signer_from
from certwright.pki.keys import (
    ML_DSA,
    KeyAlgorithm,
    KeySpec,
    PrivateKey,
    encode_private_key,
    generate,
    key_spec_of,
    parse_private_key,
    parse_private_key_der,
    private_key_der,
)
from certwright.pki.names import Subject, encode_subject

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
EVERY = [KeySpec(algorithm) for algorithm in KeyAlgorithm if algorithm is not KeyAlgorithm.RSA]
# The key with the seed 00 01 … 1f in the form that OpenSSL writes unless told otherwise, made by Bouncy Castle.
BOTH = (Path(__file__).parent / "ml_dsa_44_both.pem").read_bytes()
SEED = bytes(range(32))


def request_of(name: str, key: PrivateKey, *, is_ca: bool = False) -> bytes:
    return build_request(RequestContent(subject=encode_subject(Subject(common_name=name)), is_ca=is_ca), key)


def root_of(key: PrivateKey) -> bytes:
    return sign_with_own_key(parse_request(request_of("root", key, is_ca=True)), key, Terms(is_ca=True), NOW)


def judge(text: bytes) -> list[str]:
    done = subprocess.run([judges.require("ml-dsa-judge")], input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("algorithm", ML_DSA)
def test_a_key_its_request_and_its_certificate_are_right(algorithm: KeyAlgorithm) -> None:
    key = generate(KeySpec(algorithm))
    parts = pem.write_certificates([root_of(key)]), request_of("web", key), encode_private_key(key)

    answer = judge(b"".join(parts))

    assert answer == [
        f"request: signed with {algorithm}",
        f"key: {algorithm}",
        f"CN=root: signed with {algorithm}",
    ]


@pytest.mark.parametrize("algorithm", ML_DSA)
@pytest.mark.parametrize("below", EVERY, ids=str)
def test_an_ml_dsa_ca_signs_every_leaf(algorithm: KeyAlgorithm, below: KeySpec) -> None:
    key, leaf_key = generate(KeySpec(algorithm)), generate(below)
    root = root_of(key)

    leaf = sign(parse_request(request_of("leaf", leaf_key)), signer_from(root, key), Terms(), NOW)

    assert is_issued_by(leaf, root)
    assert parse_certificate_der(leaf).signature_algorithm == algorithm
    assert judge(pem.write_certificates([leaf, root])) == [
        f"CN=leaf: signed with {algorithm}",
        f"CN=root: signed with {algorithm}",
    ]


def test_a_chain_of_mixed_kinds_is_put_in_order() -> None:
    keys = [generate(KeySpec(KeyAlgorithm(word))) for word in ("ECDSA", "ML-DSA-87", "Ed25519", "ML-DSA-44")]
    chain = [root_of(keys[0])]
    for number, key in enumerate(keys[1:], start=1):
        request = parse_request(request_of(f"ca {number}", key, is_ca=True))
        chain.insert(0, sign(request, signer_from(chain[0], keys[number - 1]), Terms(is_ca=True), NOW))

    found = order_chain([chain[at] for at in (2, 0, 3, 1)])

    assert found.certificates == tuple(chain[:3])
    assert found.ca == chain[3]


def test_a_signature_of_another_key_is_none() -> None:
    key = generate(KeySpec(KeyAlgorithm.ML_DSA_65))
    right = request_of("web", key)
    [block] = pem.split(right, "it")
    wrong = pem.write("CERTIFICATE REQUEST", block.der[:-1] + bytes([block.der[-1] ^ 1]))

    assert is_signed_by_its_key(parse_request(right))
    assert not is_signed_by_its_key(parse_request(wrong))
    assert not is_issued_by(root_of(key), root_of(generate(KeySpec(KeyAlgorithm.ML_DSA_65))))


def test_an_algorithm_identifier_has_no_parameters() -> None:
    request = parse_request(request_of("web", generate(KeySpec(KeyAlgorithm.ML_DSA_65))))

    assert request.algorithm == der.sequence(der.oid("2.16.840.1.101.3.4.3.18"))
    assert request.public_key_info[4:17] == request.algorithm


def test_the_default_usages_are_those_of_a_key_that_signs() -> None:
    key = generate(KeySpec(KeyAlgorithm.ML_DSA_65))
    request = parse_request(request_of("web", key))

    certificate = parse_certificate_der(sign_with_own_key(request, key, Terms(), NOW))

    assert request.signs_only
    assert request.usages.names() == certificate.usages.names() == ("digital signature",)
    assert parse_certificate_der(root_of(key)).usages.names() == ("digital signature", "cert sign")


def test_a_key_is_not_certified_for_what_it_cannot_do() -> None:
    key = generate(KeySpec(KeyAlgorithm.ML_DSA_65))

    with pytest.raises(PkiError, match="signs and does nothing else"):
        build_request(RequestContent(usages=("key agreement",)), key)
    with pytest.raises(PkiError, match="signs and does nothing else"):
        sign_with_own_key(parse_request(request_of("web", key)), key, Terms(usages=("key encipherment",)), NOW)


def test_the_form_with_seed_and_expanded_key_is_read() -> None:
    key = parse_private_key(BOTH)

    assert key_spec_of(key) == KeySpec(KeyAlgorithm.ML_DSA_44)
    assert private_key_der(key).endswith(der.octets(der.implicit(0, SEED)))


def test_forms_without_a_seed_or_with_that_of_another_key_are_refused() -> None:
    version, algorithm, content = der.children(der.read(pem.split(BOTH, "it")[0].der).content)
    seed, expanded = der.children(der.read(content.content).content)
    other = der.sequence(der.octets(bytes(32)), expanded.raw)

    for inner in (expanded.raw, expanded.content, seed.raw):
        with pytest.raises(PkiError, match=r"tls\.key is an ML-DSA key without its seed, which is not read"):
            parse_private_key_der(der.sequence(version.raw, algorithm.raw, der.octets(inner)), "tls.key")
    with pytest.raises(PkiError, match="do not belong together"):
        parse_private_key_der(der.sequence(version.raw, algorithm.raw, der.octets(other)))


@pytest.mark.parametrize("data", [b"", b"x", der.sequence(), der.sequence(der.integer(0), der.NULL_VALUE, b"\x04\x00")])
def test_what_is_no_ml_dsa_key_is_left_to_others(data: bytes) -> None:
    assert ml_dsa.parse_seeded(data, "it") is None
