"""The entries of `metadata.managedFields`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from certwright.apiserver.apply.fieldset import EMPTY, FieldSet, decode_fields, encode_fields
from certwright.apiserver.objects import children, text, timestamp
from certwright.apiserver.schema.causes import go_quote
from certwright.kube.wire.json import JSON, JSONObject

# More entries of updates than this are drawn together, as the API server does.
MOST_UPDATERS = 10
ANCIENT = "ancient-changes"


class Manager(Struct, frozen=True):
    """Who owns fields; for Apply the version of the API does not count."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    @property
    def shown(self) -> str:
        """The manager as messages name it: `"kubectl" using v1`, or for Apply the bare name."""
        name = go_quote(self.name) + (f" with subresource {go_quote(self.subresource)}" if self.subresource else "")
        return f"{name} using {self.api_version}" if self.operation == "Update" else name


class Owned(Struct, frozen=True):
    """The fields of one manager; `time` is RFC 3339, or empty."""

    fields: FieldSet
    api_version: str
    time: str = ""


Owners = dict[Manager, Owned]


class Writer(Struct, frozen=True):
    """Who writes, in which version and through which subresource; `ignored` are top-level fields that it cannot set."""

    manager: str
    api_version: str
    now: datetime
    subresource: str = ""
    ignored: tuple[str, ...] = ()

    def entry(self, operation: str) -> Manager:
        """The manager that this writer is."""
        version = self.api_version if operation == "Update" else ""
        return Manager(self.manager or "unknown", operation, version, self.subresource)

    @property
    def time(self) -> str:
        """Now, as managed fields write it."""
        return timestamp(self.now)


def decode_owners(entries: Iterable[JSONObject]) -> Owners:
    """The owners that `managedFields` names; empty where an entry cannot be read, as the API server does."""
    owners: Owners = {}
    for entry in entries:
        operation, version = text(entry, "operation"), text(entry, "apiVersion")
        if operation not in {"Apply", "Update"} or not version or text(entry, "fieldsType") != "FieldsV1":
            return {}
        key = Manager(
            text(entry, "manager"), operation, version if operation == "Update" else "", text(entry, "subresource")
        )
        owners[key] = Owned(decode_fields(entry.get("fieldsV1")), version, text(entry, "time"))
    return owners


def encode_owners(owners: Owners) -> list[JSON]:
    """The entries, in the API server's order: Apply first, then by time and name."""
    ordered = sorted(
        owners.items(),
        key=lambda pair: (
            pair[0].operation,
            pair[1].time,
            pair[0].name,
            pair[1].api_version,
            pair[0].subresource,
        ),
    )
    return [_entry(manager, owned) for manager, owned in ordered]


def _entry(manager: Manager, owned: Owned) -> JSONObject:
    entry: JSONObject = {
        "apiVersion": owned.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": encode_fields(owned.fields),
        "manager": manager.name,
        "operation": manager.operation,
    }
    if manager.subresource:
        entry["subresource"] = manager.subresource
    if owned.time:
        entry["time"] = owned.time
    return entry


def cap_updaters(owners: Owners) -> Owners:
    """The owners with the oldest updates drawn together where there are too many."""
    updates = [manager for manager in owners if manager.operation == "Update"]
    if len(updates) <= MOST_UPDATERS:
        return owners
    updates.sort(key=lambda manager: (owners[manager].time, manager.name))
    surplus = len(updates) - MOST_UPDATERS + 1
    oldest: dict[str, list[Manager]] = {}
    for manager in updates[:surplus]:
        oldest.setdefault(owners[manager].api_version, []).append(manager)
    kept = {manager: owned for manager, owned in owners.items() if manager not in updates[:surplus]}
    for version, managers in oldest.items():
        fields = EMPTY.union(*(owners[manager].fields for manager in managers))
        last = max(owners[manager].time for manager in managers)
        kept[Manager(ANCIENT, "Update", version)] = Owned(fields, version, last)
    return kept


def entries_of(obj: JSONObject) -> list[JSONObject]:
    """The entries that an object carries."""
    metadata = obj.get("metadata")
    return children(metadata, "managedFields") if isinstance(metadata, dict) else []


def set_owners(obj: JSONObject, owners: Owners) -> None:
    """Write the entries into an object."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
        obj["metadata"] = metadata
    if owners:
        metadata["managedFields"] = encode_owners(owners)
    else:
        metadata.pop("managedFields", None)
