from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.kube.wire.selectors import (
    FieldRequirement,
    FieldSelector,
    LabelSelector,
    Operator,
    Requirement,
)

LABELS = {"app": "shop", "tier": "", "example.org/rank": "12"}


@pytest.mark.parametrize(
    ("text", "is_match"),
    [
        ("", True),
        ("  ", True),
        ("app", True),
        ("!app", False),
        ("! app", False),
        ("db", False),
        ("!db", True),
        ("app=shop", True),
        ("app==shop", True),
        ("app = shop", True),
        ("app!=shop", False),
        ("app!=other", True),
        ("db!=x", True),
        ("db=", False),
        ("tier=", True),
        ("tier=,app=shop", True),
        ("app in (shop,bank)", True),
        ("app in (bank, shop)", True),
        ("app in (bank)", False),
        ("app in(shop)", True),
        ("app notin (shop)", False),
        ("db notin (x)", True),
        ("tier in ()", True),
        ("tier in (,x)", True),
        ("example.org/rank>11", True),
        ("example.org/rank > 12", False),
        ("example.org/rank<13", True),
        ("db<13", False),
        ("app<13", False),
        ("app=shop,tier,!db", True),
        ("app=shop,tier,db", False),
    ],
)
def test_label_selector(text: str, is_match: bool) -> None:
    selector = LabelSelector.parse(text)

    assert selector.matches(LABELS) is is_match
    assert LabelSelector.parse(str(selector)) == selector


@pytest.mark.parametrize(
    "text",
    [
        ",",
        "a,",
        "a,,b",
        "=b",
        "a=b c",
        "a b",
        "a in b",
        "a in (b",
        "a in (b,c",
        "a=(b)",
        "a===b",
        "a!b",
        "!",
        "!a=b",
        "a>x",
        "a>",
        "-a",
        "a=b_",
        "A.Upper/x=1",
        "/x",
        "a/b/c",
        "a=" + "x" * 64,
        "x" * 64,
        "d" * 254 + "/a",
    ],
)
def test_a_malformed_label_selector_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        LabelSelector.parse(text)


words = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,10}[a-z0-9])?", fullmatch=True)
requirements = st.one_of(
    st.builds(Requirement, words, st.sampled_from([Operator.EXISTS, Operator.DOES_NOT_EXIST])),
    st.builds(
        Requirement,
        words,
        st.sampled_from([Operator.IN, Operator.NOT_IN]),
        st.sets(words, min_size=1, max_size=3).map(lambda values: tuple(sorted(values))),
    ),
    st.builds(
        Requirement,
        words,
        st.sampled_from([Operator.GREATER, Operator.LESS]),
        st.integers(-99, 99).map(lambda number: (str(number),)),
    ),
)


@settings(max_examples=100)
@given(st.lists(requirements, max_size=4).map(lambda each: LabelSelector(tuple(each))))
def test_what_a_label_selector_prints_is_read_back(selector: LabelSelector) -> None:
    assert LabelSelector.parse(str(selector)) == selector


@settings(max_examples=150)
@given(st.text("ab=!,() <>in-/.", max_size=20))
def test_reading_a_label_selector_ends_in_a_selector_or_a_value_error(text: str) -> None:
    try:
        selector = LabelSelector.parse(text)
    except ValueError:
        return

    assert LabelSelector.parse(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "is_match"),
    [
        ("", True),
        ("metadata.name=a", True),
        ("metadata.name==a", True),
        ("metadata.name!=a", False),
        ("metadata.name=a,spec.x=", True),
        ("metadata.name=a,spec.x!=", False),
        (r"spec.odd=p\,q\=r\\s", True),
        ("metadata.name=a,", True),
    ],
)
def test_field_selector(text: str, is_match: bool) -> None:
    fields = {"metadata.name": "a", "spec.odd": "p,q=r\\s"}

    selector = FieldSelector.parse(text)

    assert selector.matches(lambda field: fields.get(field, "")) is is_match
    assert FieldSelector.parse(str(selector)) == selector


@pytest.mark.parametrize("text", ["a", "=b", "a=b=c", "a\\", "a=b\\", r"a=b\x", "a!b"])
def test_a_malformed_field_selector_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        FieldSelector.parse(text)


@settings(max_examples=100)
@given(st.text(max_size=10), st.booleans())
def test_any_value_survives_the_escapes_of_a_field_selector(value: str, is_equal: bool) -> None:
    selector = FieldSelector((FieldRequirement("spec.x", value, is_equal),))

    assert FieldSelector.parse(str(selector)) == selector
