"""Ratcheting: a fault that stood in the old object already does not refuse an update that leaves it alone."""

from __future__ import annotations

from certwright.apiserver.schema.causes import NOWHERE, Cause
from certwright.apiserver.schema.node import Node, list_key, same
from certwright.kube.wire.json import JSON


def new_faults(causes: list[Cause], node: Node, value: JSON, old: JSON) -> list[Cause]:
    """The causes that concern something that has changed; faults of no field count as faults of the whole object."""
    unchanged: set[str] = set()
    _collect_unchanged(node, value, old, ("", unchanged))
    return [cause for cause in causes if not _is_below(_place(cause), unchanged)]


def _place(cause: Cause) -> str:
    # The text of a combination (`"spec.x" must validate …`) or of a range (`… in spec.x`) names the place.
    if cause.field != NOWHERE:
        return cause.field
    if cause.message.endswith("schema (not)") or "must validate" in cause.message:
        return cause.message.split('"')[3] if cause.message.count('"') > 3 else ""
    return cause.message.rpartition(" in ")[2]


def _is_below(path: str, roots: set[str]) -> bool:
    if path in roots or "" in roots:
        return True
    return any(path.startswith(root) and path[len(root)] in ".[" for root in roots if len(path) > len(root))


def _collect_unchanged(node: Node, value: JSON, old: JSON, into: tuple[str, set[str]]) -> None:
    path, unchanged = into
    if same(value, old) and _is_described(node, value):
        unchanged.add(path)
    elif isinstance(value, dict) and isinstance(old, dict):
        for name, child in value.items():
            below = node.properties.get(name) or node.additional
            if below is not None and name in old:
                _collect_unchanged(below, child, old[name], (f"{path}.{name}" if path else name, unchanged))
    elif isinstance(value, list) and isinstance(old, list) and node.list_type == "map" and node.items is not None:
        earlier = {repr(list_key(node, item)): item for item in old}
        for index, item in enumerate(value):
            key = repr(list_key(node, item))
            if key in earlier:
                _collect_unchanged(node.items, item, earlier[key], (f"{path}[{index}]", unchanged))


def _is_described(node: Node | None, value: JSON) -> bool:
    """Whether the schema knows all of a value: the API server sees no sameness in what no schema describes."""
    if isinstance(value, dict):
        return node is not None and all(
            _is_described(node.properties.get(name) or node.additional, child) for name, child in value.items()
        )
    if isinstance(value, list):
        return all(_is_described(node.items if node else None, item) for item in value)
    return node is not None
