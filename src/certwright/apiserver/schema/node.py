"""A structural schema as a tree of nodes: what pruning, defaulting, validation and apply read."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from certwright.kube.wire.json import JSON, JSONObject

ListType = Literal["", "atomic", "set", "map"]


class Rule(Struct, frozen=True):
    """One entry of `x-kubernetes-validations`."""

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""
    optional_old_self: bool = False


class Node(Struct, frozen=True, kw_only=True, eq=False):
    """One level of a schema; `raw` keeps the OpenAPI object for the value validations."""

    raw: JSONObject
    types: tuple[str, ...] = ()
    properties: dict[str, Node] = {}
    # None: no additionalProperties; a Node: theirs; `additional_open` alone: `true`, which structural schemas prune.
    additional: Node | None = None
    additional_open: bool = False
    items: Node | None = None
    list_type: ListType = ""
    list_keys: tuple[str, ...] = ()
    map_type: str = ""
    nullable: bool = False
    default: JSON = None
    preserves_unknown: bool = False
    embedded: bool = False
    rules: tuple[Rule, ...] = ()
    # True where the API server reads into a Go type: a null is an absent field there.
    drops_null: bool = False

    @property
    def is_atomic(self) -> bool:
        """Whether the value has one owner as a whole."""
        if "array" in self.types:
            return self.list_type in {"", "atomic"}
        return self.map_type == "atomic"


INT_OR_STRING = ("integer", "string")


def as_object(value: JSON) -> JSONObject:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: JSON) -> list[JSON]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: JSON) -> str:
    """The value where it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def _rule(entry: JSONObject) -> Rule:
    return Rule(
        rule=as_text(entry.get("rule")),
        message=as_text(entry.get("message")),
        message_expression=as_text(entry.get("messageExpression")),
        reason=as_text(entry.get("reason")),
        field_path=as_text(entry.get("fieldPath")),
        optional_old_self=entry.get("optionalOldSelf") is True,
    )


def _types(schema: JSONObject) -> tuple[str, ...]:
    if schema.get("x-kubernetes-int-or-string") is True:
        return INT_OR_STRING
    name = as_text(schema.get("type"))
    return (name,) if name else ()


def parse_node(schema: JSONObject, drops_null: bool = False) -> Node:
    """The tree of an OpenAPI v3 schema; unknown keywords are kept in `raw` only."""
    additional = schema.get("additionalProperties")
    items = schema.get("items")
    properties = as_object(schema.get("properties"))
    list_type = as_text(schema.get("x-kubernetes-list-type"))
    return Node(
        raw=schema,
        types=_types(schema),
        properties={name: parse_node(as_object(child), drops_null) for name, child in properties.items()},
        additional=parse_node(additional, drops_null) if isinstance(additional, dict) else None,
        additional_open=additional is True,
        items=parse_node(items, drops_null) if isinstance(items, dict) else None,
        list_type=list_type if list_type in {"atomic", "set", "map"} else "",  # type: ignore[arg-type] # narrowed by `in`
        list_keys=tuple(as_text(key) for key in as_list(schema.get("x-kubernetes-list-map-keys"))),
        map_type=as_text(schema.get("x-kubernetes-map-type")),
        nullable=schema.get("nullable") is True,
        default=schema.get("default"),
        preserves_unknown=schema.get("x-kubernetes-preserve-unknown-fields") is True,
        embedded=schema.get("x-kubernetes-embedded-resource") is True,
        rules=tuple(_rule(as_object(entry)) for entry in as_list(schema.get("x-kubernetes-validations"))),
        drops_null=drops_null,
    )


def list_key(node: Node, item: JSON) -> tuple[JSON, ...] | None:
    """The values by which an item of a list-type map is known, defaults filled in; None where the item is no object."""
    if not isinstance(item, dict):
        return None
    return tuple(item[key] if key in item else _key_default(node, key) for key in node.list_keys)


def _key_default(node: Node, key: str) -> JSON:
    child = node.items.properties.get(key) if node.items else None
    return child.default if child else None


_encoder = msgspec.json.Encoder()


def same(one: JSON, other: JSON) -> bool:
    """Deep equality of JSON: `True` is not `1`, and `1` is `1.0` as for Go's semantic equality of numbers."""
    if one is other:
        return True
    # What Python calls unequal is so; what it calls equal may still hold a truth value beside a number.
    if one != other:
        return False
    if isinstance(one, (dict, list)):
        return _encoder.encode(one) == _encoder.encode(other) or _same_kinds(one, other)
    return isinstance(one, bool) == isinstance(other, bool)


def _same_kinds(one: JSON, other: JSON) -> bool:
    """Whether equal values have their truth values at the same places."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_same_kinds(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return all(map(_same_kinds, one, other))
    return isinstance(one, bool) == isinstance(other, bool)
