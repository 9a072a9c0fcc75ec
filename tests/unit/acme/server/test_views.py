from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from certwright.acme.protocol.messages import Identifier, Status
from certwright.acme.protocol.problems import Problem
from certwright.acme.server.records import AuthorizationRecord, ChallengeRecord, OrderRecord
from certwright.acme.server.views import authorization_status, authorization_view, order_status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NAME = Identifier("dns", "a.test")


def authorization(*states: str, until: datetime = LATER, **changes: object) -> AuthorizationRecord:
    challenges = tuple(
        ChallengeRecord(type=f"x-{number}", token="t", status=state) for number, state in enumerate(states)
    )
    made = AuthorizationRecord(id="z", identifier=NAME, until=until, challenges=challenges)
    return msgspec.structs.replace(made, **changes)


def order(**changes: object) -> OrderRecord:
    made = OrderRecord(id="o", identifiers=(NAME,), authorizations=("z",), until=LATER)
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (authorization("pending", "pending"), Status.PENDING),
        (authorization("processing", "pending"), Status.PENDING),
        (authorization("pending", "valid"), Status.VALID),
        (authorization("pending", "invalid"), Status.INVALID),
        (authorization("pending", until=NOW), Status.INVALID),
        (authorization("valid", until=NOW), Status.EXPIRED),
        (authorization("valid", deactivated=True), Status.DEACTIVATED),
    ],
)
def test_the_state_of_an_authorization(found: AuthorizationRecord, status: str) -> None:
    assert authorization_status(found, NOW) == status


def test_an_outcome_shows_from_its_moment_on() -> None:
    challenge = ChallengeRecord(type="x", token="t", status=Status.VALID, shown_from=LATER)
    hidden = authorization(challenges=(challenge,), until=LATER + timedelta(hours=1))

    assert authorization_status(hidden, NOW) == Status.PENDING
    assert authorization_status(hidden, LATER) == Status.VALID


@pytest.mark.parametrize(
    ("found", "authorizations", "status"),
    [
        (order(), [authorization("pending")], Status.PENDING),
        (order(), [authorization("valid"), authorization("processing")], Status.PENDING),
        (order(), [authorization("valid")], Status.READY),
        (order(), [authorization("valid"), authorization("invalid")], Status.INVALID),
        (order(), [authorization("pending"), authorization("invalid")], Status.INVALID),
        (order(), [authorization("valid", deactivated=True)], Status.INVALID),
        (order(), [authorization("valid", until=NOW)], Status.INVALID),
        (order(until=NOW), [authorization("valid")], Status.INVALID),
        (order(error=Problem()), [authorization("valid")], Status.INVALID),
        (order(certificate="k"), [authorization("valid")], Status.VALID),
        (order(certificate="k", until=NOW), [], Status.VALID),
        (order(certificate="k", ready_from=LATER), [authorization("valid")], Status.PROCESSING),
        (order(certificate="k", ready_from=NOW), [authorization("valid")], Status.VALID),
    ],
)
def test_the_state_of_an_order(found: OrderRecord, authorizations: list[AuthorizationRecord], status: str) -> None:
    assert order_status(found, authorizations, NOW) == status


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (authorization("pending", "pending"), 2),
        (authorization("processing", "pending"), 2),
        (authorization("pending", "valid"), 1),
        (authorization("invalid", "pending"), 1),
    ],
)
def test_a_decided_authorization_shows_what_decided(found: AuthorizationRecord, shown: int) -> None:
    challenges = authorization_view(found, NOW, "https://ca.test")["challenges"]

    assert isinstance(challenges, list)
    assert len(challenges) == shown
