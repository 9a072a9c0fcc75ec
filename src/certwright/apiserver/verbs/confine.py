"""Subresources other than status: each may change one thing."""

from __future__ import annotations

from certwright.apiserver import objects
from certwright.apiserver.definition import Definition
from certwright.kube.wire.json import JSONObject


def prepare(definition: Definition, obj: JSONObject, old: JSONObject, subresource: str) -> JSONObject:
    """The next state of an object as far as this write may change it."""
    match subresource:
        case "finalize":
            wanted = objects.child(obj, "spec").get("finalizers")
            return _with(obj, old, "spec", {"finalizers": wanted or []})
        case "approval":
            conditions = objects.child(obj, "status").get("conditions")
            return _with(obj, old, "status", {"conditions": conditions or []})
        case _:
            definition.prepare_update(obj, old, subresource)
            return obj


def _with(obj: JSONObject, old: JSONObject, part: str, changed: JSONObject) -> JSONObject:
    result = objects.copy(old)
    metadata, given = objects.meta(result), objects.meta(obj)
    for name in ("resourceVersion", "managedFields"):
        if name in given:
            metadata[name] = given[name]
        else:
            metadata.pop(name, None)
    result[part] = {**objects.child(result, part), **changed}
    return result
