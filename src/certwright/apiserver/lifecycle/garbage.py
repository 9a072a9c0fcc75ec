"""Garbage collection: objects go when all their owners are gone."""

from __future__ import annotations

from collections import deque
from typing import Literal, NamedTuple

from certwright.apiserver import objects
from certwright.apiserver.conversion import storage_key
from certwright.apiserver.lifecycle.internal import amend, erase
from certwright.apiserver.lifecycle.worker import Worker
from certwright.apiserver.storage.history import Change, Owner, Stored
from certwright.apiserver.storage.store import Changed
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import DeleteOptions
from certwright.apiserver.verbs.writing import FOREGROUND, ORPHAN
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.keys import ObjectKey

# So many removed objects are remembered, for references to kinds that are no longer served.
_REMEMBERED = 10_000
OwnerState = Literal["there", "waiting", "gone"]


class Node(NamedTuple):
    """An object, by resource and key."""

    resource: str
    key: ObjectKey


class Garbage:
    """Follows owner references as a cluster's garbage collector does."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._dependents: dict[str, set[Node]] = {}
        self._gone: set[str] = set()
        self._gone_order: deque[str] = deque()
        self.worker = Worker("garbage", self._look, api.clock)

    def start(self) -> None:
        """Know all references there are, and look at each once."""
        for resource in self._api.store.resources():
            for stored in self._api.store.list(resource):
                self._refer(Node(resource, stored.key), stored)
        self._api.store.listen("", self._notice)
        self.worker.start()

    def _refer(self, node: Node, stored: Stored) -> None:
        for owner in stored.owners:
            self._dependents.setdefault(owner.uid, set()).add(node)
        if stored.owners or _is_waiting(stored):
            self.worker.add(node)

    def _forget(self, node: Node, stored: Stored) -> None:
        for owner in stored.owners:
            nodes = self._dependents.get(owner.uid)
            if nodes:
                nodes.discard(node)
                if not nodes:
                    del self._dependents[owner.uid]
                # An owner that is deleted in foreground may have waited for this one.
                self._wake_owner(node, owner)

    def _wake_owner(self, node: Node, owner: Owner) -> None:
        found = self._find_owner(node, owner)
        if found:
            self.worker.add(found[0])

    def _notice(self, change: Change) -> None:
        node = Node(change.resource, change.stored.key)
        if change.kind == "DELETED":
            self._forget(node, change.stored)
            self._remember(change.stored.uid)
            for dependent in self._dependents.get(change.stored.uid, ()):
                self.worker.add(dependent)
            return
        if change.before is not None and change.before.owners != change.stored.owners:
            self._forget(node, change.before)
        if change.before is None or change.before.owners != change.stored.owners:
            self._refer(node, change.stored)
        elif _is_waiting(change.stored):
            self.worker.add(node)

    def _remember(self, uid: str) -> None:
        self._gone.add(uid)
        self._gone_order.append(uid)
        if len(self._gone_order) > _REMEMBERED:
            self._gone.discard(self._gone_order.popleft())

    async def _look(self, node: Node) -> None:
        stored = self._api.store.get(node.resource, node.key)
        if stored is None:
            return
        try:
            self._settle(node, stored)
        except Changed:
            self.worker.add(node)

    def _settle(self, node: Node, stored: Stored) -> None:
        metadata = objects.meta(stored.obj())
        finalizers = objects.texts(metadata, "finalizers")
        if metadata.get("deletionTimestamp"):
            if ORPHAN in finalizers:
                self._orphan(node, stored)
            elif FOREGROUND in finalizers:
                self._wait_for_dependents(node, stored)
            return
        if stored.owners:
            self._collect(node, stored, finalizers)

    def _collect(self, node: Node, stored: Stored, finalizers: list[str]) -> None:
        """Delete an object without owners; take dead references from one that still has some."""
        states = {owner.uid: self._state(node, owner) for owner in stored.owners}
        if "there" in states.values():
            dead = {uid for uid, state in states.items() if state != "there"}
            if dead:
                self._cut(node, stored, dead)
            return
        policy = "Background"
        if ORPHAN in finalizers:
            policy = "Orphan"
        elif FOREGROUND in finalizers or ("waiting" in states.values() and self._dependents.get(stored.uid)):
            policy = "Foreground"
        definition = self._api.served.by_storage_key(node.resource)
        if definition:
            erase(self._api, definition, stored, DeleteOptions(propagation=policy))

    def _state(self, node: Node, owner: Owner) -> OwnerState:
        if owner.uid in self._gone:
            return "gone"
        definition = self._api.served.find_kind(owner.api_version, owner.kind)
        if definition is None or (definition.resource.namespaced and not node.key.namespace):
            # Nothing can be said of a kind that is not served, so nothing is deleted.
            return "there"
        found = self._find_owner(node, owner)
        if found is None:
            return "gone"
        return "waiting" if _waits_in_foreground(found[1]) else "there"

    def _find_owner(self, node: Node, owner: Owner) -> tuple[Node, Stored] | None:
        definition = self._api.served.find_kind(owner.api_version, owner.kind)
        if definition is None:
            return None
        namespace = node.key.namespace if definition.resource.namespaced else ""
        found = Node(storage_key(definition), ObjectKey(namespace, owner.name))
        stored = self._api.store.get(*found)
        return (found, stored) if stored and stored.uid == owner.uid else None

    def _cut(self, node: Node, stored: Stored, uids: set[str]) -> None:
        definition = self._api.served.by_storage_key(node.resource)
        if definition is None:
            return

        def cut(obj: JSONObject) -> None:
            metadata = objects.meta(obj)
            kept: list[JSON] = [
                entry for entry in objects.children(metadata, "ownerReferences") if entry.get("uid") not in uids
            ]
            if kept:
                metadata["ownerReferences"] = kept
            else:
                metadata.pop("ownerReferences", None)

        amend(self._api, definition, stored, cut)

    def _orphan(self, node: Node, stored: Stored) -> None:
        for dependent in list(self._dependents.get(stored.uid, ())):
            held = self._api.store.get(*dependent)
            if held:
                self._cut(dependent, held, {stored.uid})
        self._drop_finalizer(node, ORPHAN)

    def _wait_for_dependents(self, node: Node, stored: Stored) -> None:
        is_blocked = False
        for dependent in list(self._dependents.get(stored.uid, ())):
            held = self._api.store.get(*dependent)
            if held is None:
                continue
            is_blocked |= any(owner.uid == stored.uid and owner.blocks for owner in held.owners)
            self.worker.add(dependent)
        if not is_blocked:
            self._drop_finalizer(node, FOREGROUND)

    def _drop_finalizer(self, node: Node, finalizer: str) -> None:
        definition, stored = self._api.served.by_storage_key(node.resource), self._api.store.get(*node)
        if definition is None or stored is None:
            return

        def drop(obj: JSONObject) -> None:
            metadata = objects.meta(obj)
            kept: list[JSON] = [name for name in objects.texts(metadata, "finalizers") if name != finalizer]
            if kept:
                metadata["finalizers"] = kept
            else:
                metadata.pop("finalizers", None)

        amend(self._api, definition, stored, drop)


def _is_waiting(stored: Stored) -> bool:
    return b"deletionTimestamp" in stored.body and (
        FOREGROUND.encode() in stored.body or f'"{ORPHAN}"'.encode() in stored.body
    )


def _waits_in_foreground(stored: Stored) -> bool:
    if not _is_waiting(stored):
        return False
    metadata = objects.meta(stored.obj())
    return bool(metadata.get("deletionTimestamp")) and FOREGROUND in objects.texts(metadata, "finalizers")
