"""Strategic merge patch, which merges lists of built-in kinds by the keys that their schema names."""

from __future__ import annotations

from certwright.apiserver.schema.node import Node, as_list, as_text, same
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.patches import PatchError

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def apply_strategic_merge(document: JSONObject, patch: JSON, schema: StructuralSchema) -> JSONObject:
    """`document` after the patch; the result may share parts with both. Raises PatchError for a wrong directive."""
    if not isinstance(patch, dict):
        raise PatchError("A strategic merge patch must be a JSON object.")
    return _merge_fields(schema.root, document, patch)


def _merge_fields(node: Node | None, fields: JSONObject, patch: JSONObject) -> JSONObject:
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise PatchError(f"The patch has an unknown directive {directive!r}; use replace, delete or merge.")
    result = _retained(fields, patch.get(_RETAIN))
    for name, value in patch.items():
        if name.startswith(_DELETE):
            _remove_members(result, name.removeprefix(_DELETE), value)
    for name, value in patch.items():
        if not name.startswith("$"):
            order = patch.get(_ORDER + name)
            _merge_field((result, name, value), _child(node, name), as_list(order) if order is not None else None)
    for name, value in patch.items():
        if name.startswith(_ORDER) and name.removeprefix(_ORDER) not in patch:
            _reorder(result, name.removeprefix(_ORDER), as_list(value), _child(node, name.removeprefix(_ORDER)))
    return result


def _child(node: Node | None, name: str) -> Node | None:
    if node is None:
        return None
    return node.properties.get(name) or node.additional


def _retained(fields: JSONObject, keep: JSON) -> JSONObject:
    if keep is None:
        return dict(fields)
    if not isinstance(keep, list):
        raise PatchError("$retainKeys must be a list of field names.")
    return {name: value for name, value in fields.items() if name in keep}


def _remove_members(fields: JSONObject, name: str, doomed: JSON) -> None:
    if not isinstance(doomed, list):
        raise PatchError(f"{_DELETE}{name} must be a list of values.")
    present = fields.get(name)
    if isinstance(present, list):
        fields[name] = [item for item in present if not any(same(item, each) for each in doomed)]


def _merge_field(what: tuple[JSONObject, str, JSON], node: Node | None, order: list[JSON] | None) -> None:
    fields, name, value = what
    present = fields.get(name)
    if value is None:
        fields.pop(name, None)
    elif isinstance(value, dict):
        if value.get(_DIRECTIVE) == "delete":
            fields.pop(name, None)
        elif isinstance(present, dict) and not _strategy(node, "replace"):
            fields[name] = _merge_fields(node, present, value)
        else:
            fields[name] = _merge_fields(node, {}, value)
    elif isinstance(value, list):
        merged = _merge_list(node, present if isinstance(present, list) else [], value)
        fields[name] = merged if order is None or node is None else _in_order((present, merged), order, node)
    else:
        fields[name] = value


def _strategy(node: Node | None, name: str) -> bool:
    return node is not None and name in as_text(node.raw.get("x-kubernetes-patch-strategy")).split(",")


def _merge_key(node: Node | None) -> str:
    return as_text(node.raw.get("x-kubernetes-patch-merge-key")) if node is not None else ""


def _merge_list(node: Node | None, present: list[JSON], patch: list[JSON]) -> list[JSON]:
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]
    if not _strategy(node, "merge") or node is None:
        return [_plain(item) for item in patch]
    key = _merge_key(node)
    if not key:
        return present + [item for item in patch if not any(same(item, each) for each in present)]
    result = list(present)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise PatchError(f"An item of a list that is merged by {key!r} does not name it; add {key!r} to the item.")
        _merge_item(result, item, key, node.items)
    return result


def _plain(item: JSON) -> JSON:
    return _merge_fields(None, {}, item) if isinstance(item, dict) else item


def _merge_item(items: list[JSON], patch: JSONObject, key: str, node: Node | None) -> None:
    index = _position(items, key, patch[key])
    if patch.get(_DIRECTIVE) == "delete":
        items[:] = [item for item in items if not (isinstance(item, dict) and same(item.get(key), patch[key]))]
    elif index is None:
        items.append(_merge_fields(node, {}, patch))
    else:
        present = items[index]
        items[index] = _merge_fields(node, present if isinstance(present, dict) else {}, patch)


def _position(items: list[JSON], key: str, value: JSON) -> int | None:
    for index, item in enumerate(items):
        if isinstance(item, dict) and key in item and same(item[key], value):
            return index
    return None


def _reorder(fields: JSONObject, name: str, order: list[JSON], node: Node | None) -> None:
    present = fields.get(name)
    if isinstance(present, list) and node is not None:
        fields[name] = _in_order((present, present), order, node)


def _in_order(lists: tuple[JSON, list[JSON]], order: list[JSON], node: Node) -> list[JSON]:
    """The merged items in the wished order; those that the order does not name stay near their old neighbours."""
    before, merged = as_list(lists[0]), lists[1]
    key = _merge_key(node)
    wanted = [_identity(item, key) for item in order]
    old = [_identity(item, key) for item in before]
    named = [item for item in merged if _identity(item, key) in wanted]
    named.sort(key=lambda item: wanted.index(_identity(item, key)))
    others = [item for item in merged if _identity(item, key) not in wanted]
    result: list[JSON] = []
    while named and others:
        first, other = _identity(named[0], key), _identity(others[0], key)
        stood_before = first in old and other in old and old.index(other) < old.index(first)
        result.append(others.pop(0) if stood_before else named.pop(0))
    return result + named + others


def _identity(item: JSON, key: str) -> str:
    return repr(item.get(key)) if key and isinstance(item, dict) else repr(item)
