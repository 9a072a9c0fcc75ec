from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from certwright.pki.authority import SET_BACK, Authority, KeyPair, issue_client, issue_server, new_authority
from certwright.pki.errors import PkiError
from certwright.pki.keys import parse_private_key, same_public_key

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority("test root", NOW)


def leaf_of(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.cert_pem)


def test_a_server_certificate_verifies_for_its_names_and_addresses(authority: Authority) -> None:
    pair = issue_server(authority, ["localhost", "api.test"], [ip_address("127.0.0.1")], NOW)

    store = Store([leaf_of(authority)])
    for name in (x509.DNSName("api.test"), x509.IPAddress(ip_address("127.0.0.1"))):
        verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(name)
        assert verifier.verify(leaf_of(pair), []) == [leaf_of(pair), leaf_of(authority)]


def test_the_key_belongs_to_the_certificate(authority: Authority) -> None:
    pair = issue_server(authority, ["localhost"], [], NOW)

    public = leaf_of(pair).public_key()

    assert same_public_key(parse_private_key(pair.key_pem), parse_private_key(pair.key_pem).public_key())
    assert public == parse_private_key(pair.key_pem).public_key()


def test_a_client_certificate_carries_user_and_groups(authority: Authority) -> None:
    pair = issue_client(authority, "alice", ["system:masters", "devs"], NOW, timedelta(days=2))

    leaf = leaf_of(pair)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    groups = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [part.value for part in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["alice"]
    assert [part.value for part in groups] == ["system:masters", "devs"]
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert leaf.not_valid_before_utc == NOW - SET_BACK
    assert leaf.not_valid_after_utc == NOW + timedelta(days=2)


def test_python_tls_takes_the_authority_as_trust_anchor(authority: Authority) -> None:
    context = ssl.create_default_context(cadata=authority.cert_pem.decode())

    assert context.get_ca_certs()[0]["subject"] == ((("commonName", "test root"),),)


def test_a_server_certificate_without_names_is_refused(authority: Authority) -> None:
    with pytest.raises(PkiError, match="at least one DNS name"):
        issue_server(authority, [], [], NOW)


def test_the_key_is_in_no_repr(authority: Authority) -> None:
    assert "PRIVATE" not in repr(authority)
    assert "PRIVATE" not in repr(issue_client(authority, "bob", [], NOW))
