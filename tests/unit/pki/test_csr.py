from __future__ import annotations

import contextlib

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.pki import der, extensions, pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request, is_signed_by_its_key, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.extensions import BasicConstraints, NameConstraints, Subtrees
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate, public_key_info
from certwright.pki.names import EMPTY_NAME, Subject, encode_subject
from certwright.pki.signing import SignatureAlgorithm
from certwright.pki.usages import USAGE_NAMES, usages_from

KEY = generate(KeySpec(KeyAlgorithm.ECDSA))
NAMES = AlternativeNames(dns_names=("a.example.test",))
SUBJECT = encode_subject(Subject(common_name="a.example.test"))
CONSTRAINTS = NameConstraints(critical=True, permitted=Subtrees(dns_domains=("example.test",)))

CONTENTS = st.builds(
    RequestContent,
    subject=st.sampled_from([EMPTY_NAME, SUBJECT]),
    names=st.sampled_from([AlternativeNames(), NAMES]),
    usages=st.lists(st.sampled_from(USAGE_NAMES), max_size=4).map(tuple),
    is_ca=st.booleans(),
    encode_usages=st.booleans(),
    encode_basic_constraints=st.booleans(),
    name_constraints=st.none() | st.just(CONSTRAINTS),
)


@given(CONTENTS)
@settings(max_examples=60)
def test_a_request_reads_back_as_what_was_asked(content: RequestContent) -> None:
    request = parse_request(build_request(content, KEY))

    asked = usages_from(content.usages, is_ca=content.is_ca)
    assert is_signed_by_its_key(request)
    assert request.subject == content.subject
    assert request.names == content.names
    assert request.encodes_usages == content.encode_usages
    assert not content.encode_usages or request.usages == asked
    assert request.public_key_info == public_key_info(KEY)
    wanted = BasicConstraints(content.is_ca) if content.encode_basic_constraints else None
    assert request.basic_constraints == wanted


@given(CONTENTS.filter(lambda content: not {"encipher only", "decipher only"} & set(content.usages)))
@settings(max_examples=30)
def test_the_other_library_takes_our_requests(content: RequestContent) -> None:
    theirs = x509.load_pem_x509_csr(build_request(content, KEY))

    assert theirs.is_signature_valid
    assert theirs.subject.public_bytes() == content.subject
    assert len(list(theirs.extensions)) == len(parse_request(build_request(content, KEY)).extensions)


def test_extensions_stand_in_the_fixed_order() -> None:
    content = RequestContent(
        subject=SUBJECT,
        names=NAMES,
        usages=("server auth", "digital signature"),
        is_ca=True,
        encode_basic_constraints=True,
        name_constraints=CONSTRAINTS,
    )

    found = parse_request(build_request(content, KEY)).extensions

    assert [(one.oid, one.critical) for one in found.values()] == [
        (extensions.ALTERNATIVE_NAMES, False),
        (extensions.KEY_USAGE, True),
        (extensions.EXTENDED_KEY_USAGE, False),
        (extensions.BASIC_CONSTRAINTS, True),
        (extensions.NAME_CONSTRAINTS, True),
    ]


def test_names_are_critical_where_there_is_no_subject() -> None:
    request = parse_request(build_request(RequestContent(names=NAMES), KEY))

    assert request.extensions[extensions.ALTERNATIVE_NAMES].critical


@pytest.mark.parametrize("sides", [{}, {"permitted": Subtrees()}, {"permitted": Subtrees(), "excluded": Subtrees()}])
def test_name_constraints_that_constrain_nothing_are_left_out(sides: dict[str, Subtrees]) -> None:
    content = RequestContent(is_ca=True, name_constraints=NameConstraints(critical=True, **sides))

    request = parse_request(build_request(content, KEY))

    assert extensions.NAME_CONSTRAINTS not in request.extensions


def test_without_key_usage_bits_there_is_no_key_usage() -> None:
    request = parse_request(build_request(RequestContent(names=NAMES, usages=("server auth",)), KEY))

    assert extensions.KEY_USAGE not in request.extensions
    assert request.usages.names() == ("server auth",)


def test_a_request_for_nothing_has_an_empty_set_of_attributes() -> None:
    text = build_request(RequestContent(subject=SUBJECT, encode_usages=False), KEY)

    body = der.children(der.read(pem.split(text, "it")[0].der).content)[0]

    assert der.children(body.content)[-1].raw == b"\xa0\x00"
    assert parse_request(text).extensions == {}


def test_the_signature_algorithm_can_be_chosen() -> None:
    content = RequestContent(names=NAMES, signature_algorithm=SignatureAlgorithm.ECDSA_SHA384)

    assert parse_request(build_request(content, KEY)).signature_algorithm == "ECDSAWithSHA384"


def test_a_signature_algorithm_that_does_not_fit_the_key_is_refused() -> None:
    content = RequestContent(names=NAMES, signature_algorithm=SignatureAlgorithm.SHA256_RSA)

    with pytest.raises(PkiError, match="ECDSA key cannot sign with SHA256WithRSA"):
        build_request(content, KEY)


def test_a_request_that_was_changed_is_not_signed_by_its_key() -> None:
    data = pem.split(build_request(RequestContent(names=NAMES), KEY), "it")[0].der
    changed = data.replace(b"a.example.test", b"b.example.test")

    request = parse_request(pem.write("NEW CERTIFICATE REQUEST", changed))

    assert request.names.dns_names == ("b.example.test",)
    assert not is_signed_by_its_key(request)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (pem.write("CERTIFICATE", b"x"), "PEM block CERTIFICATE where"),
        (pem.write("CERTIFICATE REQUEST", b"\x30\x01"), "cut short"),
        (pem.write("CERTIFICATE REQUEST", b"\x30\x00"), "not a body"),
        (pem.write("CERTIFICATE REQUEST", der.sequence(der.sequence(), der.sequence(), der.bits(b""))), "version"),
        (b"x" * 36_501, "36501 bytes"),
    ],
)
def test_what_is_no_request_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(PkiError, match=f"spec.request .*{words}"):
        parse_request(text, "spec.request")


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_request_gives_facts_or_a_sentence(at: int, octet: int) -> None:
    whole = pem.split(build_request(RequestContent(subject=SUBJECT, names=NAMES), KEY), "it")[0].der
    data = bytearray(whole)
    data[at % len(data)] = octet

    with contextlib.suppress(PkiError):
        request = parse_request(pem.write("CERTIFICATE REQUEST", bytes(data)))
        assert is_signed_by_its_key(request) == (bytes(data) == whole)
