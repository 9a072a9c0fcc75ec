"""The requester of a CertificateRequest: put in at creation, and checked."""

from __future__ import annotations

import pytest

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import JSONObject, ObjectReference, from_json
from certwright.kube.wire.patches import apply_json_patch
from certwright.rules.identity import Requester, identity_patch, identity_problems

ANN = Requester(username="ann", uid="7", groups=("b", "a"), extra={"scopes": ("x", "y")})
BARE = Requester(username="system:anonymous")
REQUEST: JSONObject = {"issuerRef": {"name": "ca"}, "request": "eA=="}
FORGED: JSONObject = {"username": "eve", "uid": "0", "groups": ["system:masters"], "extra": {"a": ["b"]}}


@pytest.mark.parametrize("claimed", [{}, FORGED])
@pytest.mark.parametrize(
    ("requester", "stored"),
    [
        (ANN, {"username": "ann", "uid": "7", "groups": ["b", "a"], "extra": {"scopes": ["x", "y"]}}),
        (BARE, {"username": "system:anonymous", "uid": ""}),
    ],
)
def test_the_patch_puts_the_requester_over_every_claim(
    claimed: JSONObject, requester: Requester, stored: JSONObject
) -> None:
    spec: JSONObject = {**REQUEST, **claimed}

    patched = apply_json_patch({"spec": spec}, identity_patch(spec, requester))  # type: ignore[arg-type]

    assert patched == {"spec": {**REQUEST, **stored}}


@pytest.mark.parametrize("requester", [ANN, BARE])
def test_what_the_patch_makes_is_right(requester: Requester) -> None:
    patched = apply_json_patch({"spec": {**REQUEST, **FORGED}}, identity_patch(FORGED, requester))  # type: ignore[arg-type]
    assert isinstance(patched, dict)

    assert list(identity_problems(from_json(cm.CertificateRequestSpec, patched["spec"]), requester)) == []


def test_claims_of_somebody_else_are_found() -> None:
    spec = cm.CertificateRequestSpec(issuer_ref=ObjectReference(name="ca"), request=b"x")
    found = [problem.field for problem in identity_problems(spec, ANN)]

    assert found == ["spec.username", "spec.uid", "spec.groups", "spec.extra"]


def test_order_says_nothing() -> None:
    spec = cm.CertificateRequestSpec(
        issuer_ref=ObjectReference(name="ca"),
        request=b"x",
        username="ann",
        uid="7",
        groups=("a", "b"),
        extra={"scopes": ("y", "x")},
    )

    assert list(identity_problems(spec, ANN)) == []
