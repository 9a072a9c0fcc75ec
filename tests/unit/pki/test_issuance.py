from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.pki import extensions
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.certificate import key_identifier, parse_certificate_der
from certwright.pki.csr import Request, RequestContent, build_request, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.extensions import NameConstraints, Subtrees
from certwright.pki.issuance import Terms, sign, sign_with_own_key, signer_from
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate
from certwright.pki.names import Subject, encode_subject

NOW = datetime(2026, 11, 24, 3, 20, 5, 999, tzinfo=UTC)
ROOT_KEY = generate(KeySpec(KeyAlgorithm.ECDSA))
LEAF_KEY = generate(KeySpec(KeyAlgorithm.ECDSA, 384))
NAMES = AlternativeNames(dns_names=("a.example.test",))


def request_for(content: RequestContent, key: KeyAlgorithm | None = None) -> Request:
    return parse_request(build_request(content, generate(KeySpec(key)) if key else LEAF_KEY))


def root() -> bytes:
    content = RequestContent(subject=encode_subject(Subject(common_name="root")), is_ca=True)
    return sign_with_own_key(parse_request(build_request(content, ROOT_KEY)), ROOT_KEY, Terms(is_ca=True), NOW)


ROOT = root()
SIGNER = signer_from(ROOT, ROOT_KEY)


def test_a_leaf_verifies_under_its_ca_and_runs_from_the_whole_second() -> None:
    request = request_for(RequestContent(names=NAMES))

    leaf = sign(request, SIGNER, Terms(usages=("digital signature", "server auth"), lifetime=timedelta(hours=2)), NOW)

    theirs = x509.load_der_x509_certificate(leaf)
    store = Store([x509.load_der_x509_certificate(ROOT)])
    verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(x509.DNSName("a.example.test"))
    assert len(verifier.verify(theirs, [])) == 2
    assert theirs.not_valid_before_utc == NOW.replace(microsecond=0)
    assert theirs.not_valid_after_utc == NOW.replace(microsecond=0) + timedelta(hours=2)
    assert (
        parse_certificate_der(leaf).signature_algorithm == "ECDSAWithSHA256"
    )  # the CA's key decides, not the P-384 leaf


def test_a_time_in_another_zone_is_the_same_time() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))

    leaf = parse_certificate_der(sign(request_for(RequestContent(names=NAMES)), SIGNER, Terms(), elsewhere))

    assert leaf.not_before == NOW.replace(microsecond=0)


def test_extensions_stand_in_the_fixed_order() -> None:
    constraints = NameConstraints(critical=True, excluded=Subtrees(dns_domains=("x",)))
    terms = Terms(
        usages=("digital signature", "server auth"),
        is_ca=True,
        ocsp_servers=("http://o.test",),
        issuing_certificate_urls=("http://c.test",),
        crl_distribution_points=("http://l.test",),
    )

    issued = sign(request_for(RequestContent(names=NAMES, name_constraints=constraints)), SIGNER, terms, NOW)

    found = [(one.oid.dotted_string, one.critical) for one in x509.load_der_x509_certificate(issued).extensions]
    assert found == [
        (extensions.KEY_USAGE, True),
        (extensions.EXTENDED_KEY_USAGE, False),
        (extensions.BASIC_CONSTRAINTS, True),
        (extensions.SUBJECT_KEY_ID, False),
        (extensions.AUTHORITY_KEY_ID, False),
        (extensions.AUTHORITY_ACCESS, False),
        (extensions.NAME_CONSTRAINTS, True),
        (extensions.CRL_POINTS, False),
        (extensions.ALTERNATIVE_NAMES, True),
    ]


def test_usages_come_from_the_terms_not_from_the_request() -> None:
    request = request_for(RequestContent(names=NAMES, usages=("client auth",)))

    leaf = parse_certificate_der(sign(request, SIGNER, Terms(usages=("server auth",)), NOW))

    assert leaf.usages.names() == ("server auth",)


def test_a_leaf_has_no_subject_key_identifier_and_names_its_issuers() -> None:
    leaf = parse_certificate_der(sign(request_for(RequestContent(names=NAMES)), SIGNER, Terms(), NOW))

    assert leaf.subject_key_id == b""
    assert leaf.authority_key_id == SIGNER.key_id
    assert leaf.issuer == SIGNER.name


def test_a_self_signed_ca_has_a_subject_key_identifier_and_no_authoritys() -> None:
    certificate = parse_certificate_der(ROOT)
    info = parse_request(build_request(RequestContent(), ROOT_KEY)).public_key_info

    assert certificate.subject_key_id == key_identifier(info) == SIGNER.key_id
    assert len(SIGNER.key_id) == 20
    assert certificate.authority_key_id == b""
    assert certificate.subject == certificate.issuer
    assert certificate.usages.names() == ("digital signature", "key encipherment", "cert sign")


def test_a_leaf_says_that_it_is_no_ca_even_if_it_asked_to_be() -> None:
    request = request_for(RequestContent(names=NAMES, is_ca=True, encode_basic_constraints=True))

    leaf = x509.load_der_x509_certificate(sign(request, SIGNER, Terms(), NOW))

    extension = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert extension.critical
    assert not extension.value.ca


@given(st.binary(min_size=20, max_size=20))
@settings(max_examples=30)
def test_a_serial_is_positive_and_has_at_most_20_octets(octets: bytes) -> None:
    leaf = parse_certificate_der(sign(request_for(RequestContent(names=NAMES)), SIGNER, Terms(), NOW, lambda _: octets))

    assert 0 < leaf.serial < 1 << 159


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_every_kind_of_key_signs_itself(algorithm: KeyAlgorithm) -> None:
    key = generate(KeySpec(algorithm))
    request = parse_request(build_request(RequestContent(names=NAMES), key))

    certificate = x509.load_der_x509_certificate(sign_with_own_key(request, key, Terms(), NOW))

    certificate.verify_directly_issued_by(certificate)


def test_a_request_for_another_key_is_not_self_signed() -> None:
    with pytest.raises(PkiError, match="not the one that the request is for"):
        sign_with_own_key(request_for(RequestContent(names=NAMES)), ROOT_KEY, Terms(), NOW)
