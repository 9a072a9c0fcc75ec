"""Ownership of the fields that an update (create, replace or patch) changes."""

from __future__ import annotations

from certwright.apiserver.apply.managers import (
    Owned,
    Owners,
    Writer,
    cap_updaters,
    decode_owners,
    entries_of,
    set_owners,
)
from certwright.apiserver.apply.ownership import changes_by, ownable, take_from_others
from certwright.apiserver.apply.walk import TypedError
from certwright.apiserver.schema.node import same
from certwright.apiserver.schema.structural import StructuralSchema
from certwright.kube.wire.json import JSON, JSONObject


def track_update(old: JSONObject | None, new: JSONObject, writer: Writer, schema: StructuralSchema) -> None:
    """Write `metadata.managedFields` of `new`, which replaces `old` (None for a create).

    A client may rewrite the entries itself, save through a subresource; an object without entries stays without.
    Where nothing but times would differ from `old`, the old entries stay.
    """
    base = _base(old, new, writer)
    if base is None or (not base and old is not None):
        set_owners(new, {})
        return
    try:
        changes = changes_by(writer, schema.root, old, new)
    except TypedError:
        set_owners(new, base)
        return
    owners = take_from_others(base, changes, None)
    mine = ownable(frozenset(changes.added | changes.modified), writer)
    if mine:
        key = writer.entry("Update")
        before = owners.get(key)
        fields = mine | before.fields if before else mine
        owners[key] = Owned(fields, writer.api_version, writer.time)
    set_owners(new, cap_updaters(owners))
    if old is not None:
        keep_times(old, new)


def _base(old: JSONObject | None, new: JSONObject, writer: Writer) -> Owners | None:
    """The owners before the write; None where the client asks to forget them."""
    before = decode_owners(entries_of(old)) if old is not None else {}
    metadata = new.get("metadata")
    given = metadata.get("managedFields") if isinstance(metadata, dict) else None
    if writer.subresource or not isinstance(given, list):
        return before
    if not given or given == [{}]:
        return None if old is not None else {}
    return decode_owners(entries_of(new)) or before


def keep_times(old: JSONObject, new: JSONObject) -> None:
    """Where the new object differs from the old in times of managed fields only, give it the old times."""
    # Nearly every write differs in more than that, and is seen to at little cost.
    if not same(_without_entries(old), _without_entries(new)):
        return
    if same(_without_times(old), _without_times(new)):
        set_entries(new, old)


def set_entries(target: JSONObject, source: JSONObject) -> None:
    """Give `target` the managed fields of `source`."""
    metadata, given = target.get("metadata"), source.get("metadata")
    if isinstance(metadata, dict) and isinstance(given, dict) and "managedFields" in given:
        metadata["managedFields"] = given["managedFields"]


def _without_entries(obj: JSONObject) -> JSONObject:
    metadata = obj.get("metadata")
    fields = metadata if isinstance(metadata, dict) else {}
    kept = {name: value for name, value in fields.items() if name not in {"resourceVersion", "managedFields"}}
    return {**obj, "metadata": kept}


def _without_times(obj: JSONObject) -> JSONObject:
    entries: list[JSON] = [
        {name: value for name, value in entry.items() if name != "time"} for entry in entries_of(obj)
    ]
    entries.sort(key=str)
    metadata = obj.get("metadata")
    fields = metadata if isinstance(metadata, dict) else {}
    kept = {name: value for name, value in fields.items() if name != "resourceVersion"}
    return {**obj, "metadata": {**kept, "managedFields": entries}}
