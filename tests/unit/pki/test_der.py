from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.x509 import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from certwright.pki import der
from certwright.pki.errors import PkiError

ARCS = st.lists(st.integers(0, 2**60), max_size=6)


@given(st.integers(-(2**200), 2**200))
def test_an_integer_takes_the_fewest_octets_and_reads_back(value: int) -> None:
    content = der.read(der.integer(value), der.INTEGER).content

    assert int.from_bytes(content, "big", signed=True) == value
    assert len(content) == 1 or not (content[0] == 0 and content[1] < 0x80)


@given(st.integers(0, 1), st.integers(0, 39), ARCS)
def test_an_oid_reads_back_as_it_was_written(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, [first, second, *rest]))

    assert der.oid_text(der.read(der.oid(dotted), der.OID).content) == dotted


def test_the_second_arc_below_2_may_be_large() -> None:
    assert der.oid_text(der.oid("2.999.3")[2:]) == "2.999.3"
    assert der.oid("2.999.3").hex() == "0603883703"


@pytest.mark.parametrize(
    "text", ["", "1", "3.1", "1.40", "1.2.", "1.2.03", "1.-2", "a.b", "1.2.3 ", f"1.2.{2**63}", "1.2" + ".1" * 3 + "\n"]
)
def test_what_is_no_oid_is_refused(text: str) -> None:
    with pytest.raises(PkiError, match="not an object identifier"):
        der.oid(text)


@given(st.binary(max_size=70_000))
def test_an_element_of_any_length_reads_back(content: bytes) -> None:
    element = der.read(der.octets(content), der.OCTET_STRING)

    assert element.content == content


@given(st.binary(max_size=60))
def test_reading_anything_gives_elements_or_a_sentence(data: bytes) -> None:
    try:
        elements = der.children(data)
    except PkiError:
        return

    assert b"".join(element.raw for element in elements) == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x04", "cut short"),
        (b"\x04\x02a", "cut short"),
        (b"\x04\x81\x01a", "shortest form"),
        (b"\x04\x80a\0\0", "shortest form"),
        (b"\x04\x82\x00\x80" + b"a" * 128, "shortest form"),
        (b"\x1f\x81\x01\x00", "many octets"),
        (b"\x04\x01ab", "left over"),
    ],
)
def test_what_is_not_der_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(PkiError, match=words):
        der.read(data)


def test_a_set_is_sorted() -> None:
    assert der.set_of([der.integer(2), der.integer(1)]) == bytes.fromhex("3106020101020102")


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 24, 3, 14, 45, tzinfo=UTC), b"\x17\x0d261124031445Z"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(1950, 1, 1, tzinfo=UTC), b"\x17\x0d500101000000Z"),
    ],
)
def test_a_time_changes_its_form_in_2050(moment: datetime, text: bytes) -> None:
    encoded = der.time(moment)

    assert encoded == text
    assert der.read_time(der.read(encoded)) == moment


@pytest.mark.parametrize("text", [b"2611240314Z", b"261124031445+0100", b"261324031445Z", b"\xff" * 13])
def test_a_date_that_rfc_5280_does_not_allow_is_refused(text: bytes) -> None:
    with pytest.raises(PkiError, match="date"):
        der.read_time(der.read(der.tlv(der.UTC_TIME, text)))


def test_the_other_library_reads_our_oids() -> None:
    assert (
        ObjectIdentifier(der.oid_text(der.oid("1.3.6.1.4.1.311.20.2.3")[2:])).dotted_string == "1.3.6.1.4.1.311.20.2.3"
    )
