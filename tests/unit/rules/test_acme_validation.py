"""What never changes about Orders and Challenges."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from certwright.api import acme_v1 as acme
from certwright.api.meta import ObjectReference
from certwright.rules.acme_validation import changed_challenge_problems, changed_order_problems

ISSUER = ObjectReference(name="ca")
OFFERED = acme.OfferedChallenge(url="https://ca/c/1", token="t", type="dns-01")
PROOF = acme.Authorization(url="https://ca/a/1", identifier="a.test", wildcard=False, challenges=(OFFERED,))
STATUS = acme.OrderStatus(
    url="https://ca/o/1",
    finalize_url="https://ca/o/1/f",
    authorizations=(PROOF,),
    certificate=b"chain",
    state="pending",
)
ORDER = acme.Order(spec=acme.OrderSpec(request=b"csr", issuer_ref=ISSUER), status=STATUS)
CHALLENGE = acme.Challenge(
    spec=acme.ChallengeSpec(
        url="https://ca/c/1",
        authorization_url="https://ca/a/1",
        dns_name="a.test",
        type="DNS-01",
        token="t",
        key="k",
        solver=acme.Solver(),
        issuer_ref=ISSUER,
    )
)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "https://ca/o/2"}, "status.url"),
        ({"url": ""}, "status.url"),
        ({"finalize_url": ""}, "status.finalizeURL"),
        ({"certificate": b"other"}, "status.certificate"),
        ({"authorizations": ()}, "status.authorizations"),
        ({"authorizations": (PROOF, PROOF)}, "status.authorizations"),
        ({"authorizations": (replace(PROOF, url="https://ca/a/2"),)}, "status.authorizations[0].url"),
        ({"authorizations": (replace(PROOF, identifier="b.test"),)}, "status.authorizations[0].identifier"),
        ({"authorizations": (replace(PROOF, wildcard=None),)}, "status.authorizations[0].wildcard"),
        ({"authorizations": (replace(PROOF, challenges=()),)}, "status.authorizations[0].challenges"),
        (
            {"authorizations": (replace(PROOF, challenges=(replace(OFFERED, token="u"),)),)},
            "status.authorizations[0].challenges",
        ),
        ({"authorizations": (replace(PROOF, initial_state="valid"),)}, ""),
        ({"state": "valid", "reason": "done"}, ""),
    ],
)
def test_the_status_of_an_order(changes: dict[str, Any], field: str) -> None:
    found = changed_order_problems(ORDER, replace(ORDER, status=replace(STATUS, **changes)))

    assert [problem.field for problem in found] == ([field] if field else [])


def test_an_order_may_be_filled_in() -> None:
    fresh = replace(ORDER, status=acme.OrderStatus())
    placed = replace(
        ORDER, status=replace(STATUS, certificate=b"", authorizations=(acme.Authorization(url=PROOF.url),))
    )

    assert list(changed_order_problems(fresh, placed)) == []
    assert list(changed_order_problems(placed, ORDER)) == []


def test_the_request_of_an_order() -> None:
    changed = replace(ORDER, spec=replace(ORDER.spec, request=b"other"))

    assert [problem.field for problem in changed_order_problems(ORDER, changed)] == ["spec.request"]


def test_the_spec_of_a_challenge() -> None:
    changed = replace(CHALLENGE, spec=replace(CHALLENGE.spec, key="other"))
    told = replace(CHALLENGE, status=acme.ChallengeStatus(presented=True))

    assert [problem.field for problem in changed_challenge_problems(CHALLENGE, changed)] == ["spec"]
    assert list(changed_challenge_problems(CHALLENGE, told)) == []
