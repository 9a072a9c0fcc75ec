"""The status of a legacy issuer, and the events of its changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.api.meta import Condition, ConditionStatus, ObjectMeta, to_json
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey
from certwright.rules.legacy_issuer_status import issuer_events, issuer_status, ready_condition

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def hub(problem: str = "") -> HubIssuer:
    return HubIssuer(
        key=IssuerKey(Dialect.LEGACY, "Issuer", "ns", "i"),
        metadata=ObjectMeta(name="i", namespace="ns", generation=2),
        spec=cm.IssuerSpec(),
        problem=problem,
        problem_reason="ConfigError" if problem else "",
    )


def ready(status: ConditionStatus, reason: str, message: str = "m", since: datetime | None = None) -> Condition:
    return Condition(
        type="Ready", status=status, reason=reason, message=message, last_transition_time=since, observed_generation=2
    )


def test_the_condition_has_no_generation_and_its_time_moves_with_the_status_alone() -> None:
    same = ready_condition(hub(), ready("True", "IsReady"), (ready("True", "X", since=BEFORE),), NOW)
    other = ready_condition(hub(), ready("True", "IsReady"), (ready("False", "X", since=BEFORE),), NOW)

    assert (same.last_transition_time, same.observed_generation) == (BEFORE, 0)
    assert other.last_transition_time == NOW


def test_a_broken_spec_is_told_whatever_the_check_says() -> None:
    found = ready_condition(hub("Resource validation failed: x"), ready("True", "IsReady"), (), NOW)

    assert (found.status, found.reason, found.message) == ("False", "ConfigError", "Resource validation failed: x")


def test_the_account_shows_as_in_2018_and_what_else_is_known_of_it_stands_apart() -> None:
    account = AcmeIssuerStatus(uri="https://acme/1", last_registered_email="e", last_private_key_hash="h")

    status = issuer_status(legacy.IssuerStatus(), ready("True", "ACMEAccountRegistered"), account)

    assert to_json(status)["acme"] == {"uri": "https://acme/1"}
    assert status.registration == legacy.Registration(email="e", private_key_hash="h")
    assert issuer_status(status, ready("False", "X"), None).acme == legacy.AcmeIssuerStatus(uri="https://acme/1")


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (None, ready("True", "ACMEAccountRegistered"), []),
        (None, ready("True", "KeyPairVerified"), [("Normal", "KeyPairVerified", "m")]),
        (ready("True", "KeyPairVerified"), ready("True", "KeyPairVerified"), []),
        (None, ready("False", "ConfigError"), []),
        (None, ready("False", "InvalidConfig"), []),
        (
            None,
            ready("False", "ErrGetKeyPair"),
            [
                ("Warning", "ErrGetKeyPair", "m"),
                ("Warning", "ErrInitIssuer", "Error initializing issuer: m"),
            ],
        ),
        (
            ready("True", "VaultVerified"),
            ready("False", "VaultError"),
            [("Warning", "ErrInitIssuer", "Error initializing issuer: m")],
        ),
    ],
)
def test_events_of_a_change(before: Condition | None, now: Condition, told: list[tuple[str, str, str]]) -> None:
    assert [(event.type, event.reason, event.message) for event in issuer_events(before, now)] == told
