"""CustomResourceDefinitions: accepted, established and served; and their end with all their objects."""

from __future__ import annotations

import logging

from certwright.apiserver import objects
from certwright.apiserver.conversion import storage_key
from certwright.apiserver.definition import Definition, definitions_from_checked_crd
from certwright.apiserver.lifecycle.internal import amend, erase, set_condition
from certwright.apiserver.lifecycle.worker import Worker
from certwright.apiserver.storage.history import Change, Stored
from certwright.apiserver.storage.store import Changed
from certwright.apiserver.verbs.api import Api
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.resources import CUSTOMRESOURCEDEFINITIONS

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_KEY = CUSTOMRESOURCEDEFINITIONS.qualified
_log = logging.getLogger(__name__)


class Definitions:
    """Serves what the stored CustomResourceDefinitions define. A change is served before its writer has its answer."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._specs: dict[str, bytes] = {}
        self.worker = Worker("definitions", self._look, api.clock)

    def start(self) -> None:
        """Serve all that are stored."""
        for stored in self._api.store.list(_KEY):
            self._serve(stored)
            self.worker.add(stored.key.name)
        self._api.store.listen(_KEY, self._notice)
        self._api.store.listen("", self._notice_instance)
        self.worker.start()

    def _definition(self) -> Definition:
        found = self._api.served.find(CUSTOMRESOURCEDEFINITIONS.group, "v1", CUSTOMRESOURCEDEFINITIONS.plural)
        assert found is not None
        return found

    def _notice(self, change: Change) -> None:
        if change.kind == "DELETED":
            self._specs.pop(change.stored.key.name, None)
            self._api.served.drop_custom(change.stored.key.name)
            return
        self._serve(change.stored)
        self.worker.add(change.stored.key.name)

    def _notice_instance(self, change: Change) -> None:
        # The name of a definition is the key under which its objects are stored.
        if change.kind == "DELETED" and change.resource in self._specs:
            self.worker.add(change.resource)

    def _serve(self, stored: Stored) -> None:
        crd = stored.obj()
        spec = objects.encode(objects.child(crd, "spec"))
        if self._specs.get(stored.key.name) == spec or self._names_fault(crd):
            return
        try:
            definitions = definitions_from_checked_crd(crd)
        except ValueError as error:
            _log.warning("a stored definition cannot be served", extra={"crd": stored.key.name, "error": str(error)})
            return
        self._specs[stored.key.name] = spec
        self._api.served.put_custom(stored.key.name, definitions)

    def _names_fault(self, crd: JSONObject) -> str:
        """Why the names cannot be had: another resource of the group has them."""
        spec = objects.child(crd, "spec")
        names, group = objects.child(spec, "names"), objects.text(spec, "group")
        plural, kind = objects.text(names, "plural"), objects.text(names, "kind")
        for other in self._api.served.all():
            resource = other.resource
            if resource.group == group and resource.plural != plural and resource.kind == kind:
                return f'"{kind}" is already in use'
        return ""

    async def _look(self, name: str) -> None:
        stored = self._api.store.get(_KEY, ObjectKey("", name))
        if stored is None:
            return
        if "deletionTimestamp" in objects.meta(stored.obj()):
            self._clean(stored)
        else:
            self._accept(stored)

    def _accept(self, stored: Stored) -> None:
        now = objects.timestamp(self._api.clock.now())

        def accept(crd: JSONObject) -> None:
            fault = "" if stored.key.name in self._specs else self._names_fault(crd)
            _conditions(crd, fault, now)
            metadata = objects.meta(crd)
            finalizers = objects.texts(metadata, "finalizers")
            if FINALIZER not in finalizers and not fault:
                metadata["finalizers"] = [*finalizers, FINALIZER]

        amend(self._api, self._definition(), stored, accept)

    def _clean(self, stored: Stored) -> None:
        definition = self._api.served.by_storage_key(stored.key.name)
        left = 0
        if definition:
            for item in self._api.store.list(storage_key(definition)):
                erase(self._api, definition, item)
            left = self._api.store.count(storage_key(definition))
        present = self._api.store.get(_KEY, stored.key)
        if present is None:
            return
        now = objects.timestamp(self._api.clock.now())
        try:
            amend(self._api, self._definition(), present, lambda crd: _finish(crd, left, now))
        except Changed:
            self.worker.add(stored.key.name)


def _conditions(crd: JSONObject, fault: str, now: str) -> None:
    accepted: JSONObject = {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts"}
    accepted["message"] = "no conflicts found"
    if fault:
        accepted |= {"status": "False", "reason": "KindConflict", "message": fault}
    established: JSONObject = {"type": "Established", "status": "True", "reason": "InitialNamesAccepted"}
    established["message"] = "the initial names have been accepted"
    if fault:
        established |= {"status": "False", "reason": "NotAccepted", "message": "not all names are accepted"}
    set_condition(crd, accepted, now)
    set_condition(crd, established, now)
    status = objects.ensure(crd, "status")
    spec = objects.child(crd, "spec")
    if not fault:
        status["acceptedNames"] = dict(objects.child(spec, "names"))
    else:
        status.setdefault("acceptedNames", {"plural": "", "kind": ""})


def _finish(crd: JSONObject, left: int, now: str) -> None:
    metadata = objects.meta(crd)
    terminating: JSONObject = {"type": "Terminating", "status": "True", "reason": "InstanceDeletionInProgress"}
    terminating["message"] = f"could not confirm zero CustomResources remaining: {left} left"
    if not left:
        metadata["finalizers"] = [name for name in objects.texts(metadata, "finalizers") if name != FINALIZER]
        terminating = {"type": "Terminating", "status": "False", "reason": "InstanceDeletionCompleted"}
        terminating["message"] = "removed all instances"
    set_condition(crd, terminating, now)
