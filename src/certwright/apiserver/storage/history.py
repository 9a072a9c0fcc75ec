"""The recent changes of one resource, kept in memory, bounded."""

from __future__ import annotations

from collections import deque
from typing import Literal

from msgspec import Struct

from certwright.apiserver import objects
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey

KEPT = 5000


class Owner(Struct, frozen=True):
    """One entry of `metadata.ownerReferences`."""

    api_version: str
    kind: str
    name: str
    uid: str
    blocks: bool


class Stored(Struct, frozen=True):
    """One state of one object: its JSON in the storage version, and beside it what is asked for often."""

    key: ObjectKey
    uid: str
    revision: int
    body: bytes
    labels: dict[str, str]
    owners: tuple[Owner, ...]

    @classmethod
    def of(cls, key: ObjectKey, revision: int, body: bytes, obj: JSONObject | None = None) -> Stored:
        """The state that `body` holds; `obj` is the same, decoded, where the caller has it."""
        metadata = objects.meta(objects.decode(body) if obj is None else obj)
        return cls(
            key,
            objects.text(metadata, "uid"),
            revision,
            body,
            objects.strings(metadata, "labels") if metadata.get("labels") else {},
            owners_of(metadata) if metadata.get("ownerReferences") else (),
        )

    def obj(self) -> JSONObject:
        """A fresh copy that the caller may change."""
        return objects.decode(self.body)


def owners_of(metadata: JSONObject) -> tuple[Owner, ...]:
    """The owner references of an object."""
    return tuple(
        Owner(
            objects.text(entry, "apiVersion"),
            objects.text(entry, "kind"),
            objects.text(entry, "name"),
            objects.text(entry, "uid"),
            entry.get("blockOwnerDeletion") is True,
        )
        for entry in objects.children(metadata, "ownerReferences")
    )


class Change(Struct, frozen=True):
    """One step of one object. For DELETED, `stored` is its last state under the revision of the removal."""

    kind: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: str
    stored: Stored
    before: Stored | None


class History:
    """The last `kept` changes after `floor`; what lies before is forgotten."""

    def __init__(self, floor: int, kept: int = KEPT) -> None:
        self._floor = floor
        self._kept = kept
        self._changes: deque[Change] = deque()

    def add(self, change: Change) -> None:
        """Append the newest change."""
        self._changes.append(change)
        if len(self._changes) > self._kept:
            self._floor = self._changes.popleft().stored.revision

    def since(self, revision: int) -> list[Change] | None:
        """The changes after `revision`, oldest first; None where some of them are forgotten."""
        if revision < self._floor:
            return None
        found: list[Change] = []
        for change in reversed(self._changes):
            if change.stored.revision <= revision:
                break
            found.append(change)
        found.reverse()
        return found
