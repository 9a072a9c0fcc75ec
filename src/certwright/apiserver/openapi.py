"""OpenAPI documents of what is served: version 3, one for each API version, and version 2 as one document."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from certwright.apiserver.definition import Definition
from certwright.apiserver.schema.node import as_object
from certwright.apiserver.schema.object_meta import MANAGED_FIELDS, OBJECT_META, OWNER_REFERENCE
from certwright.kube.wire.json import JSON, JSONObject

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_GVK = "x-kubernetes-group-version-kind"
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
_STRATEGIC = "application/strategic-merge-patch+json"
# Words that version 2 of OpenAPI does not have.
_NOT_IN_V2 = frozenset({"nullable", "anyOf", "oneOf", "not"})
_LIST_META: JSONObject = {
    "type": "object",
    "description": "Metadata of a list.",
    "properties": {
        "resourceVersion": {"type": "string", "description": "The state that the list shows."},
        "continue": {"type": "string", "description": "Asks for the rest of the list."},
        "remainingItemCount": {"type": "integer", "format": "int64", "description": "How many items follow."},
        "selfLink": {"type": "string", "description": "No longer filled in."},
    },
}
_STATUS: JSONObject = {
    "type": "object",
    "description": "The outcome of a request that returns no object.",
    "properties": {
        "status": {"type": "string", "description": "Success or Failure."},
        "message": {"type": "string", "description": "The outcome, for people."},
        "reason": {"type": "string", "description": "The outcome in one word."},
        "code": {"type": "integer", "format": "int32", "description": "The HTTP code."},
        "details": {"type": "object", "description": "What the outcome is about."},
    },
}
_QUERY = {
    "dryRun": "All: check, but store nothing.",
    "fieldManager": "The name under which written fields are owned.",
    "fieldValidation": "Ignore, Warn or Strict: what becomes of unknown and repeated fields.",
    "force": "Take fields over from other managers.",
    "pretty": "If true, the answer is indented.",
}
_SELECT = {
    "labelSelector": "Which labels the objects have.",
    "fieldSelector": "Which fields the objects have.",
    "limit": "How many objects a page has at most.",
    "continue": "Where the next page starts.",
    "resourceVersion": "Which state is asked for.",
    "resourceVersionMatch": "How the state asked for is meant.",
    "timeoutSeconds": "How long a watch lasts at most.",
    "watch": "Stream changes instead of a list.",
    "allowWatchBookmarks": "Whether a watch tells states without changes.",
    "sendInitialEvents": "Whether a watch starts with the present objects.",
}

Reference = Callable[[str], JSONObject]


def schema_name(definition: Definition) -> str:
    """The name of a kind's schema: the reversed group, the version, the kind."""
    resource = definition.resource
    if definition.built_in:
        group = resource.group.partition(".")[0] or "core"
        return f"io.k8s.api.{group}.{resource.version}.{resource.kind}"
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def v3_document(api_version: str, definitions: Iterable[Definition]) -> JSONObject:
    """The OpenAPI v3 document of one API version (`v1`, `apps/v1`)."""
    served = [each for each in definitions if each.resource.api_version == api_version]

    def reference(name: str) -> JSONObject:
        return {"$ref": f"#/components/schemas/{name}"}

    schemas: JSONObject = {}
    for definition in served:
        schemas.update(_schemas(definition, reference))
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": {path: item for each in served for path, item in _paths(each, _operation_v3).items()},
        "components": {"schemas": {**schemas, **_shared(reference)}},
    }


def v2_document(definitions: Iterable[Definition]) -> JSONObject:
    """The OpenAPI v2 document of everything."""
    served = list(definitions)

    def reference(name: str) -> JSONObject:
        return {"$ref": f"#/definitions/{name}"}

    schemas: JSONObject = {}
    for definition in served:
        schemas.update(_schemas(definition, reference))
    known = {**schemas, **_shared(reference)}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": {path: item for each in served for path, item in _paths(each, _operation_v2).items()},
        "definitions": {name: _in_v2(schema) for name, schema in known.items()},
    }


