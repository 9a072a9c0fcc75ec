"""Where a CertificateRequest stands, and what keeps it from being signed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import certificate, csr, key, ready, request, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectReference
from certwright.pki.csr import parse_request
from certwright.rules.approval import Approval, approval_of, is_ours, request_problems

APPROVED = {"type": "Approved", "status": "True", "reason": "x"}
DENIED = {"type": "Denied", "status": "True", "reason": "x"}
INVALID = {"type": "InvalidRequest", "status": "True", "reason": "x"}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], Approval.OPEN),
        ([APPROVED], Approval.APPROVED),
        ([DENIED], Approval.DENIED),
        ([APPROVED, DENIED], Approval.DENIED),
        ([APPROVED, ready("False", "Pending")], Approval.APPROVED),
        ([APPROVED, ready("True", "Issued")], Approval.ANSWERED),
        ([APPROVED, ready("False", "Failed")], Approval.ANSWERED),
        ([DENIED, ready("False", "Denied")], Approval.ANSWERED),
        ([APPROVED, INVALID], Approval.ANSWERED),
    ],
)
def test_where_it_stands(conditions: list[dict[str, Any]], expected: Approval) -> None:
    assert approval_of(request(certificate(), conditions=conditions)) is expected


@pytest.mark.parametrize(
    ("group", "ours"),
    [("", True), ("cert-manager.io", True), ("certmanager.k8s.io", True), ("awspca.cert-manager.io", False)],
)
def test_groups_that_are_ours(group: str, ours: bool) -> None:
    found = request(certificate())
    other = replace(found, spec=replace(found.spec, issuer_ref=ObjectReference(name="x", group=group)))

    assert is_ours(other) is ours


def problems(made_of: cm.CertificateSpec, **asked: Any) -> list[str]:
    found = cm.CertificateRequestSpec(issuer_ref=ObjectReference(name="x"), request=csr(made_of), **asked)
    return list(request_problems(parse_request(found.request), found))


def test_a_request_that_fits() -> None:
    assert problems(spec()) == []
    assert problems(spec(usages=["client auth", "server auth"]), usages=("server auth", "client auth")) == []
    assert problems(spec(encodeUsagesInRequest=False), usages=("server auth",)) == []
    assert problems(spec(isCA=True), is_ca=True) == []


def test_usages_that_differ() -> None:
    assert "usages" in problems(spec(usages=["server auth"]))[0]
    assert "usages" in problems(spec(), is_ca=True)[0]


def test_usages_that_do_not_exist() -> None:
    assert problems(spec(), usages=("flying",))


def test_a_signature_of_another_key() -> None:
    found = parse_request(csr(spec()))
    torn = replace(found, public_key_info=parse_request(csr(spec(), key(number=1))).public_key_info)
    asked = cm.CertificateRequestSpec(issuer_ref=ObjectReference(name="x"), request=b"")

    assert "not signed by the key" in next(request_problems(torn, asked))
