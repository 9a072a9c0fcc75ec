"""What a body must be before it may become an object: the right kind, name and namespace, and no unknown fields."""

from __future__ import annotations

from certwright.apiserver import objects
from certwright.apiserver.definition import Definition
from certwright.apiserver.verbs.call import Call
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import BadRequest

MOST_WARNINGS = 20


def check_identity(call: Call, obj: JSONObject) -> None:
    """Refuse a body of another kind, name or namespace than the URL says; fill in what it leaves out."""
    resource = call.definition.resource
    given_version, given_kind = objects.text(obj, "apiVersion"), objects.text(obj, "kind")
    if (given_version or resource.api_version) != resource.api_version or (
        given_kind or resource.kind
    ) != resource.kind:
        raise _wrong_type(call.definition, given_version, given_kind)
    if not given_kind and not call.definition.built_in:
        raise BadRequest.of("Object 'Kind' is missing in the body; set apiVersion and kind")
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    metadata = objects.meta(obj)
    name = objects.text(metadata, "name")
    if call.name and name and name != call.name:
        raise BadRequest.of(f"the name of the object ({name}) does not match the name on the URL ({call.name})")
    if call.name:
        metadata["name"] = call.name
    _check_namespace(call, metadata)


def _check_namespace(call: Call, metadata: JSONObject) -> None:
    if not call.definition.resource.namespaced:
        return
    namespace = objects.text(metadata, "namespace")
    if namespace and namespace != call.namespace:
        raise BadRequest.of("the namespace of the provided object does not match the namespace sent on the request")
    metadata["namespace"] = call.namespace


def _wrong_type(definition: Definition, version: str, kind: str) -> Exception:
    resource = definition.resource
    if kind in {"", resource.kind}:
        return BadRequest.of(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    group = resource.group
    return BadRequest.of(
        f"{kind} in version {version.rpartition('/')[2]!r} cannot be handled as a {resource.kind}: "
        f"the object is a {version}, Kind={kind}, the URL expects {group + '/' if group else ''}{resource.version}, "
        f"Kind={resource.kind}"
    )


def check_fields(call: Call, obj: JSONObject) -> None:
    """Drop unknown fields; refuse them under Strict, name them in warnings under Warn."""
    faults = [f'duplicate field "{path}"' for path in call.doubled]
    faults += [f'unknown field "{path}"' for path in call.definition.schema.prune(obj)]
    if not faults:
        return
    if call.options.field_validation == "Strict":
        kind, version = call.definition.resource.kind, call.definition.resource.version
        raise BadRequest.of(
            f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding error: {", ".join(faults)}'
        )
    if call.options.field_validation == "Warn":
        call.warnings.extend(faults[:MOST_WARNINGS])


_META_TYPES: dict[str, type] = {
    "name": str,
    "generateName": str,
    "namespace": str,
    "uid": str,
    "resourceVersion": str,
    "generation": int,
    "creationTimestamp": str,
    "deletionTimestamp": str,
    "labels": dict,
    "annotations": dict,
    "ownerReferences": list,
    "finalizers": list,
    "managedFields": list,
}


def check_metadata(obj: JSONObject) -> None:
    """Refuse metadata of wrong types."""
    metadata = obj.get("metadata")
    if metadata is None:
        obj["metadata"] = {}
        return
    if not isinstance(metadata, dict):
        raise BadRequest.of("metadata must be an object")
    for name, wanted in _META_TYPES.items():
        value = metadata.get(name)
        if value is not None and not isinstance(value, wanted):
            raise BadRequest.of(f"metadata.{name} must be of type {_JSON_NAMES[wanted]}")
    for name in ("labels", "annotations"):
        _check_texts(metadata, name)


def _check_texts(metadata: JSONObject, name: str) -> None:
    for key, value in objects.child(metadata, name).items():
        if not isinstance(value, str):
            raise BadRequest.of(f"metadata.{name}[{key}] must be of type string; put the value in quotes")


_JSON_NAMES: dict[type, str] = {str: "string", int: "integer", dict: "object", list: "array"}
