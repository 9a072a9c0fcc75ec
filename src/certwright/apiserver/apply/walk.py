"""Comparison, merging and trimming of objects along their schema, as structured merge does it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

from certwright.apiserver.apply.fieldset import (
    Element,
    FieldSet,
    Path,
    below,
    field_element,
    is_member,
    key_element,
    value_element,
)
from certwright.apiserver.schema.causes import go_quote
from certwright.apiserver.schema.node import Node, same
from certwright.kube.wire.json import JSON, JSONObject

Shape = Literal["leaf", "map", "list"]


class TypedError(ValueError):
    """A value that does not fit the schema by which fields are owned."""


class Absent:
    """The mark of a value that is not there, which a null is."""


ABSENT = Absent()
Value: TypeAlias = "JSON | Absent"


class Changes(Struct):
    """The fields that differ between two objects."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)


def shape(node: Node | None, value: Value) -> Shape:
    """How ownership looks at a value: as one leaf, or as a map or list whose parts have owners."""
    if isinstance(value, dict):
        return "leaf" if node is not None and node.map_type == "atomic" else "map"
    if isinstance(value, list):
        return "list" if node is not None and node.list_type in {"set", "map"} else "leaf"
    return "leaf"


def child_node(node: Node | None, name: str) -> Node | None:
    """The node of a field; None where nothing is known of it, so that its value decides."""
    if node is None:
        return None
    return node.properties.get(name) or node.additional


def item_element(node: Node, item: JSON) -> Element:
    """The step to an item of a list that is a set or a map; raises TypedError for an item without its keys."""
    if node.list_type == "set":
        return value_element(item)
    if not isinstance(item, dict):
        raise TypedError("associative list with keys may not have non-map elements")
    keys: JSONObject = {}
    for name in node.list_keys:
        known = node.items.properties.get(name) if node.items else None
        keys[name] = item.get(name, known.default if known else None)
        if keys[name] is None:
            rule = "associative list with keys has an element that omits key field"
            raise TypedError(f"{rule} {go_quote(name)} (and doesn't have default value)")
    return key_element(keys)


def _entries(node: Node | None, value: Value) -> dict[Element, list[tuple[JSON, Node | None]]]:
    """The parts of a map or list by their step; a list may hold several items of one key."""
    if isinstance(value, dict):
        return {field_element(name): [(part, child_node(node, name))] for name, part in value.items()}
    found: dict[Element, list[tuple[JSON, Node | None]]] = {}
    if isinstance(value, list) and node is not None:
        for item in value:
            found.setdefault(item_element(node, item), []).append((item, node.items))
    return found


def compare(node: Node | None, old: Value, new: Value) -> Changes:
    """The fields that were added, changed and removed."""
    changes = Changes()
    _compare((node, old, new), (), changes)
    return changes


def _compare(what: tuple[Node | None, Value, Value], path: Path, changes: Changes) -> None:
    node, old, new = what
    if not isinstance(old, Absent) and not isinstance(new, Absent) and same(old, new):
        return
    shapes = {shape(node, value) for value in (old, new) if value is not None and not isinstance(value, Absent)}
    if shapes <= {"leaf"} or _is_empty(old, new):
        _compare_leaves(old, new, path, changes)
        return
    if "leaf" in shapes:
        changes.modified.add(path)
    _compare_parts(what, path, changes)
    if isinstance(old, Absent):
        changes.added.add(path)
    elif isinstance(new, Absent):
        changes.removed.add(path)


def _is_empty(old: Value, new: Value) -> bool:
    return not any(isinstance(value, (dict, list)) and value for value in (old, new))


def _compare_leaves(old: Value, new: Value, path: Path, changes: Changes) -> None:
    if isinstance(old, Absent):
        changes.added.add(path)
    elif isinstance(new, Absent):
        changes.removed.add(path)
    elif not same(old, new):
        changes.modified.add(path)


def _compare_parts(what: tuple[Node | None, Value, Value], path: Path, changes: Changes) -> None:
    node, old, new = what
    before = _entries(node, old) if shape(node, old) != "leaf" else {}
    after = _entries(node, new) if shape(node, new) != "leaf" else {}
    for element in dict.fromkeys([*before, *after]):
        left, right = before.get(element, []), after.get(element, [])
        if len(left) > 1 or len(right) > 1:
            _compare_repeated(left, right, (*path, element), changes)
            continue
        below_node = (right or left)[0][1]
        pair = (left[0][0] if left else ABSENT, right[0][0] if right else ABSENT)
        _compare((below_node, *pair), (*path, element), changes)


def _compare_repeated(
    left: list[tuple[JSON, Node | None]], right: list[tuple[JSON, Node | None]], path: Path, changes: Changes
) -> None:
    """Items of one key that stand more than once are owned as a whole."""
    old: list[JSON] = [value for value, _ in left]
    new: list[JSON] = [value for value, _ in right]
    if len(old) > 1 and len(new) > 1:
        if not same(old, new):
            changes.modified.add(path)
    elif len(old) > 1:
        if right:
            _compare((right[0][1], ABSENT, right[0][0]), path, changes)
        changes.removed.add(path)
    else:
        if left:
            _compare((left[0][1], left[0][0], ABSENT), path, changes)
        changes.added.add(path)


