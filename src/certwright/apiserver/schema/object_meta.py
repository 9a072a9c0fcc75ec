"""Validation of `metadata`: names, labels, annotations, owners, finalizers."""

from __future__ import annotations

from certwright.apiserver.objects import child, children, strings, text, texts
from certwright.apiserver.schema.causes import Cause, forbidden, invalid, required, too_long
from certwright.apiserver.schema.names import NameRule, label_name, label_value, qualified_name
from certwright.apiserver.schema.node import parse_node, same
from certwright.kube.wire.json import JSON, JSONObject

ANNOTATIONS_BYTES = 256 * 1024
IMMUTABLE = "field is immutable"
_COMMON = ("labels", "annotations", "ownerReferences", "finalizers")
_FIXED = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_TEXT: JSONObject = {"type": "string"}
_TEXTS: JSONObject = {"type": "object", "additionalProperties": _TEXT}
_NUMBER: JSONObject = {"type": "integer", "format": "int64"}
_TRUTH: JSONObject = {"type": "boolean"}

OWNER_REFERENCE: JSONObject = {
    "type": "object",
    "required": ["apiVersion", "kind", "name", "uid"],
    "x-kubernetes-map-type": "atomic",
    "properties": {
        "apiVersion": {**_TEXT, "description": "API version of the owner."},
        "kind": {**_TEXT, "description": "Kind of the owner."},
        "name": {**_TEXT, "description": "Name of the owner."},
        "uid": {**_TEXT, "description": "UID of the owner."},
        "controller": {**_TRUTH, "description": "Whether this owner manages the object; one owner at most does."},
        "blockOwnerDeletion": {
            **_TRUTH,
            "description": "Whether the owner waits for the object when deleted in foreground.",
        },
    },
}
MANAGED_FIELDS: JSONObject = {
    "type": "object",
    "properties": {
        "manager": {**_TEXT, "description": "Who wrote the fields."},
        "operation": {**_TEXT, "description": "Apply or Update."},
        "apiVersion": {**_TEXT, "description": "The version in which the fields are named."},
        "time": {**_TEXT, "format": "date-time", "description": "When the entry last changed."},
        "fieldsType": {**_TEXT, "description": "Always FieldsV1."},
        "fieldsV1": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "description": "The set of fields, one `f:`, `k:` or `v:` key a step.",
        },
        "subresource": {**_TEXT, "description": "The subresource through which the fields were written."},
    },
}
OBJECT_META: JSONObject = {
    "type": "object",
    "description": "Metadata that every stored object has.",
    "properties": {
        "name": {**_TEXT, "description": "Unique among objects of the kind in a namespace; cannot change."},
        "generateName": {**_TEXT, "description": "A prefix; the server adds a suffix where no name is given."},
        "namespace": {**_TEXT, "description": "The namespace of the object; cannot change."},
        "selfLink": {**_TEXT, "description": "No longer filled in."},
        "uid": {**_TEXT, "description": "Identifies this object through all of time; the server sets it."},
        "resourceVersion": {**_TEXT, "description": "Changes with each write; the server sets it."},
        "generation": {**_NUMBER, "description": "Counts changes of the desired state; the server sets it."},
        "creationTimestamp": {**_TEXT, "format": "date-time", "description": "When the object was created."},
        "deletionTimestamp": {**_TEXT, "format": "date-time", "description": "When the object is to be gone."},
        "deletionGracePeriodSeconds": {**_NUMBER, "description": "Seconds that the object may take to end."},
        "labels": {**_TEXTS, "description": "Short values by which objects are selected."},
        "annotations": {**_TEXTS, "description": "Free values that tools keep with the object."},
        "ownerReferences": {
            "type": "array",
            "description": "Objects with whose deletion this object is deleted.",
            "items": OWNER_REFERENCE,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "x-kubernetes-patch-merge-key": "uid",
            "x-kubernetes-patch-strategy": "merge",
        },
        "finalizers": {
            "type": "array",
            "description": "Names that must be gone before the object is.",
            "items": _TEXT,
            "x-kubernetes-list-type": "set",
            "x-kubernetes-patch-strategy": "merge",
        },
        "managedFields": {
            "type": "array",
            "description": "Who wrote which fields; the server keeps it.",
            "items": MANAGED_FIELDS,
            "x-kubernetes-list-type": "atomic",
        },
    },
}
META_NODE = parse_node(OBJECT_META, drops_null=True)


def validate_meta(meta: JSONObject, namespaced: bool, rule: NameRule) -> list[Cause]:
    """The faults of the metadata of a new object."""
    return _names(meta, namespaced, rule) + _common(meta)


