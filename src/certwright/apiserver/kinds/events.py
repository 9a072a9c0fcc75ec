"""Event, in the core group and in events.k8s.io: one stored object with two spellings."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.definition import Column, Hooks
from certwright.apiserver.kinds.build import Kind
from certwright.apiserver.kinds.cluster import OBJECT_REFERENCE
from certwright.apiserver.kinds.dsl import fields, number, root, text, time
from certwright.apiserver.objects import child, meta
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, invalid, required
from certwright.apiserver.schema.names import dns_subdomain, qualified_name
from certwright.apiserver.tables import age
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import EVENTS, Resource

NEW_EVENTS = Resource("events.k8s.io", "v1", "events", "Event", True)
_MISMATCH = "does not match event.namespace"
_LONGEST = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
# The spelling of the core group, and that of events.k8s.io.
_SPELLINGS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}


def to_core(event: JSONObject) -> JSONObject:
    """An event of events.k8s.io in the spelling of the core group."""
    names = {new: old for old, new in _SPELLINGS.items()}
    return {**{names.get(name, name): value for name, value in event.items()}, "apiVersion": "v1"}


def from_core(event: JSONObject) -> JSONObject:
    """An event of the core group in the spelling of events.k8s.io."""
    renamed = {_SPELLINGS.get(name, name): value for name, value in event.items()}
    return {**renamed, "apiVersion": NEW_EVENTS.api_version}


def _faults(event: JSONObject, _old: JSONObject | None) -> list[Cause]:
    about = text_of(child(event, "involvedObject"), "namespace")
    namespace = text_of(meta(event), "namespace")
    found: list[Cause] = []
    if not event.get("eventTime"):
        if about != namespace and (about or namespace != "default"):
            found.append(invalid("involvedObject.namespace", about, _MISMATCH))
    else:
        if not about and namespace not in {"default", "kube-system"}:
            found.append(invalid("involvedObject.namespace", about, _MISMATCH))
        found += _reporter_faults(event)
    return found + [invalid("namespace", namespace, fault) for fault in dns_subdomain(namespace)]


def _reporter_faults(event: JSONObject) -> list[Cause]:
    """What an event with an eventTime must say."""
    found: list[Cause] = []
    component = text_of(event, "reportingComponent")
    if not component:
        found.append(required("reportingComponent"))
    found += [invalid("reportingComponent", component, fault) for fault in qualified_name(component)]
    for name, longest in _LONGEST.items():
        value = text_of(event, name)
        if not value and name != "message":
            found.append(required(name))
        if len(value.encode()) > longest:
            found.append(invalid(name, "", f"can have at most {longest} characters"))
    return found


def _new_faults(event: JSONObject, old: JSONObject | None) -> list[Cause]:
    core = to_core(event)
    found = _faults(core, old)
    if old is not None:
        return found
    if not core.get("eventTime"):
        found.append(required("eventTime"))
    if core.get("type") not in {"Normal", "Warning"}:
        found.append(invalid("type", "", f"has invalid value: {text_of(core, 'type')}"))
    unset = ("firstTimestamp", "lastTimestamp", "count", "source")
    return found + [invalid(name, "", "needs to be unset") for name in unset if core.get(name)]


def _first_seen(event: JSONObject, now: datetime) -> str:
    return age(event.get("firstTimestamp") or event.get("eventTime"), now)


def _last_seen(event: JSONObject, now: datetime) -> str:
    series = child(event, "series")
    if series:
        return age(series.get("lastObservedTime"), now)
    last = event.get("lastTimestamp")
    return age(last, now) if last else _first_seen(event, now)


def _count(event: JSONObject, _now: datetime) -> JSON:
    return child(event, "series").get("count") or event.get("count") or 1


def _object(event: JSONObject, _now: datetime) -> str:
    about = child(event, "involvedObject")
    return "/".join(part for part in (text_of(about, "kind").lower(), text_of(about, "name")) if part)


def _source(event: JSONObject, _now: datetime) -> str:
    source = child(event, "source")
    component = text_of(source, "component") or text_of(event, "reportingComponent")
    instance = text_of(source, "host") or text_of(event, "reportingInstance")
    return f"{component}, {instance}" if instance else component


def _columns(of_core: bool) -> tuple[Column, ...]:
    """The columns; events of events.k8s.io are read in the core spelling."""

    def spelled(event: JSONObject) -> JSONObject:
        return event if of_core else to_core(event)

    return (
        Column("Last Seen", cell=lambda obj, now: _last_seen(spelled(obj), now)),
        Column("Type", cell=lambda obj, _now: text_of(obj, "type")),
        Column("Reason", cell=lambda obj, _now: text_of(obj, "reason")),
        Column("Object", cell=lambda obj, now: _object(spelled(obj), now)),
        Column(
            "Subobject", priority=1, cell=lambda obj, _: text_of(child(spelled(obj), "involvedObject"), "fieldPath")
        ),
        Column("Source", priority=1, cell=lambda obj, now: _source(spelled(obj), now)),
        Column("Message", cell=lambda obj, _now: text_of(spelled(obj), "message").strip()),
        Column("First Seen", priority=1, cell=lambda obj, now: _first_seen(spelled(obj), now)),
        Column("Count", priority=1, cell=lambda obj, now: _count(spelled(obj), now)),
        Column("Name", format="name", priority=1, path=".metadata.name"),
    )


_SERIES = fields(
    "How often the event came again.",
    count=number("Number of occurrences."),
    lastObservedTime=time("When it last occurred."),
)
_SOURCE = fields("Who reported the event.", component=text("The program."), host=text("Its node."))
_SHARED: dict[str, JSONObject] = {
    "reason": text("One word for what happened."),
    "type": text("Normal or Warning."),
    "eventTime": time("When it was first observed."),
    "series": _SERIES,
    "action": text("What was done or failed."),
    "reportingInstance": text("The instance of the reporter."),
    "related": {**OBJECT_REFERENCE, "description": "A second object that takes part."},
}
_CORE: dict[str, JSONObject] = {
    "involvedObject": {**OBJECT_REFERENCE, "description": "The object that the event is about."},
    "message": text("What happened, for people."),
    "source": _SOURCE,
    "firstTimestamp": time("When it first occurred."),
    "lastTimestamp": time("When it last occurred."),
    "count": number("How often it occurred."),
    "reportingComponent": text("The reporting controller."),
}
_DESCRIPTION = "Something that happened to an object."
_SELECTABLE = ("reason", "type")
_SELECTABLE_OBJECT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

EVENT = Kind(
    resource=EVENTS,
    schema=root(_DESCRIPTION, needs=("metadata", "involvedObject"), **_SHARED, **_CORE),
    short_names=("ev",),
    columns=_columns(of_core=True),
    selectable_fields=(
        *_SELECTABLE,
        "reportingComponent",
        "source",
        *(f"involvedObject.{name}" for name in _SELECTABLE_OBJECT),
    ),
    hooks=Hooks(faults=_faults),
)
NEW_EVENT = Kind(
    resource=NEW_EVENTS,
    schema=root(
        _DESCRIPTION, needs=("eventTime",), **_SHARED, **{_SPELLINGS[name]: schema for name, schema in _CORE.items()}
    ),
    short_names=("ev",),
    columns=_columns(of_core=False),
    selectable_fields=(
        *_SELECTABLE,
        "reportingController",
        *(f"regarding.{name}" for name in _SELECTABLE_OBJECT),
    ),
    hooks=Hooks(faults=_new_faults),
)
KINDS = (EVENT, NEW_EVENT)
