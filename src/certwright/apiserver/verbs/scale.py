"""The scale subresource: replicas, and nothing else of the object."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.apiserver import objects
from certwright.apiserver.conversion import obj_in
from certwright.apiserver.definition import ScalePaths
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Call
from certwright.apiserver.verbs.patch import patched
from certwright.apiserver.verbs.refusals import modified
from certwright.apiserver.verbs.update import Step, change
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.status import BadRequest

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def read_scale(api: Api, call: Call, stored: Stored) -> JSONObject:
    """The autoscaling/v1 Scale of an object."""
    return _scale_of(_paths(call), obj_in(stored, api.served.stored(call.definition), call.definition))


async def update_scale(api: Api, call: Call, scale: JSONObject) -> JSONObject:
    """Set the replicas that a Scale wants."""
    return await _write(api, call, lambda _: scale)


async def change_scale(api: Api, call: Call, media: str, body: JSON) -> JSONObject:
    """Patch the Scale of an object."""
    return await _write(api, call, lambda scale: patched(call, media, body, scale))


async def _write(api: Api, call: Call, step: Step) -> JSONObject:
    paths = _paths(call)

    def scaled(obj: JSONObject) -> JSONObject:
        scale = step(_scale_of(paths, obj))
        revision = objects.text(objects.meta(scale), "resourceVersion")
        if revision and revision != objects.text(objects.meta(obj), "resourceVersion"):
            raise modified(call.definition, call.name)
        count = objects.child(scale, "spec").get("replicas", 0)
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise BadRequest.of("spec.replicas must be a whole number, zero or more")
        _put(obj, paths.spec_replicas, count)
        return obj

    # What is written is the main object; the subresource is noted with its fields.
    answer = await change(api, replace(call, subresource=""), scaled)
    return read_scale(api, call, answer.stored)


def _paths(call: Call) -> ScalePaths:
    return call.definition.scale or ScalePaths(".spec.replicas", ".status.replicas")


def _scale_of(paths: ScalePaths, obj: JSONObject) -> JSONObject:
    metadata = objects.meta(obj)
    kept: JSONObject = {name: metadata[name] for name in _KEPT if name in metadata}
    status: JSONObject = {"replicas": _at(obj, paths.status_replicas)}
    if paths.label_selector:
        status["selector"] = objects.at_path(obj, paths.label_selector.lstrip("."))
    spec: JSONObject = {"replicas": _at(obj, paths.spec_replicas)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": spec, "status": status}


def _at(obj: JSONObject, path: str) -> int:
    found = objects.at_path(obj, path.lstrip("."))
    return int(found) if found.isdigit() else 0


def _put(obj: JSONObject, path: str, value: int) -> None:
    *parents, last = path.lstrip(".").split(".")
    for name in parents:
        obj = objects.ensure(obj, name)
    obj[last] = value
