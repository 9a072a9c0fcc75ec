"""Schemas say what the Structs say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import pytest

from certwright.api.meta import ApiStruct, Condition, Int32, doc
from certwright.api.schema import hint_schema, struct_schema


class Inner(ApiStruct, frozen=True, kw_only=True):
    name: Annotated[str, doc("A name.", minLength=1)]
    when: datetime | None = None


class Outer(ApiStruct, frozen=True, kw_only=True):
    is_ca: Annotated[bool, doc("A flag.")] = False
    inner: Annotated[Inner, doc("One.")]
    others: Annotated[tuple[Inner, ...], doc("Many.")] = ()


def test_a_struct_becomes_an_object_with_its_required_fields() -> None:
    inner = {
        "type": "object",
        "properties": {
            "name": {"description": "A name.", "type": "string", "minLength": 1},
            "when": {"type": "string", "format": "date-time"},
        },
        "required": ["name"],
    }

    assert struct_schema(Outer) == {
        "type": "object",
        "properties": {
            "isCA": {"description": "A flag.", "type": "boolean"},
            "inner": {"description": "One."} | inner,
            "others": {
                "description": "Many.",
                "type": "array",
                "items": inner,
                "x-kubernetes-list-type": "atomic",
            },
        },
        "required": ["inner"],
    }


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (int, {"type": "integer"}),
        (Int32 | None, {"type": "integer", "format": "int32"}),
        (bytes, {"type": "string", "format": "byte"}),
        (object, {"x-kubernetes-preserve-unknown-fields": True}),
        (Literal["a", "b"] | None, {"type": "string", "enum": ["a", "b"]}),
        (Mapping[str, str], {"type": "object", "additionalProperties": {"type": "string"}}),
    ],
)
def test_types_become_schemas(hint: object, schema: object) -> None:
    assert hint_schema(hint) == schema


def test_quantities_are_numbers_or_strings() -> None:
    schema = hint_schema(int | str)

    assert schema["x-kubernetes-int-or-string"] is True
    assert schema["anyOf"] == [{"type": "integer"}, {"type": "string"}]


def test_a_list_may_leave_out_a_field_of_its_items() -> None:
    schema = hint_schema(Annotated[tuple[Condition, ...], doc("Facts.", without=["observedGeneration"])])

    items = schema["items"]
    assert isinstance(items, dict)
    assert isinstance(items["properties"], dict)
    assert set(items["properties"]) == {"type", "status", "lastTransitionTime", "reason", "message"}
    assert "without" not in schema


def test_a_type_without_a_schema_is_named() -> None:
    with pytest.raises(TypeError, match="complex"):
        hint_schema(complex)
