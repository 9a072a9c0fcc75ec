"""Filling in of the defaults that a schema names."""

from __future__ import annotations

from collections.abc import Callable

from certwright.apiserver.objects import copy
from certwright.apiserver.schema.node import Node
from certwright.kube.wire.json import JSON, JSONObject

Defaulter = Callable[[JSON], None]


def compile_defaulter(node: Node) -> Defaulter | None:
    """A function that fills in place; None where nothing below `node` has a default."""
    fields = _fields_defaulter(node)
    items = _items_defaulter(node.items) if node.items else None
    if fields is None and items is None:
        return None

    def fill(value: JSON) -> None:
        if isinstance(value, dict):
            if fields is not None:
                fields(value)
        elif isinstance(value, list) and items is not None:
            items(value)

    return fill


def _fresh(value: JSON) -> JSON:
    return copy({"value": value})["value"] if isinstance(value, (dict, list)) else value


def _fields_defaulter(node: Node) -> Callable[[JSONObject], None] | None:
    defaults = {name: child for name, child in node.properties.items() if child.default is not None}
    inner = {name: compile_defaulter(child) for name, child in node.properties.items()}
    deeper = {name: fill for name, fill in inner.items() if fill is not None}
    other = node.additional
    fill_other = compile_defaulter(other) if other else None
    if not defaults and not deeper and fill_other is None and (other is None or other.default is None):
        return None

    def fill(fields: JSONObject) -> None:
        for name, child in defaults.items():
            if name not in fields or (fields[name] is None and not child.nullable):
                fields[name] = _fresh(child.default)
        for name, below in deeper.items():
            if name in fields:
                below(fields[name])
        if other is not None:
            _fill_others(fields, node, fill_other)

    return fill


def _fill_others(fields: JSONObject, node: Node, fill: Defaulter | None) -> None:
    other = node.additional
    for name in fields.keys() - node.properties.keys():
        if fields[name] is None and other is not None and not other.nullable:
            fields[name] = _fresh(other.default)
        if fill is not None:
            fill(fields[name])


def _items_defaulter(node: Node) -> Callable[[list[JSON]], None] | None:
    inner = compile_defaulter(node)
    if inner is None and node.default is None:
        return None

    def fill(items: list[JSON]) -> None:
        for index, item in enumerate(items):
            if item is None and not node.nullable:
                items[index] = _fresh(node.default)
            if inner is not None:
                inner(items[index])

    return fill
