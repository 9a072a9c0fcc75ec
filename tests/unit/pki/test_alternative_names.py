from __future__ import annotations

from ipaddress import ip_address

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.pki import der
from certwright.pki.alternative_names import (
    AlternativeNames,
    OtherName,
    decode_alternative_names,
    encode_alternative_names,
    pack_ip,
)
from certwright.pki.errors import PkiError

ASCII = st.text(st.characters(codec="ascii"), min_size=1, max_size=20)
LISTS = st.lists(ASCII, max_size=3).map(tuple)
OTHERS = st.lists(st.builds(OtherName, st.just("1.3.6.1.4.1.311.20.2.3"), st.text(max_size=10)), max_size=2).map(tuple)
NAMES = st.builds(
    AlternativeNames,
    dns_names=LISTS,
    email_addresses=LISTS,
    ip_addresses=st.lists(st.ip_addresses(v=4).map(str), max_size=2).map(tuple),
    uris=LISTS,
    other_names=OTHERS,
)


@given(NAMES)
@settings(max_examples=60)
def test_names_read_back_in_order(names: AlternativeNames) -> None:
    assert decode_alternative_names(encode_alternative_names(names)) == names


def test_the_other_library_reads_the_same_names_in_the_same_order() -> None:
    value = encode_alternative_names(
        AlternativeNames(
            other_names=(OtherName("1.3.6.1.4.1.311.20.2.3", "upn@example.test"),),
            uris=("spiffe://example.test/x",),
            ip_addresses=("10.1.2.3", "2001:db8::1"),
            email_addresses=("ops@example.test",),
            dns_names=("b.example.test", "*.example.test"),
        )
    )

    theirs = x509.SubjectAlternativeName(
        [
            x509.DNSName("b.example.test"),
            x509.DNSName("*.example.test"),
            x509.RFC822Name("ops@example.test"),
            x509.IPAddress(ip_address("10.1.2.3")),
            x509.IPAddress(ip_address("2001:db8::1")),
            x509.UniformResourceIdentifier("spiffe://example.test/x"),
            x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), der.utf8("upn@example.test")),
        ]
    )
    assert value == theirs.public_bytes()


@given(st.ip_addresses())
def test_an_address_reads_back_in_its_shortest_text(address: object) -> None:
    names = AlternativeNames(ip_addresses=(str(address),))

    found = decode_alternative_names(encode_alternative_names(names))

    assert found.is_same_as(names)


def test_an_ipv4_address_in_ipv6_form_is_the_ipv4_address() -> None:
    assert pack_ip("::ffff:10.0.0.1") == bytes([10, 0, 0, 1])


@pytest.mark.parametrize("text", ["10.0.0", "010.0.0.1", "fe80::1%eth0", "x", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(PkiError, match="IP address"):
        pack_ip(text)


def test_names_compare_without_order_but_with_count() -> None:
    one = AlternativeNames(dns_names=("a", "b"), ip_addresses=("2001:db8::1",))

    assert one.is_same_as(AlternativeNames(dns_names=("b", "a"), ip_addresses=("2001:DB8:0::1",)))
    assert not one.is_same_as(AlternativeNames(dns_names=("a", "b", "b"), ip_addresses=("2001:db8::1",)))
    assert not one.is_same_as(AlternativeNames(dns_names=("a", "b")))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (AlternativeNames(dns_names=("bücher.example",)), "DNS name 'bücher.example' must be ASCII"),
        (AlternativeNames(email_addresses=("",)), "email address '' must be ASCII and not empty"),
        (AlternativeNames(other_names=(OtherName("x", "y"),)), "not an object identifier"),
    ],
)
def test_names_that_cannot_be_encoded_are_named(names: AlternativeNames, words: str) -> None:
    with pytest.raises(PkiError, match=words):
        encode_alternative_names(names)


def test_kinds_that_the_api_does_not_have_are_left_out() -> None:
    directory = der.explicit(4, der.sequence())
    registered = der.implicit(8, b"\x2a\x03")
    not_text = der.explicit(0, der.oid("1.2.3") + der.explicit(0, der.integer(1)))

    names = decode_alternative_names(der.sequence(directory, registered, not_text, der.implicit(2, b"a")))

    assert names == AlternativeNames(dns_names=("a",))


def test_no_names_are_false() -> None:
    assert not AlternativeNames()
    assert AlternativeNames(uris=("a",))
