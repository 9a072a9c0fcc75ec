from __future__ import annotations

from ipaddress import ip_network

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from certwright.pki import der, extensions
from certwright.pki.errors import PkiError
from certwright.pki.extensions import BasicConstraints, Extension, NameConstraints, Subtrees


def test_name_constraints_are_the_other_librarys() -> None:
    ours = NameConstraints(
        permitted=Subtrees(
            dns_domains=("example.test",),
            ip_ranges=("10.0.0.0/8", "2001:db8::/32"),
            email_addresses=("example.test",),
            uri_domains=("example.test",),
        ),
        excluded=Subtrees(dns_domains=(".bad.example.test",)),
    )

    theirs = x509.NameConstraints(
        permitted_subtrees=[
            x509.DNSName("example.test"),
            x509.IPAddress(ip_network("10.0.0.0/8")),
            x509.IPAddress(ip_network("2001:db8::/32")),
            x509.RFC822Name("example.test"),
            x509.UniformResourceIdentifier("example.test"),
        ],
        excluded_subtrees=[x509.DNSName(".bad.example.test")],
    )
    assert extensions.encode_name_constraints(ours) == theirs.public_bytes()


def test_an_ip_range_with_host_bits_is_its_network() -> None:
    one = Subtrees(ip_ranges=("10.1.2.3/8",)).encode()

    assert one == Subtrees(ip_ranges=("10.0.0.0/8",)).encode()


def test_a_wrong_ip_range_is_refused() -> None:
    with pytest.raises(PkiError, match=r"'10\.0\.0\.0/40' is not an IP range"):
        Subtrees(ip_ranges=("10.0.0.0/40",)).encode()


@given(st.booleans(), st.none() | st.integers(0, 300))
def test_basic_constraints_read_back_and_are_the_other_librarys(is_ca: bool, path_length: int | None) -> None:
    constraints = BasicConstraints(is_ca, path_length if is_ca else None)

    value = extensions.encode_basic_constraints(constraints)

    assert extensions.decode_basic_constraints(value) == constraints
    assert value == x509.BasicConstraints(constraints.is_ca, constraints.path_length).public_bytes()


def test_pointers_to_the_issuer_are_the_other_librarys() -> None:
    access = extensions.encode_authority_access(["http://o.test"], ["http://c.test/ca.crt"])
    points = extensions.encode_crl_points(["http://a.test/1", "http://a.test/2"])

    described = [
        x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP, uri("http://o.test")),
        x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, uri("http://c.test/ca.crt")),
    ]
    listed = [x509.DistributionPoint([uri(f"http://a.test/{number}")], None, None, None) for number in (1, 2)]
    assert access == x509.AuthorityInformationAccess(described).public_bytes()
    assert points == x509.CRLDistributionPoints(listed).public_bytes()


def uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def test_the_authority_key_identifier_reads_back() -> None:
    value = extensions.encode_authority_key_id(b"12345")

    assert extensions.decode_authority_key_id(value) == b"12345"
    assert extensions.decode_authority_key_id(der.sequence(der.implicit(2, b"\x01"))) == b""


@given(st.lists(st.tuples(st.integers(1, 99), st.booleans(), st.binary(max_size=5)), unique_by=lambda one: one[0]))
def test_extensions_read_back_in_order(parts: list[tuple[int, bool, bytes]]) -> None:
    found = [Extension(f"2.5.29.{number}", critical, value) for number, critical, value in parts]

    assert list(extensions.decode_extensions(extensions.encode_extensions(found)).values()) == found


def test_an_extension_that_stands_twice_is_refused() -> None:
    one = Extension("2.5.29.17", critical=False, value=b"")

    with pytest.raises(PkiError, match=r"2\.5\.29\.17 stands twice"):
        extensions.decode_extensions(extensions.encode_extensions([one, one]))
