"""Removal of fields that a schema does not know, and of nulls where it allows none."""

from __future__ import annotations

from collections.abc import Callable

from certwright.apiserver.schema.node import Node
from certwright.kube.wire.json import JSON, JSONObject

# Prunes a map or list in place and records the dropped paths.
Pruner = Callable[[JSON, str, list[str]], None]

_TYPE_AND_META = frozenset({"apiVersion", "kind", "metadata"})


def compile_pruner(node: Node) -> Pruner:
    """A pruner of maps and lists (scalars need none) that stand where `node` describes them."""
    if node.preserves_unknown and not node.properties and node.additional is None and node.items is None:
        return _keep
    fields = _fields_pruner(node)
    items: Pruner = compile_pruner(node.items) if node.items else _prune_all
    if node.preserves_unknown and node.items is None:
        items = _keep

    def prune(value: JSON, path: str, dropped: list[str]) -> None:
        if isinstance(value, dict):
            fields(value, path, dropped)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if type(item) is dict or type(item) is list:
                    items(item, f"{path}[{index}]", dropped)

    return prune


def _fields_pruner(node: Node) -> Callable[[JSONObject, str, list[str]], None]:
    known = {name: compile_pruner(child) for name, child in node.properties.items()}
    other: Pruner | None = compile_pruner(node.additional) if node.additional else None
    if node.additional_open:
        other = _prune_all
    untouched = _TYPE_AND_META if node.embedded else frozenset()
    keeps = node.preserves_unknown
    nullable = frozenset(name for name, child in node.properties.items() if child.nullable)
    # A null among the values of a map gets their default first, where they have one.
    keeps_other_nulls = node.additional is None or node.additional.nullable or node.additional.default is not None
    drops_null = node.drops_null

    def prune(fields: JSONObject, path: str, dropped: list[str]) -> None:
        doomed: list[str] = []
        prefix = f"{path}." if path else ""
        for name, value in fields.items():
            child = known.get(name, other)
            if child is None:
                if not keeps and name not in untouched:
                    doomed.append(name)
                    dropped.append(prefix + name)
            elif value is None:
                is_kept = name in nullable if name in known else keeps_other_nulls
                if drops_null or not is_kept:
                    doomed.append(name)
            elif (type(value) is dict or type(value) is list) and name not in untouched:
                child(value, prefix + name, dropped)
        for name in doomed:
            del fields[name]

    return prune


def _keep(_value: JSON, _path: str, _dropped: list[str]) -> None:
    """Nothing below is described, and everything is kept."""


def _prune_all(value: JSON, path: str, dropped: list[str]) -> None:
    """Nothing below is described: the maps are emptied."""
    if isinstance(value, dict):
        dropped.extend(f"{path}.{name}" if path else name for name in value)
        value.clear()
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _prune_all(item, f"{path}[{index}]", dropped)
