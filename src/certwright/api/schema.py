"""OpenAPI schemas (structural, as CRDs want them) made from Structs: each field is said once, in its Struct."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Union

import msgspec
from msgspec import Meta, Struct

from certwright.api import cel_acme, cel_certificates, cel_issuers
from certwright.api.meta import JSON, JSONObject

# resource.Quantity, which Kubernetes' own CRD tools describe in the same way.
_QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_RULES = {**cel_certificates.RULES, **cel_issuers.RULES, **cel_acme.RULES}
_SCALARS: Mapping[object, JSONObject] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    bytes: {"type": "string", "format": "byte"},
    datetime: {"type": "string", "format": "date-time"},
    object: {"x-kubernetes-preserve-unknown-fields": True},
    int | str: {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": _QUANTITY_PATTERN,
        "x-kubernetes-int-or-string": True,
    },
}


def struct_schema(kind: type[Struct]) -> JSONObject:
    """The schema of a Struct: properties, what is required, and its CEL rules."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = msgspec.structs.fields(kind)
    properties: JSONObject = {field.encode_name: hint_schema(hints[field.name]) for field in fields}
    required: list[JSON] = [field.encode_name for field in fields if field.required]
    schema: JSONObject = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if rules := _RULES.get(kind):
        schema["x-kubernetes-validations"] = [msgspec.to_builtins(rule) for rule in rules]
    return schema


def hint_schema(hint: object) -> JSONObject:
    """The schema of a type as it stands in a Struct, with what its Metas say."""
    if typing.get_origin(hint) is Annotated:
        inner, *metas = typing.get_args(hint)
        schema = hint_schema(inner)
        for meta in metas:
            schema = _with_meta(schema, meta)
        return schema
    return _bare_schema(_without_none(hint))


def _with_meta(schema: JSONObject, meta: Meta) -> JSONObject:
    words: JSONObject = dict(meta.extra_json_schema or {})
    for name in typing.cast("list[str]", words.pop("without", [])):
        _drop_from_items(schema, name)
    first: JSONObject = {"description": meta.description} if meta.description else {}
    return first | schema | words


def _drop_from_items(schema: JSONObject, name: str) -> None:
    items = typing.cast(JSONObject, schema["items"])
    typing.cast(JSONObject, items["properties"]).pop(name)


def _without_none(hint: object) -> object:
    if typing.get_origin(hint) not in {Union, types.UnionType}:
        return hint
    kept = [arm for arm in typing.get_args(hint) if arm is not types.NoneType]
    return kept[0] if len(kept) == 1 else hint


def _bare_schema(hint: object) -> JSONObject:
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return hint_schema(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": hint_schema(args[0]), "x-kubernetes-list-type": "atomic"}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": hint_schema(args[1])}
    if isinstance(hint, type) and issubclass(hint, Struct):
        return struct_schema(hint)
    raise TypeError(f"{hint} has no schema; add it to schema.py.")
