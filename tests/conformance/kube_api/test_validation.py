"""Structural schemas: what is refused and in which words, what is pruned and what is filled in."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.kube_api.objects import causes, widget, widgets
from tests.kubernetes.http import Http

UNCHECKED = (
    "FieldValueInvalid",
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation",
)
# What the spec holds beside its size, and the causes of the refusal.
REFUSED: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    (
        {"size": "one"},
        [
            (
                "FieldValueTypeInvalid",
                "spec.size",
                'Invalid value: "string": spec.size in body must be of type integer: "string"',
            ),
            UNCHECKED,
        ],
    ),
    (
        {"size": 0},
        [
            (
                "FieldValueInvalid",
                "spec.size",
                "Invalid value: 0: spec.size in body should be greater than or equal to 1",
            )
        ],
    ),
    (
        {"size": 101},
        [
            (
                "FieldValueInvalid",
                "spec.size",
                "Invalid value: 101: spec.size in body should be less than or equal to 100",
            )
        ],
    ),
    (
        {"color": "pink"},
        [
            (
                "FieldValueNotSupported",
                "spec.color",
                'Unsupported value: "pink": supported values: "red", "green", "blue"',
            ),
            UNCHECKED,
        ],
    ),
    (
        {"name": "x"},
        [
            (
                "FieldValueInvalid",
                "spec.name",
                'Invalid value: "x": spec.name in body should be at least 2 chars long',
            )
        ],
    ),
    (
        {"name": "toolongname"},
        [("FieldValueTooLong", "spec.name", "Too long: may not be more than 8 bytes"), UNCHECKED],
    ),
    (
        {"name": "ABC"},
        [
            (
                "FieldValueInvalid",
                "spec.name",
                "Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'",
            )
        ],
    ),
    (
        {"ratio": 0.7},
        [
            (
                "FieldValueInvalid",
                "spec.ratio",
                "Invalid value: 0.7: spec.ratio in body should be a multiple of 0.5",
            )
        ],
    ),
    (
        {"when": "today"},
        [
            (
                "FieldValueTypeInvalid",
                "spec.when",
                'Invalid value: "today": spec.when in body must be of type date-time: "today"',
            ),
            UNCHECKED,
        ],
    ),
    (
        {"words": ["a", "b", "c", "d"]},
        [("FieldValueTooMany", "spec.words", "Too many: 4: must have at most 3 items"), UNCHECKED],
    ),
    ({"words": ["a", "a"]}, [("FieldValueDuplicate", "spec.words[1]", 'Duplicate value: "a"')]),
    (
        {"parts": [{"id": "a"}, {"id": "a"}]},
        [("FieldValueDuplicate", "spec.parts[1]", 'Duplicate value: {"id":"a"}')],
    ),
    ({"parts": [{"count": 1}]}, [("FieldValueRequired", "spec.parts[0].id", "Required value"), UNCHECKED]),
]


@pytest.mark.parametrize(("spec", "expected"), REFUSED)
async def test_what_is_refused(
    http: Http, wns: str, spec: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    answer = await http.post(widgets(wns), widget("a", {"size": 1, **spec}))

    assert answer.code == 422
    assert causes(answer.body) == expected


async def test_a_required_field(http: Http, wns: str) -> None:
    answer = await http.post(widgets(wns), widget("a", {"color": "red"}))

    assert causes(answer.body) == [("FieldValueRequired", "spec.size", "Required value"), UNCHECKED]
    assert answer.body["message"].startswith(
        'Widget.conformance.certwright.io "a" is invalid: [spec.size: Required value, <nil>: Invalid value: null: '
    )


async def test_defaults_are_filled_in_where_their_parent_is(http: Http, wns: str) -> None:
    created = (await http.post(widgets(wns), widget("a", {"size": 1, "nested": {}, "parts": [{"id": "x"}]}))).ok

    assert created["spec"] == {
        "size": 1,
        "color": "red",
        "nested": {"depth": 3},
        "parts": [{"id": "x", "count": 1}],
    }


async def test_unknown_fields_are_pruned_save_where_they_are_free(http: Http, wns: str) -> None:
    spec = {"size": 1, "extra": 1, "free": {"anything": {"goes": [1]}}, "nested": {"extra": 1}}

    created = (await http.post(widgets(wns), widget("a", spec))).ok

    assert created["spec"] == {"size": 1, "color": "red", "free": spec["free"], "nested": {"depth": 3}}


async def test_nulls(http: Http, wns: str) -> None:
    spec = {"size": 1, "color": None, "nothing": None, "name": None, "limits": {"k": None}, "words": None}
    created = (await http.post(widgets(wns), widget("a", spec))).ok
    needed = await http.post(widgets(wns), widget("b", {"size": None}))
    item = await http.post(widgets(wns), widget("b", {"size": 1, "words": [None]}))

    assert created["spec"] == {"size": 1, "color": "red", "nothing": None, "limits": {}}
    assert causes(needed.body)[0] == ("FieldValueRequired", "spec.size", "Required value")
    assert causes(item.body)[0] == (
        "FieldValueTypeInvalid",
        "spec.words[0]",
        'Invalid value: "null": spec.words[0] in body must be of type string: "null"',
    )


@pytest.mark.parametrize(("port", "code"), [(80, 201), ("http", 201), (1.5, 422), ([], 422)])
async def test_numbers_or_texts(http: Http, wns: str, port: object, code: int) -> None:
    assert (await http.post(widgets(wns), widget("a", {"size": 1, "port": port}))).code == code


@pytest.mark.parametrize(("blob", "code"), [("YWI=", 201), ("not base64", 422)])
async def test_bytes(http: Http, wns: str, blob: str, code: int) -> None:
    assert (await http.post(widgets(wns), widget("a", {"size": 1, "blob": blob}))).code == code


async def test_several_faults_come_at_once(http: Http, wns: str) -> None:
    answer = await http.post(widgets(wns), widget("a", {"size": 0, "name": "x", "words": ["a", "a"]}))

    assert {field for _, field, _ in causes(answer.body)} == {"spec.size", "spec.name", "spec.words[1]"}
