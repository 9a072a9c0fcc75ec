"""The server's own writes: without admission, tried again until they fit."""

from __future__ import annotations

from collections.abc import Callable

from certwright.apiserver import objects
from certwright.apiserver.caller import INTERNAL
from certwright.apiserver.definition import Definition
from certwright.apiserver.schema.node import same
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.storage.store import Taken
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Call, DeleteOptions
from certwright.apiserver.verbs.delete import delete_stored
from certwright.apiserver.verbs.tracking import track
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey

AGENT = "kube-controller-manager"


def call_for(definition: Definition, key: ObjectKey, subresource: str = "") -> Call:
    """A call by the server itself."""
    return Call(
        definition=definition,
        namespace=key.namespace,
        name=key.name,
        subresource=subresource,
        caller=INTERNAL,
        agent=AGENT,
        warnings=[],
        doubled=[],
    )


def make(api: Api, definition: Definition, obj: JSONObject) -> None:
    """Create an object where it is not there yet."""
    resource = definition.resource
    metadata = objects.meta(obj)
    key = ObjectKey(objects.text(metadata, "namespace"), objects.text(metadata, "name"))
    if api.find(definition, key) is not None:
        return
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    metadata["uid"] = api.new_uid()
    metadata["creationTimestamp"] = objects.timestamp(api.clock.now())
    definition.prepare_create(obj, api.clock.now())
    track(api, call_for(definition, key), None, obj)
    try:
        api.store.create(resource.qualified, objects.canonical(obj, resource.api_version, resource.kind))
    except Taken:  # pragma: no cover - nothing comes between the look and the write
        return


def amend(api: Api, definition: Definition, stored: Stored, step: Callable[[JSONObject], None]) -> Stored:
    """Change a stored object in place; nothing is written where nothing changes."""
    resource = definition.resource
    obj = stored.obj()
    step(obj)
    if same(obj, stored.obj()):
        return stored
    metadata = objects.meta(obj)
    if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
        is_namespace = resource.qualified == "namespaces"
        if not (is_namespace and objects.child(obj, "spec").get("finalizers")):
            return api.store.remove(resource.qualified, stored, obj)
    return api.store.replace(resource.qualified, stored, objects.canonical(obj, resource.api_version, resource.kind))


def erase(api: Api, definition: Definition, stored: Stored, options: DeleteOptions | None = None) -> None:
    """Delete an object as its finalizers allow."""
    delete_stored(api, call_for(definition, stored.key), stored, options or DeleteOptions())


def set_condition(obj: JSONObject, condition: JSONObject, now: str) -> None:
    """Put a condition into `status.conditions`; its transition time moves when its status does."""
    status = objects.ensure(obj, "status")
    present = objects.children(status, "conditions")
    for entry in present:
        if entry.get("type") == condition["type"]:
            if entry.get("status") != condition["status"]:
                entry["lastTransitionTime"] = now
            entry.update(condition)
            return
    status["conditions"] = [*present, {**condition, "lastTransitionTime": now}]
