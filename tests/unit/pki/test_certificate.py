from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.authority import SET_BACK, issue_client, issue_server, new_authority
from certwright.pki.certificate import (
    is_issued_by,
    parse_certificate,
    parse_certificate_der,
    public_key_of,
)
from certwright.pki.errors import PkiError
from certwright.pki.keys import parse_private_key, public_key_digest, same_public_key

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
AUTHORITY = new_authority("test root", NOW)
SERVER = issue_server(AUTHORITY, ["a.example.test", "b.example.test"], [], NOW, timedelta(days=2))
ROOT_DER = pem.split_certificates(AUTHORITY.cert_pem, "root")[0]
LEAF_DER = pem.split_certificates(SERVER.cert_pem, "leaf")[0]


def test_the_facts_are_the_other_librarys() -> None:
    theirs = x509.load_pem_x509_certificate(SERVER.cert_pem)

    facts = parse_certificate(SERVER.cert_pem)

    assert facts.serial == theirs.serial_number
    assert (facts.not_before, facts.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert facts.not_before == NOW - SET_BACK
    assert facts.fingerprint == theirs.fingerprint(hashes.SHA256())
    assert facts.issuer_text == theirs.issuer.rfc4514_string() == "CN=test root"
    assert facts.subject_text == theirs.subject.rfc4514_string() == "CN=a.example.test"
    assert facts.subject_parts.common_name == "a.example.test"
    assert facts.names == AlternativeNames(dns_names=("a.example.test", "b.example.test"))
    assert facts.usages.names() == ("digital signature", "server auth")
    assert not facts.is_ca
    assert facts.authority_key_id == parse_certificate(AUTHORITY.cert_pem).subject_key_id != b""
    assert facts.signature_algorithm == "ECDSAWithSHA256"


def test_the_digest_of_the_public_key_is_that_of_the_private_key() -> None:
    key = parse_private_key(SERVER.key_pem)

    assert parse_certificate(SERVER.cert_pem).public_key_digest == public_key_digest(key)
    assert same_public_key(public_key_of(LEAF_DER), key)


def test_a_certificate_without_extensions_has_empty_facts() -> None:
    client = parse_certificate(issue_client(AUTHORITY, "alice", [], NOW).cert_pem)

    assert client.names == AlternativeNames()
    assert client.subject_key_id == b""


def test_the_first_certificate_of_a_chain_is_read() -> None:
    assert parse_certificate(SERVER.cert_pem + AUTHORITY.cert_pem).subject_text == "CN=a.example.test"


def test_issued_by_asks_for_name_and_signature() -> None:
    namesake = pem.split_certificates(new_authority("test root", NOW).cert_pem, "it")[0]

    assert is_issued_by(LEAF_DER, ROOT_DER)
    assert is_issued_by(ROOT_DER, ROOT_DER)
    assert not is_issued_by(LEAF_DER, namesake)
    assert not is_issued_by(ROOT_DER, LEAF_DER)


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x00", LEAF_DER[:-1], LEAF_DER + b"x", ROOT_DER.replace(b"\x17\x0d", b"\x18\x0d")]
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(PkiError, match=r"^ca\.crt cannot be decoded: "):
        parse_certificate_der(data, "ca.crt")


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_damaged_certificate_gives_facts_or_a_sentence(at: int, octet: int) -> None:
    data = bytearray(LEAF_DER)
    data[at % len(data)] = octet

    with contextlib.suppress(PkiError):
        facts = parse_certificate_der(bytes(data))
        assert isinstance(facts.issuer_text, str)
        assert is_issued_by(bytes(data), ROOT_DER) == (bytes(data) == LEAF_DER)
