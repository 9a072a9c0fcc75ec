"""Patch: JSON, merge, strategic merge and apply."""

from __future__ import annotations

from certwright.apiserver import objects
from certwright.apiserver.schema.causes import required
from certwright.apiserver.strategic import apply_strategic_merge
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.call import Answer, Call
from certwright.apiserver.verbs.create import create_checked
from certwright.apiserver.verbs.incoming import check_identity, fields_fault, metadata_fault, unreadable
from certwright.apiserver.verbs.refusals import options_invalid, patch_invalid
from certwright.apiserver.verbs.tracking import applied_to
from certwright.apiserver.verbs.update import Step, change
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.patches import PatchError, apply_json_patch, apply_merge_patch
from certwright.kube.wire.status import BadRequest, Invalid, UnsupportedMediaType

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


async def patch(api: Api, call: Call, media: str, body: JSON) -> Answer:
    """Change an object by a patch of a media type; apply also creates."""
    if media == APPLY_PATCH:
        return await _apply(api, call, body)
    return await change(api, call, patch_step(call, media, body))


def patch_step(call: Call, media: str, body: JSON) -> Step:
    """The change that a patch of a media type means."""
    _check_shape(media, body)
    if media == STRATEGIC_PATCH and not call.definition.built_in:
        raise UnsupportedMediaType.of(
            "the body of the request was in an unknown format - accepted media types include: "
            f"{JSON_PATCH}, {MERGE_PATCH}, {APPLY_PATCH}"
        )

    def step(present: JSONObject) -> JSONObject:
        obj = patched(call, media, body, present)
        shown = objects.encode(obj).decode()
        fault = metadata_fault(obj)
        if fault:
            raise patch_invalid(shown, fault)
        check_identity(call, obj)
        fault = fields_fault(call, obj)
        if fault:
            raise patch_invalid(shown, fault)
        return obj

    return step


def _check_shape(media: str, body: JSON) -> None:
    found = "array" if isinstance(body, list) else "object" if isinstance(body, dict) else "value"
    wanted = "array" if media == JSON_PATCH else "object"
    if found != wanted:
        what = "[]handlers.jsonPatchOp" if media == JSON_PATCH else "map[string]interface {}"
        raise BadRequest.of(f"error decoding patch: json: cannot unmarshal {found} into Go value of type {what}")


def patched(call: Call, media: str, body: JSON, present: JSONObject) -> JSONObject:
    """`present` after a JSON, merge or strategic merge patch; nothing is shared with it."""
    try:
        match media:
            case "application/json-patch+json":
                result = apply_json_patch(present, body)
            case "application/strategic-merge-patch+json":
                result = apply_strategic_merge(present, body, call.definition.schema)
            case _:
                result = apply_merge_patch(present, body)
    except PatchError as error:
        if media == JSON_PATCH:
            raise Invalid.of(f"the server rejected our request due to an error in our request: {error}") from error
        raise BadRequest.of(str(error)) from error
    if not isinstance(result, dict):
        raise BadRequest.of("the patch does not leave an object")
    # A patch may share parts with the present state, which the next steps change.
    return objects.copy(result)


async def _apply(api: Api, call: Call, body: JSON) -> Answer:
    if not isinstance(body, dict):
        raise BadRequest.of("error decoding YAML: the applied configuration must be an object")
    if not call.options.manager:
        raise options_invalid("PatchOptions", [required("fieldManager", "is required for apply patch")])
    applied = objects.copy(body)
    _check_applied_type(call, applied)
    fault = metadata_fault(applied)
    if fault:
        raise unreadable(call.definition, fault)
    if objects.meta(applied).get("managedFields"):
        raise BadRequest.of("metadata.managedFields must be nil")
    check_identity(call, applied)
    if api.find(call.definition, call.key) is None and not call.subresource:
        obj = applied_to(api, call, None, applied)
        return await create_checked(api, call, obj, is_applied=True)
    return await change(api, call, lambda present: applied_to(api, call, present, applied), is_applied=True)


def _check_applied_type(call: Call, applied: JSONObject) -> None:
    resource = call.definition.resource
    version, kind = objects.text(applied, "apiVersion"), objects.text(applied, "kind")
    if (version, kind) != (resource.api_version, resource.kind):
        raise BadRequest.of(f"invalid object type: {version if '/' in version else '/' + version}, Kind={kind}")
