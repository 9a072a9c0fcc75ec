"""AdmissionReviews as bytes."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from certwright.rules.identity import Requester
from certwright.webhook.review import Allowed, MalformedReview, Question, Refused, read_review, write_answer

RESOURCE = {"group": "cert-manager.io", "version": "v1", "resource": "certificaterequests"}
REQUEST: dict[str, Any] = {
    "uid": "u1",
    "resource": RESOURCE,
    "requestResource": RESOURCE,
    "subResource": "status",
    "requestSubResource": "status",
    "name": "x",
    "namespace": "shop",
    "operation": "UPDATE",
    "userInfo": {"username": "ann", "uid": "7", "groups": ["a"], "extra": {"k": ["v"]}},
    "object": {"spec": {"a": 1}},
    "oldObject": {"spec": {}},
    "dryRun": True,
    "options": {"kind": "UpdateOptions"},
}


def review(**changes: Any) -> bytes:
    request = {name: value for name, value in {**REQUEST, **changes}.items() if value is not ...}
    return msgspec.json.encode({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})


QUESTION = Question(
    operation="UPDATE",
    group="cert-manager.io",
    plural="certificaterequests",
    subresource="status",
    namespace="shop",
    requester=Requester(username="ann", uid="7", groups=("a",), extra={"k": ("v",)}),
    object=b'{"spec":{"a":1}}',
    old=b'{"spec":{}}',
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"requestResource": ..., "requestSubResource": ...},
        {"requestResource": None, "requestSubResource": ""},
        {"dryRun": None, "options": None, "requestKind": None},
    ],
)
def test_a_review_is_read_also_where_request_resource_is_unset(changes: dict[str, Any]) -> None:
    assert read_review(review(**changes)) == ("u1", QUESTION)


def test_what_may_be_absent() -> None:
    uid, found = read_review(review(userInfo=None, object=None, oldObject=..., namespace=..., subResource=...))

    assert uid == "u1"
    assert (found.object, found.old, found.namespace, found.requester) == (b"", b"", "", Requester())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no AdmissionReview"),
        (b"no JSON", "no AdmissionReview"),
        (b"[]", "no AdmissionReview"),
        (b"\xff\xfe", "no AdmissionReview"),
        (b"{}", "is not an AdmissionReview of admission.k8s.io/v1"),
        (b'{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}', "name that version"),
        (b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', "has no request"),
        (review(uid=""), "has no request with a uid"),
        (review(resource=...), "resource"),
        (review(userInfo=3), "no AdmissionReview"),
        (b"[" * 100_000, "nests deeper than 200 levels"),
        (review(object=msgspec.Raw(b'{"a":' * 300 + b"1" + b"}" * 300)), "nests deeper than 200 levels"),
    ],
)
def test_what_is_no_review_is_said_in_a_sentence(body: bytes, words: str) -> None:
    with pytest.raises(MalformedReview) as refused:
        read_review(body)

    assert words in str(refused.value)
    assert str(refused.value).endswith(".") or "AdmissionReview: " in str(refused.value)


def answered(answer: Allowed | Refused) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(write_answer("u1", answer))
    assert (found["apiVersion"], found["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, Any] = found["response"]
    return response


def test_answers_are_written() -> None:
    patch = ({"op": "add", "path": "/spec/uid", "value": ""},)

    assert answered(Allowed()) == {"uid": "u1", "allowed": True}
    patched = answered(Allowed(warnings=("w",), patch=patch))  # type: ignore[arg-type]
    assert (patched["warnings"], patched["patchType"]) == (["w"], "JSONPatch")
    assert msgspec.json.decode(base64.b64decode(patched["patch"])) == list(patch)
    refused = answered(Refused(message="m", warnings=("w",)))
    assert refused["warnings"] == ["w"]
    assert refused["status"] == {"status": "Failure", "message": "m", "reason": "Forbidden", "code": 403}
