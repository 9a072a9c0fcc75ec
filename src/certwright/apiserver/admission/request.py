"""A write as admission tells of it: the request of an AdmissionReview, without the objects."""

from __future__ import annotations

from certwright.apiserver.admission.review import Review
from certwright.apiserver.caller import user_info
from certwright.apiserver.definition import Definition
from certwright.kube.wire.json import JSONObject


def admission_request(review: Review, version: Definition) -> JSONObject:
    """As one who asked to see it in `version` is told."""
    request: JSONObject = {
        "kind": _kind(version),
        "resource": _resource(version),
        "requestKind": _kind(review.definition),
        "requestResource": _resource(review.definition),
        "name": review.name,
        "operation": review.operation,
        "userInfo": user_info(review.caller),
        "dryRun": review.dry_run,
        "options": review.options,
    }
    if review.namespace:
        request["namespace"] = review.namespace
    if review.subresource:
        request["subResource"] = request["requestSubResource"] = review.subresource
    return request


def _kind(definition: Definition) -> JSONObject:
    resource = definition.resource
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _resource(definition: Definition) -> JSONObject:
    resource = definition.resource
    return {"group": resource.group, "version": resource.version, "resource": resource.plural}
