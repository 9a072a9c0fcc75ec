from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol import flow
from certwright.acme.protocol.messages import Authorization, Challenge, Identifier, Order, Status
from certwright.acme.protocol.problems import Problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(hours=1), NOW - timedelta(seconds=1)
NAME = Identifier("dns", "a.test")
ORDER = Order(
    Status.PENDING, (NAME,), ("https://ca.test/z/1", "https://ca.test/z/2"), "https://ca.test/f", expires=LATER
)
WRONG = Problem("urn:ietf:params:acme:error:unauthorized", "no TXT")
DNS = Challenge("dns-01", "https://ca.test/c/1", Status.PENDING, "t")
HTTP = Challenge("http-01", "https://ca.test/c/2", Status.PENDING, "t")
AUTHORIZATION = Authorization(NAME, Status.PENDING, (DNS, HTTP), expires=LATER)


def order(**changes: object) -> Order:
    return msgspec.structs.replace(ORDER, **changes)


def authorization(**changes: object) -> Authorization:
    return msgspec.structs.replace(AUTHORIZATION, **changes)


@pytest.mark.parametrize(
    ("found", "granted", "step"),
    [
        (ORDER, (), flow.Authorize(ORDER.authorizations)),
        (ORDER, ("https://ca.test/z/1",), flow.Authorize(("https://ca.test/z/2",))),
        (ORDER, ORDER.authorizations, flow.LookAgain(flow.USUAL_PACE)),
        (order(retry_after=timedelta(seconds=2)), ORDER.authorizations, flow.LookAgain(timedelta(seconds=2))),
        (order(status=Status.READY), (), flow.Finalize("https://ca.test/f")),
        (order(status=Status.PROCESSING), (), flow.LookAgain(flow.USUAL_PACE)),
        (order(status=Status.PROCESSING, expires=EARLIER), (), flow.LookAgain(flow.USUAL_PACE)),
        (order(status=Status.VALID), (), flow.LookAgain(flow.USUAL_PACE)),
        (order(status=Status.VALID, certificate="https://ca.test/k"), (), flow.Download("https://ca.test/k")),
        (order(expires=NOW), (), flow.Failed(Status.EXPIRED)),
        (order(status=Status.READY, expires=EARLIER), (), flow.Failed(Status.EXPIRED)),
        (order(status=Status.INVALID, error=WRONG), (), flow.Failed(Status.INVALID, WRONG)),
        (order(status="something-new"), (), flow.Failed("something-new")),
    ],
)
def test_the_next_step_of_an_order(found: Order, granted: tuple[str, ...], step: flow.OrderStep) -> None:
    assert flow.next_for_order(found, granted, NOW) == step


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (AUTHORIZATION, flow.Accept(DNS)),
        (
            authorization(challenges=(msgspec.structs.replace(DNS, status=Status.PROCESSING), HTTP)),
            flow.LookAgain(flow.USUAL_PACE),
        ),
        (
            authorization(
                challenges=(msgspec.structs.replace(DNS, status=Status.VALID), HTTP), retry_after=timedelta(0)
            ),
            flow.LookAgain(timedelta(0)),
        ),
        (
            authorization(challenges=(msgspec.structs.replace(DNS, status=Status.INVALID, error=WRONG), HTTP)),
            flow.Failed(Status.INVALID, WRONG),
        ),
        (authorization(status=Status.VALID), flow.Granted()),
        (authorization(status=Status.VALID, expires=None), flow.Granted()),
        (authorization(status=Status.VALID, expires=NOW), flow.Failed(Status.EXPIRED)),
        (authorization(expires=EARLIER), flow.Failed(Status.EXPIRED)),
        (authorization(challenges=(HTTP,)), flow.Failed(Status.EXPIRED)),
        (authorization(status=Status.DEACTIVATED), flow.Failed(Status.DEACTIVATED)),
        (authorization(status=Status.REVOKED), flow.Failed(Status.REVOKED)),
        (
            authorization(status=Status.INVALID, challenges=(DNS, msgspec.structs.replace(HTTP, error=WRONG))),
            flow.Failed(Status.INVALID, WRONG),
        ),
    ],
)
def test_the_next_step_of_an_authorization(found: Authorization, step: flow.AuthorizationStep) -> None:
    assert flow.next_for_authorization(found, DNS.url, NOW) == step


def test_the_named_challenges_problem_comes_first() -> None:
    other = Problem("x", "other")
    both = authorization(
        challenges=(msgspec.structs.replace(HTTP, error=other), msgspec.structs.replace(DNS, error=WRONG))
    )

    assert flow.failure_of(both, DNS.url) == WRONG
    assert flow.failure_of(both) == other
    assert flow.failure_of(AUTHORIZATION) is None


@settings(deadline=None)
@given(
    status=st.sampled_from([*Status, "unknown"]),
    expires=st.sampled_from([None, EARLIER, NOW, LATER]),
    granted=st.sets(st.sampled_from(ORDER.authorizations)),
    certificate=st.sampled_from(["", "https://ca.test/k"]),
)
def test_nothing_final_is_looked_at_again(
    status: str, expires: datetime | None, granted: set[str], certificate: str
) -> None:
    step = flow.next_for_order(order(status=status, expires=expires, certificate=certificate), granted, NOW)

    if status not in {Status.PENDING, Status.READY, Status.PROCESSING, Status.VALID}:
        assert step == flow.Failed(status)
    if isinstance(step, flow.Authorize):
        assert step.urls
        assert not set(step.urls) & granted
