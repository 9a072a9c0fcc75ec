"""All objects in memory, written through to the database, with their recent history and those who listen."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from certwright.apiserver import objects
from certwright.apiserver.storage.database import Database, Row
from certwright.apiserver.storage.history import Change, History, Stored
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey

Listener = Callable[[Change], None]
Changes = list[Change]
States = list[Stored]


class Taken(Exception):
    """An object of that name exists."""


class Changed(Exception):
    """The object is no longer the one that the write started from."""


class _Collection(Struct):
    namespaces: dict[str, dict[str, Stored]]
    history: History
    listeners: list[Listener]


class Store:
    """The objects of all resources. Every call is synchronous, so that nothing comes between a look and a write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collections: dict[str, _Collection] = {}
        self._everywhere: list[Listener] = []
        self.revision = 1
        self._load()

    def _load(self) -> None:
        removals = self._database.removals()
        floors = dict(removals)
        for row in self._database.rows():
            stored = Stored.of(ObjectKey(row.namespace, row.name), row.revision, row.body)
            self._collection(row.resource).namespaces.setdefault(row.namespace, {})[row.name] = stored
            floors[row.resource] = max(floors.get(row.resource, 0), row.revision)
        for resource, floor in floors.items():
            self._collection(resource).history = History(floor)
        self.revision = max(floors.values(), default=1)

    def _collection(self, resource: str) -> _Collection:
        found = self._collections.get(resource)
        if found is None:
            # What was before nobody has seen: there was nothing, or nobody knew of the resource.
            found = self._collections[resource] = _Collection({}, History(self.revision), [])
        return found

    def get(self, resource: str, key: ObjectKey) -> Stored | None:
        """The object, or None."""
        names = self._collection(resource).namespaces.get(key.namespace)
        return names.get(key.name) if names else None

    def list(self, resource: str, namespace: str = "") -> list[Stored]:
        """The objects of one namespace, or of all, by namespace and name."""
        namespaces = self._collection(resource).namespaces
        wanted = [namespace] if namespace else sorted(namespaces)
        return [names[name] for ns in wanted if (names := namespaces.get(ns)) for name in sorted(names)]

    def list_at(self, resource: str, revision: int) -> States | None:
        """All objects as they were at a revision, or None where that is forgotten."""
        changes = self._collection(resource).history.since(revision)
        if changes is None:
            return None
        found = {stored.key: stored for stored in self.list(resource)}
        for change in reversed(changes):
            if change.before is None:
                del found[change.stored.key]
            else:
                found[change.stored.key] = change.before
        return [found[key] for key in sorted(found)]

    def count(self, resource: str) -> int:
        """How many objects there are."""
        return sum(len(names) for names in self._collection(resource).namespaces.values())

    def resources(self) -> tuple[str, ...]:
        """The names under which objects are, or were, stored."""
        return tuple(self._collections)

    def since(self, resource: str, revision: int) -> Changes | None:
        """The changes after a revision, or None where they are forgotten."""
        return self._collection(resource).history.since(revision)

    def create(self, resource: str, obj: JSONObject) -> Stored:
        """Store a new object (canonical form) under a new revision; raises Taken."""
        key = object_key(obj)
        if self.get(resource, key) is not None:
            raise Taken
        stored = self._put(resource, key, obj)
        self._tell(Change("ADDED", resource, stored, None))
        return stored

    def replace(self, resource: str, before: Stored, obj: JSONObject) -> Stored:
        """Store the next state of an object; raises Changed where `before` is not its present state."""
        self._expect(resource, before)
        stored = self._put(resource, before.key, obj)
        self._tell(Change("MODIFIED", resource, stored, before))
        return stored

    def remove(self, resource: str, before: Stored, last: JSONObject | None = None) -> Stored:
        """Take an object away; its last state, under the revision of its removal, is returned and told."""
        self._expect(resource, before)
        obj = objects.decode(before.body) if last is None else last
        revision = self.revision + 1
        objects.meta(obj)["resourceVersion"] = str(revision)
        stored = Stored.of(before.key, revision, objects.encode(obj))
        self._database.remove(Row(resource, before.key.namespace, before.key.name, revision, b""))
        self.revision = revision
        names = self._collection(resource).namespaces[before.key.namespace]
        del names[before.key.name]
        self._tell(Change("DELETED", resource, stored, before))
        return stored

    def listen(self, resource: str, listener: Listener) -> Callable[[], None]:
        """Tell `listener` every change of a resource ('' for all), in order, until the returned function is called."""
        listeners = self._collection(resource).listeners if resource else self._everywhere
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    def _put(self, resource: str, key: ObjectKey, obj: JSONObject) -> Stored:
        revision = self.revision + 1
        objects.meta(obj)["resourceVersion"] = str(revision)
        stored = Stored.of(key, revision, objects.encode(obj), obj)
        self._database.put(Row(resource, key.namespace, key.name, revision, stored.body))
        self.revision = revision
        self._collection(resource).namespaces.setdefault(key.namespace, {})[key.name] = stored
        return stored

    def _expect(self, resource: str, before: Stored) -> None:
        present = self.get(resource, before.key)
        if present is None or present.revision != before.revision:
            raise Changed

    def _tell(self, change: Change) -> None:
        collection = self._collection(change.resource)
        collection.history.add(change)
        for listener in (*collection.listeners, *self._everywhere):
            listener(change)


def object_key(obj: JSONObject) -> ObjectKey:
    """Namespace and name of an object."""
    metadata = objects.meta(obj)
    return ObjectKey(objects.text(metadata, "namespace"), objects.text(metadata, "name"))
