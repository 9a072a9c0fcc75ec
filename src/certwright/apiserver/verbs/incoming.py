"""What a body must be before it may become an object: the right kind, name and namespace, and no unknown fields."""

from __future__ import annotations

from certwright.apiserver import objects
from certwright.apiserver.definition import Definition
from certwright.apiserver.verbs.call import Call
from certwright.apiserver.verbs.refusals import other_kind
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.status import ApiError, BadRequest

MOST_WARNINGS = 20


def check_body(call: Call, obj: JSONObject) -> None:
    """Refuse a body that cannot become an object of the URL, or under Strict one with unknown fields; drop those."""
    fault = metadata_fault(obj)
    if fault:
        raise unreadable(call.definition, fault)
    check_identity(call, obj)
    fault = fields_fault(call, obj)
    if fault:
        raise unreadable(call.definition, fault)


def check_identity(call: Call, obj: JSONObject) -> None:
    """Refuse a body of another kind, name or namespace than the URL says; fill in what it leaves out."""
    resource = call.definition.resource
    _check_type(call, objects.text(obj, "apiVersion"), objects.text(obj, "kind"))
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


def _check_type(call: Call, version: str, kind: str) -> None:
    definition = call.definition
    resource = definition.resource
    if not kind and not definition.built_in:
        rule = "Object 'Kind' is missing in the body; set apiVersion and kind"
        raise BadRequest.of(f"the object provided is unrecognized (must be of type {resource.kind}): {rule}")
    if definition.built_in and (version or resource.api_version, kind or resource.kind) != (
        resource.api_version,
        resource.kind,
    ):
        raise _unknown_type(definition, version or resource.api_version, kind or resource.kind)
    if version and version != resource.api_version:
        raise BadRequest.of(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    if kind and kind != resource.kind:
        raise other_kind(definition, call.name, kind)


def _unknown_type(definition: Definition, version: str, kind: str) -> Exception:
    short, wanted = version.rpartition("/")[2], definition.resource
    if version == wanted.api_version:
        why = f"converting ({short}.{kind}) to ({wanted.group or 'core'}.{wanted.kind}): unknown conversion"
    else:
        why = f'no kind "{kind}" is registered for version "{version}"'
    return BadRequest.of(f'{kind} in version "{short}" cannot be handled as a {wanted.kind}: {why}')


def unreadable(definition: Definition, fault: str) -> ApiError:
    """The body is no object of the kind."""
    kind, version = definition.resource.kind, definition.resource.version
    return BadRequest.of(f'{kind} in version "{version}" cannot be handled as a {kind}: {fault}')


def fields_fault(call: Call, obj: JSONObject) -> str:
    """Drop unknown fields; the sentence that refuses them under Strict, warnings under Warn."""
    faults = [f'duplicate field "{path}"' for path in call.doubled]
    faults += [f'unknown field "{path}"' for path in call.definition.schema.prune(obj)]
    if faults and call.options.field_validation == "Strict":
        return f"strict decoding error: {', '.join(faults)}"
    if call.options.field_validation == "Warn":
        call.warnings.extend(faults[:MOST_WARNINGS])
    return ""


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


def metadata_fault(obj: JSONObject) -> str:
    """What is wrong with the types of metadata; absent metadata are made."""
    metadata = obj.get("metadata")
    if metadata is None:
        obj["metadata"] = {}
        return ""
    if not isinstance(metadata, dict):
        return "metadata must be of type object"
    for name, wanted in _META_TYPES.items():
        value = metadata.get(name)
        if value is not None and not isinstance(value, wanted):
            return f"metadata.{name} must be of type {_JSON_NAMES[wanted]}"
    for name in ("labels", "annotations"):
        for key, value in objects.child(metadata, name).items():
            if not isinstance(value, str):
                return f"metadata.{name}[{key}] must be of type string; put the value in quotes"
    return ""


_JSON_NAMES: dict[type, str] = {str: "string", int: "integer", dict: "object", list: "array"}
