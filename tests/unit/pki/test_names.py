from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.pki import der
from certwright.pki.errors import PkiError
from certwright.pki.names import (
    ATTRIBUTES,
    EMPTY_NAME,
    Subject,
    directory_string,
    encode_subject,
    name_from_text,
    name_to_text,
    subject_of,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
VALUES = st.lists(TEXT, max_size=3).map(tuple)


def rdns(name: bytes) -> list[list[tuple[str, bytes]]]:
    """Attribute OIDs and encoded values, as they stand."""
    return [
        [(der.oid_text(der.children(part.content)[0].content), der.children(part.content)[1].raw) for part in parts]
        for parts in (der.children(rdn.content) for rdn in der.children(der.read(name).content))
    ]


def test_the_subject_has_one_rdn_a_kind_in_a_fixed_order() -> None:
    subject = Subject(
        serial_number="77",
        common_name="every.example.test",
        organizational_units=("OU",),
        organizations=("Org, Inc", "Second"),
        postal_codes=("12345",),
        street_addresses=("Street 1",),
        localities=("City",),
        provinces=("Prov",),
        countries=("DE",),
    )

    text = name_to_text(encode_subject(subject))

    assert text == (
        r"SERIALNUMBER=77,CN=every.example.test,OU=OU,O=Second+O=Org\, Inc,POSTALCODE=12345,"
        "STREET=Street 1,L=City,ST=Prov,C=DE"
    )


def test_no_subject_is_an_empty_sequence() -> None:
    assert encode_subject(Subject()) == EMPTY_NAME == b"\x30\x00"
    assert subject_of(EMPTY_NAME) == Subject()
    assert name_to_text(EMPTY_NAME) == ""


@given(
    st.builds(Subject, countries=VALUES, organizations=VALUES, localities=VALUES, common_name=TEXT, serial_number=TEXT)
)
@settings(max_examples=60)
def test_the_parts_of_a_subject_read_back(subject: Subject) -> None:
    found = subject_of(encode_subject(subject))

    assert found.common_name == subject.common_name
    assert found.serial_number == subject.serial_number
    assert sorted(found.organizations) == sorted(subject.organizations)
    assert sorted(found.countries) == sorted(subject.countries)


@pytest.mark.parametrize(
    ("text", "tag"),
    [("Az09 '()+,-./:=?", 0x13), ("", 0x13), ("a*", 0x0C), ("a&b", 0x0C), ("a@b", 0x0C), ("ä", 0x0C), ("a_b", 0x0C)],
)
def test_a_string_is_printable_where_its_characters_allow(text: str, tag: int) -> None:
    element = der.read(directory_string(text))

    assert element.tag == tag
    assert element.content.decode() == text


def test_the_last_rdn_of_the_text_is_the_first_in_der() -> None:
    name = name_from_text("CN=lit.example.test,OU=Alpha+ST=Beta,O=Gamma,DC=example,DC=test")

    assert [[kind for kind, _ in rdn] for rdn in rdns(name)] == [
        [ATTRIBUTES["DC"]],
        [ATTRIBUTES["DC"]],
        [ATTRIBUTES["O"]],
        [ATTRIBUTES["ST"], ATTRIBUTES["OU"]],
        [ATTRIBUTES["CN"]],
    ]
    assert rdns(name)[0][0][1] == directory_string("test")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("CN=a", "a"),
        ("CN = a b ", "a b"),
        (r"CN=a\ ", "a "),
        (r"CN=\ a\\\ ", " a\\ "),
        (r"CN=\#a\,b\+c\;d\"e", '#a,b+c;d"e'),
        (r"CN=\C3\A4", "ä"),
        ("CN=ä=b", "ä=b"),
        ("CN=", ""),
        ("2.5.4.3=a", "a"),
        ("CN=#0C0161", "a"),
    ],
)
def test_escapes_and_forms_of_a_value(text: str, value: str) -> None:
    assert subject_of(name_from_text(text)).common_name == value


def test_any_attribute_can_be_named_by_its_oid() -> None:
    jurisdiction = "1.3.6.1.4.1.311.60.2.1.3"

    assert rdns(name_from_text(f"{jurisdiction}=US,CN=a"))[1] == [(jurisdiction, directory_string("US"))]