def validate_meta_update(meta: JSONObject, old: JSONObject) -> list[Cause]:
    """The faults of changed metadata."""
    found: list[Cause] = []
    if "deletionTimestamp" in old:
        added = sorted(set(texts(meta, "finalizers")) - set(texts(old, "finalizers")))
        if added:
            shown = "[]string{" + ", ".join(f'"{name}"' for name in added) + "}"
            rule = "no new finalizers can be added if the object is being deleted, found new finalizers"
            found.append(forbidden("metadata.finalizers", f"{rule} {shown}"))
    if not text(meta, "resourceVersion"):
        found.append(invalid("metadata.resourceVersion", "", "must be specified for an update"))
    if _number(meta) < _number(old):
        found.append(invalid("metadata.generation", _number(meta), "must not be decremented"))
    found.extend(
        invalid(f"metadata.{name}", _or_empty(meta.get(name), name), IMMUTABLE)
        for name in _FIXED
        if not same(meta.get(name), old.get(name))
    )
    if all(same(meta.get(name), old.get(name)) for name in _COMMON):
        return found
    return found + _common(meta)


def _or_empty(value: JSON, name: str) -> JSON:
    return "" if value is None and name in {"name", "namespace", "uid"} else value


def _number(meta: JSONObject) -> int:
    value = meta.get("generation")
    return value if isinstance(value, int) else 0


def _names(meta: JSONObject, namespaced: bool, rule: NameRule) -> list[Cause]:
    found: list[Cause] = []
    prefix, name, namespace = text(meta, "generateName"), text(meta, "name"), text(meta, "namespace")
    if prefix:
        found += [invalid("metadata.generateName", prefix, fault) for fault in rule(prefix, True)]
    if name:
        found += [invalid("metadata.name", name, fault) for fault in rule(name, False)]
    else:
        found.append(required("metadata.name", "name or generateName is required"))
    if namespaced:
        if namespace:
            found += [invalid("metadata.namespace", namespace, fault) for fault in label_name(namespace, False)]
        else:
            found.append(required("metadata.namespace"))
    elif namespace:
        found.append(forbidden("metadata.namespace", "not allowed on this type"))
    return found


def _common(meta: JSONObject) -> list[Cause]:
    found: list[Cause] = []
    for name, value in strings(meta, "labels").items():
        found += [invalid("metadata.labels", name, fault) for fault in qualified_name(name)]
        found += [invalid("metadata.labels", value, fault) for fault in label_value(value)]
    annotations = strings(meta, "annotations")
    for name in annotations:
        found += [invalid("metadata.annotations", name, fault) for fault in qualified_name(name.lower())]
    if sum(len(name.encode()) + len(value.encode()) for name, value in annotations.items()) > ANNOTATIONS_BYTES:
        found.append(too_long("metadata.annotations", ANNOTATIONS_BYTES))
    return found + _owners(children(meta, "ownerReferences")) + _finalizers(texts(meta, "finalizers"))


def _owners(owners: list[JSONObject]) -> list[Cause]:
    found: list[Cause] = []
    path = "metadata.ownerReferences"
    controller = ""
    for owner in owners:
        version = text(owner, "apiVersion")
        if not version.rpartition("/")[2]:
            found.append(invalid(f"{path}.apiVersion", version, "version must not be empty"))
        found += [
            invalid(f"{path}.{name}", "", "must not be empty")
            for name in ("kind", "name", "uid")
            if not text(owner, name)
        ]
        if (version, text(owner, "kind")) == ("v1", "Event"):
            found.append(invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"))
        if owner.get("controller") is not True:
            continue
        this = f"{text(owner, 'kind')}/{text(owner, 'name')}"
        if controller:
            rule = 'Only one reference can have Controller set to true. Found "true" in references for'
            found.append(invalid(path, list(owners), f"{rule} {controller} and {this}"))
        controller = controller or this
    return found


def _finalizers(names: list[str]) -> list[Cause]:
    path = "metadata.finalizers"
    found = [invalid(path, name, fault) for name in names for fault in qualified_name(name)]
    if {"orphan", "foregroundDeletion"} <= set(names):
        shown: list[JSON] = list(names)
        found.append(invalid(path, shown, "finalizer orphan and foregroundDeletion cannot be both set"))
    return found


def tidy_meta(obj: JSONObject) -> None:
    """Drop what the API server never keeps in metadata: empty texts, lists and maps."""
    meta = child(obj, "metadata")
    for name in [name for name, value in meta.items() if value in ("", None) or value == [] or value == {}]:
        del meta[name]
