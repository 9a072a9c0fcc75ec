"""One object in the several versions in which it is served: they differ in `apiVersion` only, save events."""

from __future__ import annotations

from certwright.apiserver import objects
from certwright.apiserver.definition import Definition
from certwright.apiserver.storage.history import Stored
from certwright.kube.wire.json import JSONObject

_EVENTS = ("events.k8s.io", "events")
# Core name, name in events.k8s.io/v1.
_RENAMED = (
    ("message", "note"),
    ("involvedObject", "regarding"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)


def is_alias(definition: Definition) -> bool:
    """Whether objects of this resource are stored as those of another group."""
    return (definition.resource.group, definition.resource.plural) == _EVENTS


def storage_key(definition: Definition) -> str:
    """The name under which objects of the resource are stored, in whatever version they come."""
    return "events" if is_alias(definition) else definition.resource.qualified


def convert(obj: JSONObject, source: Definition, target: Definition) -> JSONObject:
    """The object in the version of `target`; both are versions of one resource. The result may share parts."""
    if source is target:
        return obj
    if is_alias(source) != is_alias(target):
        pairs = [(new, core) for core, new in _RENAMED] if is_alias(source) else list(_RENAMED)
        obj = _renamed(obj, dict(pairs))
    return objects.canonical(obj, target.resource.api_version, target.resource.kind)


def _renamed(obj: JSONObject, names: dict[str, str]) -> JSONObject:
    return {names.get(name, name): value for name, value in obj.items() if name not in {"apiVersion", "kind"}}


def body_in(stored: Stored, source: Definition, target: Definition) -> bytes:
    """The JSON of a stored object in the version of `target`, without decoding it where that can be spared."""
    if source is target:
        return stored.body
    if is_alias(source) != is_alias(target):
        return objects.encode(convert(stored.obj(), source, target))
    start = objects.prefix(source.resource.api_version, source.resource.kind)
    wanted = objects.prefix(target.resource.api_version, target.resource.kind)
    return wanted + stored.body[len(start) :]


def obj_in(stored: Stored, source: Definition, target: Definition) -> JSONObject:
    """A fresh copy of a stored object in the version of `target`."""
    return convert(stored.obj(), source, target)