def test_a_semicolon_parts_rdns_too() -> None:
    assert name_from_text("CN=a;OU=b,O=c") == name_from_text("CN=a,OU=b,O=c")


def test_a_hex_value_is_taken_as_the_der_it_is() -> None:
    assert rdns(name_from_text("CN=#160161")) == [[(ATTRIBUTES["CN"], b"\x16\x01a")]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("CN", "cannot be read"),
        ("CN=a,", "cannot be read"),
        ("CN=a;", "cannot be read at"),
        ("CN=#zz", "cannot be read"),
        ("CN=a\\", "cannot be read"),
        ("CN=#0C02", "cannot be read|cut short"),
        ("FOO=a", "'FOO' that is not known"),
        ("cn=a", "'cn' that is not known: use one of CN, .* or a dotted OID"),
        ("POSTALCODE=a", "'POSTALCODE' that is not known"),
        ("9.9.9=a", "not an object identifier"),
        (r"CN=\FF", "do not form UTF-8"),
        ("CN=" + "a" * 20_000, "20003 characters"),
    ],
)
def test_a_text_that_is_no_name_is_refused(text: str, words: str) -> None:
    with pytest.raises(PkiError, match=words):
        name_from_text(text)


@given(st.lists(st.tuples(st.sampled_from(sorted(ATTRIBUTES)), TEXT), min_size=1, max_size=4))
@settings(max_examples=100)
def test_text_and_der_are_each_others_inverse(parts: list[tuple[str, str]]) -> None:
    name = der.sequence(
        *(der.set_of([der.sequence(der.oid(ATTRIBUTES[kind]), directory_string(value))]) for kind, value in parts)
    )

    assert name_from_text(name_to_text(name)) == name


@given(st.text(max_size=40))
def test_any_text_gives_a_name_or_a_sentence(text: str) -> None:
    try:
        name = name_from_text(text)
    except PkiError:
        return

    assert name_from_text(name_to_text(name)) == name


@given(st.lists(TEXT.filter(lambda text: not re.search(r"[\0]", text)), min_size=1, max_size=3))
@settings(max_examples=50)
def test_the_other_library_writes_the_same_text(values: list[str]) -> None:
    name = encode_subject(Subject(organizations=(values[0],), common_name=values[-1][:64]))

    theirs = x509.Name.from_rfc4514_string(name_to_text(name))

    assert theirs.rfc4514_string() == name_to_text(name)


def test_an_unknown_attribute_is_written_by_its_oid() -> None:
    name = der.sequence(der.set_of([der.sequence(der.oid("1.2.3.4"), der.utf8("a"))]))

    assert name_to_text(name) == "1.2.3.4=#0c0161"


@pytest.mark.parametrize("text", ["www.example.com", "", "é", "x" * 114, "x" * 115, "x" * 200])
def test_a_common_name_alone_is_read_like_any_other(text: str) -> None:
    assert subject_of(encode_subject(Subject(common_name=text))) == Subject(common_name=text)


def test_whatever_octet_of_a_name_is_another_both_ways_of_reading_agree() -> None:
    name = encode_subject(Subject(common_name="a.example"))
    others = [name[:at] + bytes((octet,)) + name[at + 1 :] for at in range(len(name)) for octet in range(256)]

    for other in (*others, *(name[:size] for size in range(len(name))), name + b"\0"):
        common_name, text = read_or_not(lambda of: subject_of(of).common_name, other), read_or_not(name_to_text, other)
        assert common_name == "" or text == (common_name if common_name is None else "CN=" + escaped(common_name))
        assert (common_name is None) == (text is None)


def escaped(value: str) -> str:
    """As `name_to_text` writes it."""
    return name_to_text(name_from_text("CN=#" + der.utf8(value).hex())).removeprefix("CN=")


def read_or_not(read: Callable[[bytes], str], name: bytes) -> str | None:
    """What is read; None where it cannot be."""
    try:
        return read(name)
    except PkiError:
        return None


def test_of_several_common_names_the_last_counts() -> None:
    assert subject_of(name_from_text("CN=b,CN=a")).common_name == "b"