def _in_v2(schema: JSON) -> JSON:
    """A schema in the words of version 2; an `allOf` of one reference is the reference."""
    if isinstance(schema, list):
        return [_in_v2(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    parts = schema.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and "$ref" in as_object(parts[0]):
        return {"description": schema.get("description", ""), **as_object(parts[0])}
    if schema.get("x-kubernetes-int-or-string") is True:
        return {"type": "string", "format": "int-or-string", "description": schema.get("description", "")}
    return {name: _in_v2(value) for name, value in schema.items() if name not in _NOT_IN_V2 and name != "allOf"}


def _shared(reference: Reference) -> JSONObject:
    metadata = _meta_schema("OwnerReference", "ManagedFieldsEntry", reference)
    return {
        f"{_META}ObjectMeta": metadata,
        f"{_META}OwnerReference": OWNER_REFERENCE,
        f"{_META}ManagedFieldsEntry": MANAGED_FIELDS,
        f"{_META}ListMeta": _LIST_META,
        f"{_META}Status": _STATUS,
        f"{_META}DeleteOptions": {"type": "object", "description": "How an object is deleted."},
    }


def _meta_schema(owner: str, entry: str, reference: Reference) -> JSONObject:
    properties = as_object(OBJECT_META["properties"])
    owners, entries = as_object(properties["ownerReferences"]), as_object(properties["managedFields"])
    named: JSONObject = {
        "ownerReferences": {**owners, "items": _pointing(f"{_META}{owner}", "", reference)},
        "managedFields": {**entries, "items": _pointing(f"{_META}{entry}", "", reference)},
    }
    return {**OBJECT_META, "properties": {**properties, **named}}


def _pointing(name: str, description: str, reference: Reference) -> JSONObject:
    # A reference cannot carry a description beside it, an allOf can.
    return {"description": description, "allOf": [reference(name)]} if description else reference(name)


def _schemas(definition: Definition, reference: Reference) -> JSONObject:
    name, kind = schema_name(definition), _gvk(definition, definition.resource.kind)
    schema = definition.schema.openapi
    properties: JSONObject = {
        "apiVersion": {"type": "string", "description": "The version of the schema that this object has."},
        "kind": {"type": "string", "description": "The kind of this object."},
        **as_object(schema.get("properties")),
        "metadata": _pointing(f"{_META}ObjectMeta", "Standard metadata.", reference),
    }
    item: JSONObject = {**schema, "type": "object", "properties": properties, _GVK: [kind]}
    listed: JSONObject = {
        "type": "object",
        "description": f"A list of {definition.resource.kind} objects.",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string", "description": "The version of the schema that this list has."},
            "kind": {"type": "string", "description": "The kind of this list."},
            "metadata": _pointing(f"{_META}ListMeta", "Metadata of the list.", reference),
            "items": {"type": "array", "description": "The objects.", "items": reference(name)},
        },
        _GVK: [_gvk(definition, definition.list_kind)],
    }
    return {name: item, f"{name}List": listed}


def _gvk(definition: Definition, kind: str) -> JSONObject:
    return {"group": definition.resource.group, "version": definition.resource.version, "kind": kind}


Operation = Callable[[Definition, str, str], JSONObject]


def _paths(definition: Definition, operation: Operation) -> JSONObject:
    resource = definition.resource
    scope = f"{resource.root}/namespaces/{{namespace}}" if resource.namespaced else resource.root
    collection, item = f"{scope}/{resource.plural}", f"{scope}/{resource.plural}/{{name}}"
    paths: JSONObject = {
        collection: _verbs(definition, {"get": "list", "post": "post", "delete": "deletecollection"}, operation),
        item: _verbs(definition, {"get": "get", "put": "put", "patch": "patch", "delete": "delete"}, operation),
    }
    if resource.namespaced:
        paths[f"{resource.root}/{resource.plural}"] = _verbs(definition, {"get": "list"}, operation)
    for subresource in sorted(definition.subresources & {"status", "scale", "approval", "finalize"}):
        verbs = {"get": "get", "put": "put", "patch": "patch"}
        paths[f"{item}/{subresource}"] = _verbs(definition, verbs, operation)
    for path, entry in paths.items():
        names = [name for name in ("namespace", "name") if f"{{{name}}}" in path]
        as_object(entry)["parameters"] = [_path_parameter(name, operation is _operation_v2) for name in names]
    return paths


def _verbs(definition: Definition, verbs: dict[str, str], operation: Operation) -> JSONObject:
    return {method: operation(definition, method, action) for method, action in verbs.items()}


def _path_parameter(name: str, is_v2: bool) -> JSONObject:
    parameter: JSONObject = {"name": name, "in": "path", "required": True}
    return {**parameter, **_string_type(is_v2)}


def _string_type(is_v2: bool) -> JSONObject:
    return {"type": "string", "uniqueItems": True} if is_v2 else {"schema": {"type": "string", "uniqueItems": True}}


def _query(action: str, is_v2: bool) -> list[JSON]:
    if action in {"list", "deletecollection"}:
        named = _SELECT
    elif action == "get":
        named = {"pretty": _QUERY["pretty"]}
    else:
        named = {name: text for name, text in _QUERY.items() if name != "force" or action == "patch"}
    return [
        {"name": name, "in": "query", "description": description, **_string_type(is_v2)}
        for name, description in named.items()
    ]


def _common(definition: Definition, method: str, action: str) -> JSONObject:
    resource = definition.resource
    group = "".join(part.title() for part in resource.group.partition(".")[0].split("-")) or "Core"
    return {
        "tags": [f"{resource.group.partition('.')[0] or 'core'}_{resource.version}"],
        "operationId": f"{action}{group}{resource.version.title()}{resource.kind}",
        "x-kubernetes-action": action if action != "list" or method == "get" else method,
        _GVK: _gvk(definition, resource.kind),
    }


def _media_types(definition: Definition) -> tuple[str, ...]:
    return (*_PATCHES, _STRATEGIC) if definition.built_in else _PATCHES


def _operation_v3(definition: Definition, method: str, action: str) -> JSONObject:
    name = schema_name(definition) + ("List" if action == "list" else "")
    reference: JSONObject = {"$ref": f"#/components/schemas/{name}"}
    answer: JSONObject = {"description": "OK", "content": {"application/json": {"schema": reference}}}
    operation = {**_common(definition, method, action), "parameters": _query(action, False)}
    operation["responses"] = {"200": answer}
    if method == "patch":
        body: JSONObject = {media: {"schema": {"type": "object"}} for media in _media_types(definition)}
        operation["requestBody"] = {"content": body, "required": True}
    elif method in {"post", "put"}:
        operation["requestBody"] = {"content": {"*/*": {"schema": reference}}, "required": True}
    return operation


def _operation_v2(definition: Definition, method: str, action: str) -> JSONObject:
    name = schema_name(definition) + ("List" if action == "list" else "")
    reference: JSONObject = {"$ref": f"#/definitions/{name}"}
    parameters = _query(action, True)
    operation = _common(definition, method, action)
    if method in {"post", "put", "patch"}:
        schema: JSONObject = {"type": "object"} if method == "patch" else reference
        parameters.append({"name": "body", "in": "body", "required": True, "schema": schema})
    if method == "patch":
        operation["consumes"] = list(_media_types(definition))
    return {**operation, "parameters": parameters, "responses": {"200": {"description": "OK", "schema": reference}}}
