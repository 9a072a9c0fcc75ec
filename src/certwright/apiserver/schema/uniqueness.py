"""List types: no item twice in a set, no key twice in a list that is a map."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from certwright.apiserver.schema.causes import Cause, duplicate, go_json, invalid
from certwright.apiserver.schema.node import Node
from certwright.kube.wire.json import JSON, JSONObject

Uniqueness = Callable[[JSON, str, list[Cause]], None]


def compile_uniqueness(node: Node) -> Uniqueness | None:
    """A check of all sets and maps below `node`; None where there are none."""
    fields = _fields(node)
    items = _items(node)
    if fields is None and items is None:
        return None

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        if isinstance(value, dict):
            if fields is not None:
                fields(value, path, found)
        elif isinstance(value, list) and items is not None:
            items(value, path, found)

    return check


def _fields(node: Node) -> Callable[[JSONObject, str, list[Cause]], None] | None:
    inner = {name: compile_uniqueness(child) for name, child in node.properties.items()}
    deeper = {name: check for name, check in inner.items() if check is not None}
    other = compile_uniqueness(node.additional) if node.additional else None
    if not deeper and other is None:
        return None

    def check(fields: JSONObject, path: str, found: list[Cause]) -> None:
        for name, below in deeper.items():
            if name in fields:
                below(fields[name], f"{path}.{name}" if path else name, found)
        if other is not None:
            for name, value in fields.items():
                other(value, f"{path}[{name}]", found)

    return check


def _items(node: Node) -> Callable[[list[JSON], str, list[Cause]], None] | None:
    inner = compile_uniqueness(node.items) if node.items else None
    if inner is None and node.list_type not in {"set", "map"}:
        return None

    def check(items: list[JSON], path: str, found: list[Cause]) -> None:
        if node.list_type == "set":
            found.extend(duplicate(f"{path}[{index}]", items[index]) for index in _repeated(items))
        elif node.list_type == "map":
            found.extend(_map_faults(node, items, path))
        if inner is not None:
            for index, item in enumerate(items):
                inner(item, f"{path}[{index}]", found)

    return check


def _repeated(values: Iterable[JSON]) -> list[int]:
    """The index at which each repeated value stands for the second time."""
    times: dict[str, int] = {}
    found: list[int] = []
    for index, value in enumerate(values):
        key = go_json(value)
        times[key] = times.get(key, 0) + 1
        if times[key] == 2:
            found.append(index)
    return found


def _map_faults(node: Node, items: list[JSON], path: str) -> list[Cause]:
    for index, item in enumerate(items):
        if item is not None and not isinstance(item, dict):
            return [invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")]
    if len(items) <= 1:
        return []
    keys: list[JSON] = [
        {key: item[key] for key in node.list_keys if key in item} if isinstance(item, dict) else {} for item in items
    ]
    return [duplicate(f"{path}[{index}]", keys[index]) for index in _repeated(keys)]