def field_set(node: Node | None, value: JSON) -> FieldSet:
    """The fields that an applied object names."""
    found: set[Path] = set()
    _collect(node, value, (), found)
    return frozenset(found)


def _collect(node: Node | None, value: JSON, path: Path, found: set[Path]) -> None:
    kind = shape(node, value)
    if kind == "leaf":
        found.add(path)
        return
    for element, parts in _entries(node, value).items():
        child = (*path, element)
        if len(parts) > 1:
            found.add(child)
            continue
        part, part_node = parts[0]
        _collect(part_node, part, child, found)
        declared = kind == "map" and node is not None and element[2:] in node.properties
        if part is None or part == {} or not declared:
            found.add(child)


def merge(node: Node | None, live: Value, applied: Value) -> JSON:
    """`applied` over `live`: parts that only one side names are kept."""
    if isinstance(applied, Absent):
        return None if isinstance(live, Absent) else live
    if isinstance(live, Absent) or shape(node, applied) == "leaf":
        return applied
    if isinstance(applied, dict):
        fields: JSONObject = live if isinstance(live, dict) else {}
        return {
            name: merge(child_node(node, name), fields.get(name, ABSENT), applied.get(name, ABSENT))
            for name in dict.fromkeys([*fields, *applied])
        } or applied
    return _merge_lists(node, live if isinstance(live, list) else [], applied)


def _merge_lists(node: Node | None, live: list[JSON], applied: JSON) -> JSON:
    """Items keep the order of `applied`; those of `live` alone stay after the neighbours that they stood behind."""
    if node is None or not isinstance(applied, list):
        return applied
    wanted = _unique(node, applied)
    there = [(item_element(node, item), item) for item in live]
    known: dict[Element, JSON] = {}
    for element, item in there:
        known[element] = None if element in known else item
    order = _order([element for element, _ in there], list(wanted))
    singles = iter([item for element, item in there if element not in wanted])
    return [
        merge(node.items, known.get(element, ABSENT), wanted[element]) if element in wanted else next(singles)
        for element in order
    ]


def _unique(node: Node, items: list[JSON]) -> dict[Element, JSON]:
    found: dict[Element, JSON] = {}
    for item in items:
        element = item_element(node, item)
        if element in found:
            raise TypedError(f"duplicate entries for key {element[2:]}")
        found[element] = item
    return found


def _order(live: list[Element], applied: list[Element]) -> list[Element]:
    """The merged order of two lists of steps; repeated steps of `live` alone are kept."""
    wanted, there = set(applied), set(live)
    shared = [element for element in applied if element in there]
    order: list[Element] = []
    left = right = 0
    while left < len(live) or right < len(applied):
        here = live[left] if left < len(live) else None
        if here is not None and right < len(applied) and here == applied[right]:
            order.append(here)
            shared = shared[1:]
            left, right = left + 1, right + 1
        elif here is not None and here in wanted and right < len(applied) and shared and shared[0] != here:
            left += 1
        elif here is not None and here not in wanted:
            order.append(here)
            left += 1
        else:
            if here is not None and here in order:
                left += 1
            if right < len(applied):
                order.append(applied[right])
                shared = shared[1:] if shared[:1] == [applied[right]] else shared
                right += 1
    return order


def trim(node: Node | None, value: JSON, doomed: JSONObject) -> JSON:
    """The value without the fields of a tree (`fieldset.as_tree`); what is left empty goes too."""
    kind = shape(node, value)
    if kind == "map" and isinstance(value, dict):
        return _trim_fields(node, value, doomed)
    if kind == "list" and isinstance(value, list) and node is not None:
        kept: list[JSON] = []
        for item in value:
            element = item_element(node, item)
            if not is_member(doomed, element):
                inner = below(doomed, element)
                kept.append(trim(node.items, item, inner) if inner else item)
        return kept
    return value


def _trim_fields(node: Node | None, fields: JSONObject, doomed: JSONObject) -> JSONObject:
    kept: JSONObject = {}
    for name, value in fields.items():
        element = field_element(name)
        if is_member(doomed, element):
            continue
        inner = below(doomed, element)
        left = trim(child_node(node, name), value, inner) if inner else value
        if not inner or left not in ({}, []):
            kept[name] = left
    return kept


def with_named_parents(node: Node | None, fields: FieldSet) -> FieldSet:
    """The set with the parents that a schema names as fields, which belong to whoever owns something below."""
    found = set(fields)
    for path in fields:
        here = node
        for index, element in enumerate(path[:-1]):
            named = here is not None and element[:2] == "f:" and element[2:] in here.properties
            if named:
                found.add(path[: index + 1])
            if here is not None:
                here = child_node(here, element[2:]) if element[:2] == "f:" else here.items
    return frozenset(found)
