"""Sets of fields: paths, and their form `FieldsV1` in `metadata.managedFields`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

import msgspec

from certwright.apiserver.schema.causes import go_float, go_quote
from certwright.kube.wire.json import JSON, JSONObject

# One step of a path, spelled as FieldsV1 spells it: `f:name`, `k:{"type":"Ready"}`, `v:"text"`.
Element: TypeAlias = str
Path: TypeAlias = tuple[Element, ...]
FieldSet: TypeAlias = frozenset[Path]

_REMEMBERED = 4096
EMPTY: FieldSet = frozenset()
# The key that says of a map with children that it is itself a member.
_ITSELF = "."


def field_element(name: str) -> Element:
    """The step into a field."""
    return f"f:{name}"


def key_element(keys: JSONObject) -> Element:
    """The step to an item of a list that is a map."""
    return "k:" + msgspec.json.encode(keys, order="sorted").decode()


def value_element(value: JSON) -> Element:
    """The step to an item of a set."""
    return "v:" + msgspec.json.encode(value, order="sorted").decode()


def decode_fields(fields: JSON) -> FieldSet:
    """The set that a `fieldsV1` stands for."""
    return _decoded(msgspec.json.encode(fields))


# The same few sets come with every write of a kind, so both directions are remembered.
@lru_cache(maxsize=_REMEMBERED)
def _decoded(fields: bytes) -> FieldSet:
    found: set[Path] = set()
    _decode(msgspec.json.decode(fields), (), found)
    return frozenset(found)


def _decode(fields: JSON, path: Path, found: set[Path]) -> None:
    if not isinstance(fields, dict):
        return
    for name, below in fields.items():
        if name == _ITSELF:
            found.add(path)
            continue
        child = (*path, name)
        if not below:
            found.add(child)
        _decode(below, child, found)


def encode_fields(fields: FieldSet) -> JSONObject:
    """The `fieldsV1` of a set."""
    found: JSONObject = msgspec.json.decode(_encoded(fields))
    return found


@lru_cache(maxsize=_REMEMBERED)
def _encoded(fields: FieldSet) -> bytes:
    return msgspec.json.encode(as_tree(fields))


def as_tree(fields: Iterable[Path]) -> JSONObject:
    """The set as nested objects: `{}` is a member, and `.` marks a member that has children."""
    tree: JSONObject = {}
    for path in sorted(fields):
        here = tree
        for element in path:
            # Sorted, so a path comes before all that lies below it.
            here = _step(here, element)
        here["."] = {}
    return _without_lone_marks(tree)


def _step(here: JSONObject, element: Element) -> JSONObject:
    below = here.get(element)
    if not isinstance(below, dict):
        below = {}
        here[element] = below
    return below


def _without_lone_marks(tree: JSONObject) -> JSONObject:
    if tree.keys() == {_ITSELF}:
        return {}
    return {
        name: _without_lone_marks(below) if isinstance(below, dict) and name != _ITSELF else below
        for name, below in tree.items()
    }


def is_member(tree: JSONObject, element: Element) -> bool:
    """Whether the tree holds the element itself, and not only something below it."""
    below = tree.get(element)
    return isinstance(below, dict) and (not below or _ITSELF in below)


def below(tree: JSONObject, element: Element) -> JSONObject:
    """What the tree holds below the element."""
    child = tree.get(element)
    return {name: value for name, value in child.items() if name != _ITSELF} if isinstance(child, dict) else {}


def without_prefixes(fields: FieldSet, prefixes: Iterable[Path]) -> FieldSet:
    """The set without the given paths and all that lies below them."""
    doomed = tuple(prefixes)
    if not doomed:
        return fields
    if all(len(prefix) == 1 for prefix in doomed):
        first = {prefix[0] for prefix in doomed}
        return frozenset([path for path in fields if not path or path[0] not in first])
    return frozenset(path for path in fields if not any(path[: len(prefix)] == prefix for prefix in doomed))


def show_path(path: Path) -> str:
    """A path as the API server shows it: `.status.conditions[type="Ready"].status`."""
    return "".join(_show(element) for element in path)


def _show(element: Element) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "i":
        return f"[{rest}]"
    value = msgspec.json.decode(rest)
    if kind == "v":
        return f"[={_show_value(value)}]"
    return "[" + ",".join(f"{name}={_show_value(part)}" for name, part in value.items()) + "]"


def _show_value(value: JSON) -> str:
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, float):
        return go_float(value)
    return msgspec.json.encode(value).decode()
