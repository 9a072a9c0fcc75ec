"""What a CertificateRequest must be, and what may never change about it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import csr, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition, JSONObject, ObjectReference, from_json
from certwright.pki import pem
from certwright.rules.request_validation import (
    annotation_problems,
    changed_judgement_problems,
    changed_spec_problems,
    is_newly_judged,
    judgement_problems,
    new_request_problems,
    signer_names,
)

APPROVED = Condition(type="Approved", status="True", reason="a", message="m")
DENIED = Condition(type="Denied", status="True", reason="d", message="m")
READY = Condition(type="Ready", status="False", reason="Pending")


def asked(**fields: Any) -> cm.CertificateRequestSpec:
    """The request of a Certificate with the usual spec, unless told otherwise."""
    return replace(
        cm.CertificateRequestSpec(issuer_ref=ObjectReference(name="ca"), request=csr(spec())),
        **fields,
    )


def fields(found: cm.CertificateRequestSpec) -> list[str]:
    return [problem.field for problem in new_request_problems(found)]


def torn_signature() -> bytes:
    """A signing request with one bit of its signature turned."""
    der = bytearray(pem.split(csr(spec()), "it")[0].der)
    der[-1] ^= 1
    return pem.write(pem.CERTIFICATE_REQUEST, bytes(der))


@pytest.mark.parametrize(
    "good",
    [
        asked(),
        asked(request=csr(spec(usages=["client auth", "server auth"])), usages=("server auth", "client auth")),
        asked(request=csr(spec(encodeUsagesInRequest=False)), usages=("server auth",)),
        asked(request=csr(spec(isCA=True)), is_ca=True),
        asked(issuer_ref=ObjectReference(name="x", kind="AWSPCAIssuer", group="awspca.cert-manager.io")),
    ],
)
def test_requests_that_can_be(good: cm.CertificateRequestSpec) -> None:
    assert fields(good) == []


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (asked(issuer_ref=ObjectReference(name="")), "spec.issuerRef.name"),
        (asked(issuer_ref=ObjectReference(name="x", kind="AWSPCAIssuer")), "spec.issuerRef.kind"),
        (asked(request=b""), "spec.request"),
        (asked(request=b"no PEM"), "spec.request"),
        (asked(request=pem.write(pem.CERTIFICATE, b"x")), "spec.request"),
        (asked(request=pem.write(pem.CERTIFICATE_REQUEST, b"x")), "spec.request"),
        (asked(request=torn_signature()), "spec.request"),
        (asked(request=csr(spec()) + b" " * 40_000), "spec.request"),
        (asked(usages=("server auth",)), "spec.request"),
        (asked(request=csr(spec(usages=["server auth"]))), "spec.request"),
        (asked(is_ca=True), "spec.request"),
        (asked(usages=("flying",)), "spec.request"),
    ],
)
def test_requests_that_cannot_be(bad: cm.CertificateRequestSpec, field: str) -> None:
    assert fields(bad) == [field]


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, []),
        ({"duration": "60m"}, []),
        ({"duration": "2h"}, ["spec.duration"]),
        ({"duration": None}, ["spec.duration"]),
        ({"is_ca": True}, ["spec.isCA"]),
        ({"usages": ("any",)}, ["spec.usages"]),
        ({"request": b"x"}, ["spec.request"]),
        ({"issuer_ref": ObjectReference(name="other")}, ["spec.issuerRef"]),
        ({"username": "eve", "uid": "1"}, ["spec.username", "spec.uid"]),
        ({"groups": ("b", "a")}, []),
        ({"groups": ("a",)}, ["spec.groups"]),
        ({"extra": {"k": ("v",)}}, ["spec.extra"]),
    ],
)
def test_the_spec_never_changes(changes: dict[str, Any], changed: list[str]) -> None:
    old = asked(duration="1h", groups=("a", "b"))

    found = [problem.field for problem in changed_spec_problems(old, replace(old, **changes))]

    assert sorted(found) == sorted(changed)


@pytest.mark.parametrize(
    ("key", "fixed"),
    [
        ("cert-manager.io/certificate-name", True),
        ("cert-manager.io", True),
        ("acme.cert-manager.io/x", True),
        ("venafi.cert-manager.io/pickup-id", False),
        ("example.test/x", False),
    ],
)
def test_annotations_that_never_change(key: str, fixed: bool) -> None:
    changes = [({}, {key: "a"}), ({key: "a"}, {}), ({key: "a"}, {key: "b"})]

    for old, new in changes:
        assert [problem.field for problem in annotation_problems(old, new)] == [f"metadata.annotations[{key}]"] * fixed
    assert list(annotation_problems({key: "a"}, {key: "a", "other": "b"})) == []


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ((), ""),
        ((APPROVED, READY), ""),
        ((DENIED,), ""),
        ((APPROVED, APPROVED), "stands there 2 times"),
        ((replace(APPROVED, status="False"),), "can only be True"),
        ((replace(DENIED, status="Unknown"),), "can only be True"),
        ((APPROVED, DENIED), "exclude each other"),
    ],
)
def test_one_judgement_that_is_true(conditions: tuple[Condition, ...], words: str) -> None:
    found = [problem.message for problem in judgement_problems(conditions)]

    assert words in found[0] if words else found == []


@pytest.mark.parametrize("judged", [APPROVED, DENIED])
def test_a_judgement_is_final(judged: Condition) -> None:
    assert list(changed_judgement_problems((judged,), (READY, judged))) == []
    assert list(changed_judgement_problems((), (judged,))) == []
    for new in [(), (replace(judged, reason="other"),), (replace(judged, status="False"),)]:
        assert len(list(changed_judgement_problems((judged,), new))) == 1


def test_when_a_permission_is_asked_for() -> None:
    assert is_newly_judged((), (APPROVED,))
    assert is_newly_judged((APPROVED,), (APPROVED, DENIED))
    assert is_newly_judged((READY,), (READY, replace(DENIED, status="False")))
    assert not is_newly_judged((APPROVED,), (APPROVED, READY))
    assert not is_newly_judged((), (READY,))


def test_names_of_signers() -> None:
    assert signer_names("issuers.cert-manager.io", "shop", "ca") == (
        "issuers.cert-manager.io/*",
        "issuers.cert-manager.io/shop.ca",
    )
    assert signer_names("clusterissuers.cert-manager.io", "", "ca")[1] == "clusterissuers.cert-manager.io/ca"


def test_a_field_the_api_does_not_know_is_no_change() -> None:
    old: JSONObject = {"issuerRef": {"name": "ca"}, "request": "eA=="}

    found = changed_spec_problems(
        from_json(cm.CertificateRequestSpec, old), from_json(cm.CertificateRequestSpec, old | {"usages": []})
    )

    assert list(found) == []
