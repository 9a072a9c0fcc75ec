"""Server-side apply."""

from __future__ import annotations

from certwright.apiserver.apply.fieldset import EMPTY, FieldSet, as_tree, show_path
from certwright.apiserver.apply.last_applied import remaining_conflicts, renew_annotation
from certwright.apiserver.apply.managers import (
    Manager,
    Owned,
    Owners,
    Writer,
    cap_updaters,
    decode_owners,
    entries_of,
    set_owners,
)
from certwright.apiserver.apply.ownership import changes_by, conflicts, ownable, take_from_others
from certwright.apiserver.apply.track import keep_times
from certwright.apiserver.apply.walk import TypedError, compare, field_set, merge, trim, with_named_parents
from certwright.apiserver.objects import copy, text
from certwright.apiserver.schema.causes import Cause
from certwright.apiserver.schema.node import Node, as_object, same
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.kube.wire.json import JSON, JSONObject

BEFORE_APPLY = "before-first-apply"


class ApplyConflict(Exception):
    """Other managers own fields that the applied object sets to something else."""

    def __init__(self, found: dict[Manager, FieldSet]) -> None:
        self.found = found
        pairs = [(manager, path) for manager in sorted(found, key=_order) for path in sorted(found[manager])]
        self.causes = [
            Cause("FieldManagerConflict", f"conflict with {manager.shown}", show_path(path)) for manager, path in pairs
        ]
        super().__init__(_message(found, len(pairs)))


class ApplyRefused(ValueError):
    """An applied object that cannot be merged; `is_request_fault` where the API server answers 400, else 500."""

    def __init__(self, message: str, is_request_fault: bool = False) -> None:
        super().__init__(message)
        self.is_request_fault = is_request_fault


def _order(manager: Manager) -> tuple[str, str, str]:
    return (manager.name, manager.operation, manager.subresource)


def _message(found: dict[Manager, FieldSet], count: int) -> str:
    if count == 1:
        ((manager, fields),) = found.items()
        return f"Apply failed with 1 conflict: conflict with {manager.shown}: {show_path(next(iter(fields)))}"
    lines: list[str] = []
    for manager in sorted(found, key=_order):
        lines.append(f"conflicts with {manager.shown}:")
        lines += [f"- {show_path(path)}" for path in sorted(found[manager])]
    return f"Apply failed with {count} conflicts: " + "\n".join(lines)


def server_side_apply(
    live: JSONObject | None, applied: JSONObject, writer: Writer, schema: StructuralSchema, force: bool = False
) -> JSONObject:
    """The object after the apply, with its managed fields; `live` is left as it is.

    Where nothing changes, the answer equals `live`. Defaults are the caller's to fill in.
    Raises ApplyConflict and ApplyRefused.
    """
    if as_object(applied.get("metadata")).get("managedFields") is not None:
        raise ApplyRefused("metadata.managedFields must be nil", is_request_fault=True)
    node = schema.root
    try:
        refuse_unknown(node, applied)
        named = field_set(node, applied)
        result = _apply_as_kubectl(_with_owners(live, writer, node), applied, (named, writer, force), node)
    except TypedError as error:
        raise ApplyRefused(f"failed to create typed patch object ({_name_of(applied)}): {error}") from error
    if live is not None:
        keep_times(live, result)
    return result


def _name_of(obj: JSONObject) -> str:
    metadata = as_object(obj.get("metadata"))
    group_version = text(obj, "apiVersion")
    shown = group_version if "/" in group_version else f"/{group_version}"
    return f"{text(metadata, 'namespace')}/{text(metadata, 'name')}; {shown}, Kind={text(obj, 'kind')}"


def refuse_unknown(node: Node | None, value: JSON, path: str = "") -> None:
    """Raise TypedError for a field that the schema does not declare."""
    if isinstance(value, dict) and node is not None and node.properties and node.additional is None:
        for name, part in value.items():
            known = node.properties.get(name)
            if known is None and not node.preserves_unknown and not node.additional_open:
                raise TypedError(f"{path}.{name}: field not declared in schema")
            refuse_unknown(known, part, f"{path}.{name}")
    elif isinstance(value, dict) and node is not None and node.additional is not None:
        for name, part in value.items():
            refuse_unknown(node.additional, part, f"{path}.{name}")
    elif isinstance(value, list) and node is not None:
        for index, item in enumerate(value):
            refuse_unknown(node.items, item, f"{path}[{index}]")


