"""AdmissionReview (admission.k8s.io/v1): a question that is read, and the answer that is written."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from certwright.api.meta import ApiStruct, JSONObject, MalformedObject, decode
from certwright.kube.wire.json import is_deeper
from certwright.rules.identity import Requester

API_VERSION, KIND = "admission.k8s.io/v1", "AdmissionReview"
# The new and the old object, 3 MiB each at most on an API server, and what is around them.
LARGEST_REVIEW = 7 * 1024 * 1024
DEEPEST = 200


class MalformedReview(ValueError):
    """The body is no AdmissionReview; the text is a sentence."""


class Question(Struct, frozen=True, kw_only=True):
    """One write that is about to happen; `object` and `old` are JSON, empty where there is none."""

    operation: str
    group: str
    plural: str
    subresource: str = ""
    namespace: str = ""
    requester: Requester = Requester()
    object: bytes = b""
    old: bytes = b""


class Allowed(Struct, frozen=True, kw_only=True):
    """The write may happen, changed by the JSON patch where there is one."""

    warnings: tuple[str, ...] = ()
    patch: tuple[JSONObject, ...] = ()


class Refused(Struct, frozen=True, kw_only=True):
    """The write may not happen; the API server gives code and reason to the client."""

    message: str
    code: int = 403
    reason: str = "Forbidden"
    warnings: tuple[str, ...] = ()


Answer = Allowed | Refused


class _Resource(ApiStruct, frozen=True, kw_only=True):
    group: str = ""
    version: str = ""
    resource: str = ""


class _User(ApiStruct, frozen=True, kw_only=True):
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] | None = None
    extra: Mapping[str, tuple[str, ...]] | None = None


class _Request(ApiStruct, frozen=True, kw_only=True):
    uid: str
    resource: _Resource
    request_resource: _Resource | None = None
    sub_resource: str = ""
    request_sub_resource: str = ""
    operation: str
    namespace: str = ""
    user_info: _User | None = None
    object: Raw = Raw(b"null")
    old_object: Raw = Raw(b"null")


class _Review(ApiStruct, frozen=True, kw_only=True):
    api_version: str = ""
    kind: str = ""
    request: _Request | None = None


def read_review(body: bytes) -> tuple[str, Question]:
    """The uid of the review, and its question; MalformedReview where there is none."""
    if is_deeper(body, DEEPEST):
        raise MalformedReview(f"The body nests deeper than {DEEPEST} levels; flatten the object.")
    try:
        review = decode(_Review, body)
    except MalformedObject as error:
        raise MalformedReview(f"The body is no AdmissionReview: {error}.") from error
    if (review.api_version, review.kind) != (API_VERSION, KIND):
        raise MalformedReview(f"The body is not an {KIND} of {API_VERSION}; name that version in the configuration.")
    if review.request is None or not review.request.uid:
        raise MalformedReview("The AdmissionReview has no request with a uid; send one.")
    return review.request.uid, _question(review.request)


def _question(request: _Request) -> Question:
    # The fields with `request` in their names are new, and other callers than an API server may leave them out.
    asked = request.request_resource or request.resource
    user = request.user_info or _User()
    return Question(
        operation=request.operation,
        group=asked.group,
        plural=asked.resource,
        subresource=request.request_sub_resource or request.sub_resource,
        namespace=request.namespace,
        requester=Requester(
            username=user.username, uid=user.uid, groups=user.groups or (), extra=dict(user.extra or {})
        ),
        object=_unless_null(request.object),
        old=_unless_null(request.old_object),
    )


def _unless_null(raw: Raw) -> bytes:
    return b"" if bytes(raw) == b"null" else bytes(raw)


def write_answer(uid: str, answer: Answer) -> bytes:
    """The AdmissionReview that carries the answer."""
    response: JSONObject = {"uid": uid, "allowed": isinstance(answer, Allowed)}
    if answer.warnings:
        response["warnings"] = list(answer.warnings)
    match answer:
        case Allowed(patch=patch) if patch:
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(msgspec.json.encode(patch)).decode()
        case Refused():
            response["status"] = {
                "status": "Failure",
                "message": answer.message,
                "reason": answer.reason,
                "code": answer.code,
            }
    return msgspec.json.encode({"apiVersion": API_VERSION, "kind": KIND, "response": response})
