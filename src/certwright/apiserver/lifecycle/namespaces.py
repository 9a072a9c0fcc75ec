"""Namespaces: the default ones, their default accounts, and the end of one with all that is in it."""

from __future__ import annotations

from certwright.apiserver import objects
from certwright.apiserver.conversion import storage_key
from certwright.apiserver.definition import Definition
from certwright.apiserver.lifecycle.internal import amend, erase, make, set_condition
from certwright.apiserver.lifecycle.worker import Worker
from certwright.apiserver.storage.history import Change, Stored
from certwright.apiserver.verbs.api import Api
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import CONFIGMAPS, NAMESPACES, SERVICEACCOUNTS

DEFAULT_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
ACCOUNT = "default"
ROOT_CERTIFICATE = "kube-root-ca.crt"
_FINALIZER = "kubernetes"
# Type of the condition, reason and message where all is well.
_GOOD = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


class Namespaces:
    """Keeps namespaces as a cluster's controllers do."""

    def __init__(self, api: Api, root_certificate: str) -> None:
        self._api = api
        self._root_certificate = root_certificate
        self.worker = Worker("namespaces", self._look, api.clock)
        self._terminating: set[str] = set()

    def start(self) -> None:
        """Make the default namespaces, and look at all there are."""
        definition = self._definition()
        for name in DEFAULT_NAMESPACES:
            make(self._api, definition, {"metadata": {"name": name}})
        for stored in self._api.store.list(NAMESPACES.qualified):
            self.worker.add(stored.key.name)
        self._api.store.listen("", self._notice)
        self.worker.start()

    def _definition(self) -> Definition:
        found = self._api.served.find("", "v1", NAMESPACES.plural)
        assert found is not None
        return found

    def _notice(self, change: Change) -> None:
        key = change.stored.key
        if change.resource == NAMESPACES.qualified:
            self.worker.add(key.name)
        elif (
            change.kind == "DELETED"
            and (key.namespace in self._terminating or change.resource == SERVICEACCOUNTS.qualified)
        ) or (change.resource == CONFIGMAPS.qualified and key.name == ROOT_CERTIFICATE):
            self.worker.add(key.namespace)

    async def _look(self, name: str) -> None:
        stored = self._api.store.get(NAMESPACES.qualified, ObjectKey("", name))
        if stored is None:
            self._terminating.discard(name)
        elif "deletionTimestamp" not in objects.meta(stored.obj()):
            self._give_account(name)
            self._give_root_certificate(name)
        else:
            self._terminating.add(name)
            self._empty(stored)

    def _give_account(self, name: str) -> None:
        definition = self._api.served.find("", "v1", SERVICEACCOUNTS.plural)
        if definition:
            make(self._api, definition, {"metadata": {"name": ACCOUNT, "namespace": name}})

    def _give_root_certificate(self, name: str) -> None:
        """The ConfigMap by which programs in the namespace know the server; what others wrote into it is undone."""
        definition = self._api.served.find("", "v1", CONFIGMAPS.plural)
        if definition is None:
            return
        data: JSONObject = {"ca.crt": self._root_certificate}
        metadata: JSONObject = {"name": ROOT_CERTIFICATE, "namespace": name}
        metadata["annotations"] = {"kubernetes.io/description": "The CA by which clients verify this API server."}
        make(self._api, definition, {"metadata": metadata, "data": data})
        present = self._api.find(definition, ObjectKey(name, ROOT_CERTIFICATE))
        if present:
            amend(self._api, definition, present, lambda obj: obj.update(data=data))

    def _empty(self, stored: Stored) -> None:
        name = stored.key.name
        left: dict[str, list[Stored]] = {}
        for definition in self._api.served.storage():
            if not definition.resource.namespaced:
                continue
            for item in self._api.store.list(storage_key(definition), name):
                erase(self._api, definition, item)
            remaining = self._api.store.list(storage_key(definition), name)
            if remaining:
                left[definition.resource.qualified] = remaining
        # What was deleted has changed nothing of the namespace itself; it is looked up for the case that it did.
        present = self._api.store.get(NAMESPACES.qualified, stored.key)
        if present is None:
            return
        if left:
            amend(self._api, self._definition(), present, lambda obj: self._tell_left(obj, left))
        else:
            amend(self._api, self._definition(), present, _finish)

    def _tell_left(self, obj: JSONObject, left: dict[str, list[Stored]]) -> None:
        now = objects.timestamp(self._api.clock.now())
        for kind, reason, message in _GOOD:
            set_condition(obj, {"type": kind, "status": "False", "reason": reason, "message": message}, now)
        counts = ", ".join(f"{name} has {len(items)} resource instances" for name, items in sorted(left.items()))
        message = f"Some resources are remaining: {counts}"
        condition: JSONObject = {"type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain"}
        set_condition(obj, {**condition, "message": message}, now)
        finalizers: dict[str, int] = {}
        for items in left.values():
            for item in items:
                for finalizer in objects.texts(objects.meta(item.obj()), "finalizers"):
                    finalizers[finalizer] = finalizers.get(finalizer, 0) + 1
        if finalizers:
            listed = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
            condition = {"type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain"}
            message = f"Some content in the namespace has finalizers remaining: {listed}"
            set_condition(obj, {**condition, "message": message}, now)


def _finish(obj: JSONObject) -> None:
    spec = objects.ensure(obj, "spec")
    spec["finalizers"] = [name for name in objects.texts(spec, "finalizers") if name != _FINALIZER]