def _with_owners(live: JSONObject | None, writer: Writer, node: Node) -> tuple[JSONObject, Owners]:
    """The live object and its owners; fields that were written before anyone tracked them get an owner of their own."""
    if live is None:
        return {}, {}
    bare = copy(live)
    set_owners(bare, {})
    owners = decode_owners(entries_of(live))
    if not owners:
        changes = compare(node, {}, bare)
        earlier = Writer(BEFORE_APPLY, writer.api_version, writer.now, writer.subresource, writer.ignored)
        fields = ownable(frozenset(changes.added | changes.modified), earlier)
        if fields:
            owners[earlier.entry("Update")] = Owned(fields, writer.api_version, earlier.time)
    return bare, owners


def _apply_as_kubectl(
    state: tuple[JSONObject, Owners], applied: JSONObject, request: tuple[FieldSet, Writer, bool], node: Node
) -> JSONObject:
    """The apply, where kubectl is not held up by what it applied itself on the client's side."""
    named, writer, _ = request
    try:
        result = _apply(state, applied, request, node)
    except ApplyConflict as conflict:
        left = remaining_conflicts(conflict.found, state[0], writer, node)
        if left:
            raise ApplyConflict(left) from conflict
        result = _apply(state, applied, (named, writer, True), node)
    renew_annotation(result, applied, writer)
    return result


def _apply(
    state: tuple[JSONObject, Owners], applied: JSONObject, request: tuple[FieldSet, Writer, bool], node: Node
) -> JSONObject:
    (live, owners), (named, writer, force) = state, request
    me = writer.entry("Apply")
    last = owners[me].fields if me in owners else EMPTY
    mine = frozenset(path for path in named if path in ownable(named, writer) or path[0] in _IDENTITY)
    mine = _without_ignored(mine, writer)
    owners = {**owners, me: Owned(mine, writer.api_version, owners[me].time if me in owners else "")}
    merged = merge(node, live, applied)
    result = as_object(_without_abandoned(node, merged, last, owners) if last else merged)
    changes = changes_by(writer, node, live, result)
    found = conflicts(owners, changes, me)
    if found and not force:
        raise ApplyConflict(found)
    owners = take_from_others(owners, changes, me)
    is_changed = not same(live, result)
    _settle(owners, me, writer, is_changed)
    answer = copy(result if is_changed else live)
    set_owners(answer, cap_updaters(owners))
    return answer


_IDENTITY = frozenset({"f:apiVersion", "f:kind", "f:metadata"})


def _without_ignored(fields: FieldSet, writer: Writer) -> FieldSet:
    ignored = {f"f:{name}" for name in writer.ignored}
    return frozenset(path for path in fields if path[0] not in ignored)


def _settle(owners: Owners, me: Manager, writer: Writer, is_changed: bool) -> None:
    """Strip what nobody owns from the applier's fields, and date them if the object changed."""
    mine = owners[me]
    fields = ownable(mine.fields, writer)
    if fields:
        owners[me] = Owned(fields, mine.api_version, writer.time if is_changed else mine.time)
    else:
        del owners[me]


def _without_abandoned(node: Node, merged: JSON, last: FieldSet, owners: Owners) -> JSON:
    """`merged` without the fields that the applier named last time, and that neither it nor anyone names now."""
    if last <= EMPTY.union(*(each.fields for each in owners.values())):
        return merged
    lasting = with_named_parents(node, last)
    everything = with_named_parents(node, field_set(node, merged))
    pruned = trim(node, merged, as_tree(lasting))
    owned = with_named_parents(node, EMPTY.union(*(each.fields for each in owners.values())))
    kept = with_named_parents(node, field_set(node, pruned))
    added_back = trim(node, merged, as_tree(everything - (kept | owned)))
    # A field that no manager owned was never the applier's to remove.
    kept_now = with_named_parents(node, field_set(node, added_back))
    return trim(node, merged, as_tree((everything - kept_now) & lasting))
