"""Which schemas a CustomResourceDefinition may have: the structural rules, with the API server's texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from certwright.apiserver.schema.causes import Cause, forbidden, invalid, not_supported, required
from certwright.apiserver.schema.node import Node, as_list, as_object, as_text, parse_node
from certwright.apiserver.schema.pattern import compile_pattern
from certwright.apiserver.schema.rule_faults import rule_faults
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.kube.wire.json import JSON, JSONObject

Level = Literal["root", "item", "field"]

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_EMPTY_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_MUST_BE = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    "x-kubernetes-preserve-unknown-fields": "must be false to be structural",
    "x-kubernetes-embedded-resource": "must be false to be structural",
    "x-kubernetes-int-or-string": "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}
_INT_OR_STRING: list[JSON] = [{"type": "integer"}, {"type": "string"}]
_COMBINATIONS = ("anyOf", "allOf", "oneOf")


def schema_faults(schema: JSONObject, path: str) -> list[Cause]:
    """What the API server would refuse in an `openAPIV3Schema` that stands at `path`."""
    found = sorted(_invariants(schema, path, "root"), key=lambda cause: (cause.field, cause.message))
    if not found:
        found = list(rule_faults(parse_node(schema), path))
    if not found:
        found = list(_defaults(schema, path))
    if schema.get("nullable") is True:
        found.append(forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    return found


def _invariants(schema: JSONObject, path: str, level: Level) -> Iterator[Cause]:
    yield from _keywords(schema, path)
    yield from _type(schema, path, level)
    yield from _children(schema, path, level)
    yield from _extensions(schema, path)
    yield from _lists(schema, path)
    yield from _values(schema, path)
    if level == "root":
        yield from _root_metadata(schema, path)


def _keywords(schema: JSONObject, path: str) -> Iterator[Cause]:
    for word in _UNSUPPORTED:
        if word in schema:
            yield forbidden(f"{path}.{word}", f"{word} is not supported")
    kind = as_text(schema.get("type"))
    if kind == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif kind and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get("uniqueItems") is True:
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", text)


def _type(schema: JSONObject, path: str, level: Level) -> Iterator[Cause]:
    kind = as_text(schema.get("type"))
    embedded = schema.get("x-kubernetes-embedded-resource") is True
    typeless = schema.get("x-kubernetes-int-or-string") is True or _preserves(schema)
    if embedded and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(f"{path}.type", kind, text) if kind else required(f"{path}.type", text)
    elif not kind and not typeless:
        yield required(f"{path}.type", _EMPTY_TYPE[level])
    if level == "root" and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")
    if kind == "array" and not isinstance(schema.get("items"), dict):
        yield required(f"{path}.items", "must be specified")


def _preserves(schema: JSONObject) -> bool:
    return schema.get("x-kubernetes-preserve-unknown-fields") is True


def _children(schema: JSONObject, path: str, level: Level) -> Iterator[Cause]:
    items, additional = schema.get("items"), schema.get("additionalProperties")
    if isinstance(items, dict):
        yield from _invariants(items, f"{path}.items", "item")
    for name, child in as_object(schema.get("properties")).items():
        if level != "root" or name != "metadata":
            yield from _invariants(as_object(child), f"{path}.properties[{name}]", "field")
    if additional not in (None, False):
        if level == "root":
            yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
        if as_object(schema.get("properties")):
            yield forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
        if isinstance(additional, dict):
            yield from _invariants(additional, f"{path}.additionalProperties", "field")
    elif additional is False:
        yield forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false")


def _extensions(schema: JSONObject, path: str) -> Iterator[Cause]:
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        text = "must be true or undefined"
        yield invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, text)
    if schema.get("x-kubernetes-int-or-string") is not True:
        return
    text = "must be false if x-kubernetes-int-or-string is true"
    for word in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
        if schema.get(word) is True:
            yield invalid(f"{path}.{word}", True, text)
    if as_text(schema.get("type")):
        yield forbidden(f"{path}.type", "must be empty if x-kubernetes-int-or-string is true")


def _lists(schema: JSONObject, path: str) -> Iterator[Cause]:
    list_type, map_type = as_text(schema.get("x-kubernetes-list-type")), as_text(schema.get("x-kubernetes-map-type"))
    kind, keys = as_text(schema.get("type")), as_list(schema.get("x-kubernetes-list-map-keys"))
    items = as_object(schema.get("items"))
    if list_type:
        if kind != "array":
            yield invalid(f"{path}.type", kind, "must be array if x-kubernetes-list-type is specified")
        if list_type not in {"atomic", "set", "map"}:
            yield not_supported(f"{path}.x-kubernetes-list-type", list_type, ("atomic", "set", "map"))
    if list_type == "set":
        yield from _set(items, path)
    if list_type == "map":
        yield from _map(items, keys, path)
    elif keys:
        wrong = required if not list_type else None
        text = "must be map if x-kubernetes-list-map-keys is non-empty"
        where = f"{path}.x-kubernetes-list-type"
        yield wrong(where, text) if wrong else invalid(where, list_type, text)
    if map_type:
        if kind != "object":
            yield invalid(f"{path}.type", kind, "must be object if x-kubernetes-map-type is specified")
        if map_type not in {"atomic", "granular"}:
            yield not_supported(f"{path}.x-kubernetes-map-type", map_type, ("atomic", "granular"))


def _set(items: JSONObject, path: str) -> Iterator[Cause]:
    kind = as_text(items.get("type"))
    if items.get("nullable") is True:
        yield forbidden(f"{path}.items.nullable", "cannot be nullable when x-kubernetes-list-type is set")
    if kind == "array" and as_text(items.get("x-kubernetes-list-type")) not in {"", "atomic"}:
        where = f"{path}.items.x-kubernetes-list-type"
        yield invalid(
            where,
            items.get("x-kubernetes-list-type"),
            "must be atomic as item of a list with x-kubernetes-list-type=set",
        )
    if kind == "object" and as_text(items.get("x-kubernetes-map-type")) != "atomic":
        where = f"{path}.items.x-kubernetes-map-type"
        value = items.get("x-kubernetes-map-type")
        text = "must be atomic as item of a list with x-kubernetes-list-type=set"
        yield invalid(where, value, text) if value else required(where, text)


def _map(items: JSONObject, keys: list[JSON], path: str) -> Iterator[Cause]:
    where = f"{path}.x-kubernetes-list-map-keys"
    if not keys:
        yield required(where, "must not be empty if x-kubernetes-list-type is map")
    if as_text(items.get("type")) != "object":
        yield invalid(
            f"{path}.items.type", items.get("type"), "must be object if parent array's x-kubernetes-list-type is map"
        )
    if items.get("nullable") is True:
        yield forbidden(f"{path}.items.nullable", "cannot be nullable when x-kubernetes-list-type is map")
    properties, needed = as_object(items.get("properties")), as_list(items.get("required"))
    for index, key in enumerate(keys):
        child = as_object(properties.get(as_text(key)))
        place = f"{path}.items.properties[{as_text(key)}]"
        if not child:
            yield invalid(f"{where}[{index}]", key, "must be the name of an item property")
        elif as_text(child.get("type")) in {"array", "object"}:
            yield invalid(
                f"{place}.type",
                child.get("type"),
                "must be a scalar type if parent array's x-kubernetes-list-type is map",
            )
        elif key not in needed and child.get("default") is None:
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{place}.default", text)
        if child.get("nullable") is True:
            yield forbidden(
                f"{place}.nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
            )


def _values(schema: JSONObject, path: str) -> Iterator[Cause]:
    yield from _pattern(schema, path)
    for word in _COMBINATIONS:
        if word == "anyOf" and schema.get(word) == _INT_OR_STRING:
            continue
        for index, part in enumerate(as_list(schema.get(word))):
            yield from _nested(as_object(part), f"{path}.{word}[{index}]", word == "allOf" and index == 0)
    negated = schema.get("not")
    if isinstance(negated, dict):
        yield from _nested(negated, f"{path}.not", False)


def _pattern(schema: JSONObject, path: str) -> Iterator[Cause]:
    pattern = as_text(schema.get("pattern"))
    if pattern:
        try:
            compile_pattern(pattern)
        except ValueError as error:
            yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")


def _nested(schema: JSONObject, path: str, may_be_int_or_string: bool) -> Iterator[Cause]:
    """A schema inside a combination only narrows values; it describes nothing."""
    for word, text in _MUST_BE.items():
        allowed = word == "x-kubernetes-validations" and ".allOf[" in path
        if schema.get(word) not in (None, False, "", []) and not allowed:
            yield forbidden(f"{path}.{word}", text)
    yield from _pattern(schema, path)
    items = schema.get("items")
    if isinstance(items, dict):
        yield from _nested(items, f"{path}.items", False)
    for name, child in as_object(schema.get("properties")).items():
        yield from _nested(as_object(child), f"{path}.properties[{name}]", False)
    for word in _COMBINATIONS:
        if may_be_int_or_string and word == "anyOf" and schema.get(word) == _INT_OR_STRING:
            continue
        for index, part in enumerate(as_list(schema.get(word))):
            yield from _nested(as_object(part), f"{path}.{word}[{index}]", False)


def _root_metadata(schema: JSONObject, path: str) -> Iterator[Cause]:
    properties = as_object(schema.get("properties"))
    for name in ("kind", "apiVersion"):
        kind = as_object(properties.get(name)).get("type")
        if name in properties and kind != "string":
            yield invalid(f"{path}.properties[{name}].type", kind, "must be string")
    metadata = properties.get("metadata")
    if not isinstance(metadata, dict):
        return
    where = f"{path}.properties[metadata]"
    if metadata.get("type") != "object":
        yield invalid(f"{where}.type", metadata.get("type"), "must be object")
    other = metadata.keys() - {"type", "properties", "description", "default"}
    if other or as_object(metadata.get("properties")).keys() - {"name", "generateName"}:
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(where, text)


def _defaults(schema: JSONObject, path: str) -> Iterator[Cause]:
    """Defaults must be valid by their own schema, and keep no unknown field."""
    if schema.get("default") is not None:
        yield from _default(parse_node(schema), schema, f"{path}.default")
    for name, child in as_object(schema.get("properties")).items():
        yield from _defaults(as_object(child), f"{path}.properties[{name}]")
    for word in ("items", "additionalProperties"):
        child = schema.get(word)
        if isinstance(child, dict):
            yield from _defaults(child, f"{path}.{word}")


def _default(node: Node, schema: JSONObject, path: str) -> Iterator[Cause]:
    holder: JSONObject = {"type": "object", "properties": {"default": schema}}
    compiled = StructuralSchema.compile(holder)
    wrapped: JSONObject = {"default": node.default}
    prefix = path.removesuffix("default")
    for cause in compiled.validate(wrapped):
        yield Cause(cause.reason, cause.message.replace("default", path, 1), prefix + cause.field)
