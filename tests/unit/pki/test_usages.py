from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from certwright.pki.errors import PkiError
from certwright.pki.usages import (
    EXTENDED_KEY_USAGES,
    USAGE_NAMES,
    Usages,
    decode_extended_key_usage,
    decode_key_usage,
    encode_extended_key_usage,
    encode_key_usage,
    usages_from,
)


def test_every_name_of_the_api_is_known() -> None:
    assert len(set(USAGE_NAMES)) == 23


@pytest.mark.parametrize("name", USAGE_NAMES)
def test_a_name_reads_back_as_itself_or_its_synonym(name: str) -> None:
    synonyms = {"signing": "digital signature", "s/mime": "email protection"}

    assert usages_from([name]).names() == (synonyms.get(name, name),)


def test_no_names_mean_the_default_ones() -> None:
    assert usages_from([]).names() == ("digital signature", "key encipherment")


def test_what_an_ml_dsa_key_cannot_do_is_not_among_its_usages() -> None:
    assert usages_from([], signs_only=True).names() == ("digital signature",)
    assert usages_from([], is_ca=True, signs_only=True).names() == ("digital signature", "cert sign")
    assert usages_from(["server auth", "crl sign"], signs_only=True).names() == ("crl sign", "server auth")


@pytest.mark.parametrize(
    "name", ["key encipherment", "data encipherment", "key agreement", "encipher only", "decipher only"]
)
def test_an_ml_dsa_key_is_not_certified_for_what_it_cannot_do(name: str) -> None:
    with pytest.raises(PkiError, match=f"signs and does nothing else: take '{name}' out"):
        usages_from(["digital signature", name], signs_only=True)


def test_a_ca_may_sign_certificates_whatever_is_asked() -> None:
    assert usages_from(["server auth"], is_ca=True) == Usages(frozenset({5}), (EXTENDED_KEY_USAGES["server auth"],))


def test_a_purpose_that_is_asked_for_twice_is_there_twice() -> None:
    found = usages_from(["s/mime", "client auth", "email protection"])

    assert found.names() == ("email protection", "client auth", "email protection")
    assert found.is_same_as(usages_from(["client auth", "s/mime"]))


def test_order_does_not_make_usages_differ() -> None:
    one, other = usages_from(["server auth", "client auth"]), usages_from(["client auth", "server auth"])

    assert one.is_same_as(other)
    assert not one.is_same_as(usages_from(["server auth"]))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(PkiError, match="'serverAuth' is not a usage"):
        usages_from(["serverAuth"])


@pytest.mark.parametrize(
    ("bits", "value"),
    [
        ((0, 2), "030205a0"),
        ((0, 2, 5), "030202a4"),
        ((5, 6), "03020106"),
        ((8,), "0303070080"),
        ((7,), "03020001"),
        ((), "030100"),
    ],
)
def test_key_usage_has_no_trailing_zero_bits(bits: tuple[int, ...], value: str) -> None:
    assert encode_key_usage(frozenset(bits)).hex() == value


@given(st.frozensets(st.integers(0, 8)))
def test_key_usage_reads_back(bits: frozenset[int]) -> None:
    assert decode_key_usage(encode_key_usage(bits)) == bits


@given(st.frozensets(st.integers(0, 8)))
def test_key_usage_is_the_other_librarys(bits: frozenset[int]) -> None:
    bits |= {4}  # it allows the last two bits beside this one only

    theirs = x509.KeyUsage(
        digital_signature=0 in bits,
        content_commitment=1 in bits,
        key_encipherment=2 in bits,
        data_encipherment=3 in bits,
        key_agreement=4 in bits,
        key_cert_sign=5 in bits,
        crl_sign=6 in bits,
        encipher_only=7 in bits,
        decipher_only=8 in bits,
    )

    assert theirs.public_bytes() == encode_key_usage(bits)


def test_extended_key_usage_keeps_its_order_and_unknown_purposes() -> None:
    purposes = ("1.3.6.1.5.5.7.3.2", "1.2.3.4", "1.3.6.1.5.5.7.3.1")

    assert decode_extended_key_usage(encode_extended_key_usage(purposes)) == purposes
    assert Usages(frozenset(), purposes).names() == ("client auth", "1.2.3.4", "server auth")
