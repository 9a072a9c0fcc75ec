"""The status of a legacy Certificate after a pass, and while its order is under way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.meta import Condition, ConditionStatus, ObjectMeta, ObjectReference
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate
from certwright.rules.legacy_events import ToldEvent
from certwright.rules.legacy_status import Said, config_error_status, next_status, order_status
from certwright.rules.milestones import IssuanceFailed, Stored

Words = tuple[ConditionStatus, str, str]

NOW = datetime(2026, 1, 2, tzinfo=UTC)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
REF = ObjectReference(name="i")
GOOD: Words = ("True", "Ready", "Certificate is up to date and has not expired")
MISSING: Words = ("False", "DoesNotExist", "Issuing certificate as Secret does not exist")
CERTIFICATE = HubCertificate(
    key=CertificateKey(Dialect.LEGACY, "ns", "c"),
    metadata=ObjectMeta(name="c", namespace="ns"),
    spec=cm.CertificateSpec(secret_name="s", issuer_ref=REF),
)
BROKEN = replace(CERTIFICATE, problem="Resource validation failed: x", problem_reason="ConfigError")
NOT_READY = ToldEvent(type="Warning", reason="IssuerNotReady", message="Issuer i not ready")


def condition(words: Words, since: datetime | None = BEFORE, kind: str = "Ready") -> Condition:
    status, reason, message = words
    return Condition(type=kind, status=status, reason=reason, message=message, last_transition_time=since)


def v1(ready: Words = MISSING, **fields: Any) -> cm.CertificateStatus:
    return replace(cm.CertificateStatus(conditions=(condition(ready),)), **fields)


def old(*conditions: Condition) -> legacy.CertificateStatus:
    return legacy.CertificateStatus(conditions=conditions)


def ready_of(status: legacy.CertificateStatus) -> tuple[str, str, datetime | None] | None:
    found = next((each for each in status.conditions if each.type == "Ready"), None)
    return (found.status, found.reason, found.last_transition_time) if found else None


ISSUED: Words = ("True", "CertIssued", "Certificate issued successfully")
CONFIG: Words = ("False", "ConfigError", "Resource validation failed: x")


@pytest.mark.parametrize(
    ("before", "said", "ready"),
    [
        # Nothing of v0.5's was said while a first certificate is made.
        ((), Said(status=v1()), None),
        # A certificate that was there before us is taken as issued.
        ((), Said(status=v1(GOOD)), ("True", "CertIssued", NOW)),
        # Ready stays what it was, with its words and its time.
        (
            (condition(("True", "CertRenewed", "Certificate renewed successfully")),),
            Said(status=v1(GOOD)),
            ("True", "CertRenewed", BEFORE),
        ),
        # v0.5 never took Ready back because a Secret was lost.
        ((condition(ISSUED),), Said(status=v1()), ("True", "CertIssued", BEFORE)),
        # The time of an issuance is told although the status does not change.
        (
            (condition(ISSUED),),
            Said(status=v1(GOOD), milestones=(Stored("r", "u", True),)),
            ("True", "CertRenewed", NOW),
        ),
        ((), Said(status=v1(GOOD), milestones=(Stored("r", "u", False),)), ("True", "CertIssued", NOW)),
        ((), Said(status=v1(), waits=NOT_READY), ("False", "IssuerNotReady", NOW)),
        # What was said of a spec or an issuer goes when it is no longer true.
        ((condition(CONFIG),), Said(status=v1()), None),
        ((condition(("False", "IssuerNotReady", "Issuer i not ready")),), Said(status=v1()), None),
        (
            (condition(("False", "ValidateError", 'issuer does not contain DNS01 configuration for "p"')),),
            Said(status=v1()),
            None,
        ),
        # What was said of a failed attempt stays until there is better news.
        ((condition(("False", "ErrIssueCert", "x")),), Said(status=v1()), ("False", "ErrIssueCert", BEFORE)),
        (
            (),
            Said(status=v1(("False", "IncorrectCertificate", "x"))),
            ("False", "DuplicateSecretName", NOW),
        ),
        (
            (condition(ISSUED),),
            Said(status=v1(("False", "Expired", "x"), not_after=BEFORE)),
            ("False", "Expired", NOW),
        ),
        ((), Said(status=v1(), milestones=(IssuanceFailed("Failed", "no"),)), ("False", "ErrIssueCert", NOW)),
        (
            (condition(ISSUED),),
            Said(status=v1(GOOD), milestones=(IssuanceFailed("Failed", "no"),)),
            ("True", "CertIssued", BEFORE),
        ),
    ],
)
def test_ready(before: tuple[Condition, ...], said: Said, ready: tuple[str, str, datetime | None] | None) -> None:
    assert ready_of(next_status(old(*before), CERTIFICATE, said, NOW)) == ready


def test_a_broken_spec_is_told_whatever_else_is_true() -> None:
    status = next_status(old(condition(ISSUED)), BROKEN, Said(status=v1(GOOD)), NOW)

    assert ready_of(status) == ("False", "ConfigError", NOW)
    assert status.conditions[0].message == "Resource validation failed: x"


def test_a_pass_that_says_the_same_changes_nothing() -> None:
    said = Said(status=v1(GOOD, revision=1, not_after=NOW))
    once = next_status(old(), CERTIFICATE, said, NOW)

    assert next_status(once, CERTIFICATE, said, NOW + timedelta(hours=1)) == once


def test_a_failed_order_makes_wait() -> None:
    order = acme.Order(
        spec=acme.OrderSpec(request=b"", issuer_ref=REF),
        status=acme.OrderStatus(url="u", state="invalid", failure_time=BEFORE),
    )
    said = Said(status=v1(failed_issuance_attempts=2), order=order, backoff=timedelta(minutes=10))

    status = next_status(old(), CERTIFICATE, said, NOW)

    assert status.conditions[0].reason == "Backoff"
    assert status.conditions[0].message == "Backing off 10m0s until attempting re-validation"


def test_an_order_that_could_not_be_finalized_is_told() -> None:
    order = acme.Order(
        spec=acme.OrderSpec(request=b"", issuer_ref=REF),
        status=acme.OrderStatus(url="u", state="errored", reason="no", failure_time=BEFORE),
    )
    said = Said(
        status=v1(failed_issuance_attempts=1),
        milestones=(IssuanceFailed("Failed", "no"),),
        order=order,
        backoff=timedelta(minutes=5),
    )

    (ready,) = next_status(old(), CERTIFICATE, said, NOW).conditions

    assert (ready.reason, ready.message) == ("IssueError", "Failed to finalize order: no")


def test_the_engines_state_is_kept_in_fields_and_an_issuance_shows_when_it_began() -> None:
    issuing = condition(("True", "DoesNotExist", "x"), BEFORE, "Issuing")
    wanted = replace(
        v1(), conditions=(issuing,), revision=3, next_private_key_secret_name="k", failed_issuance_attempts=1
    )

    status = next_status(old(issuing), CERTIFICATE, Said(status=wanted), NOW)

    assert status.conditions == ()
    assert (status.revision, status.next_private_key_secret_name, status.issuing_since) == (3, "k", BEFORE)
    assert status.failed_issuance_attempts == 1


def test_other_conditions_and_the_order_stay() -> None:
    validated = condition(("False", "OrderValidated", "Order validated"), BEFORE, "ValidateFailed")
    account = legacy.CertificateAcmeStatus(order=legacy.OrderStatus(url="u"))
    before = replace(old(validated), acme=account)

    status = next_status(before, CERTIFICATE, Said(status=v1(GOOD)), NOW)

    assert [each.type for each in status.conditions] == ["Ready", "ValidateFailed"]
    assert status.acme == account


def test_a_certificate_that_cannot_be_read_says_so() -> None:
    (ready,) = config_error_status((), BROKEN, NOW)

    assert (ready.status, ready.reason, ready.last_transition_time) == ("False", "ConfigError", NOW)
    assert config_error_status((ready,), BROKEN, NOW + timedelta(hours=1)) == (ready,)


def an_order(state: acme.State | None, reason: str = "") -> acme.Order:
    status = acme.OrderStatus(url="https://acme/order/1", state=state, reason=reason)
    return acme.Order(spec=acme.OrderSpec(request=b"", issuer_ref=REF), status=status)


WAITING = "Waiting for DNS-01 challenge propagation: no TXT record yet"


def a_challenge(*, presented: bool, reason: str) -> acme.Challenge:
    spec = acme.ChallengeSpec(
        url="c",
        authorization_url="a",
        dns_name="a.example.com",
        type="DNS-01",
        token="t",
        key="k",
        solver=acme.Solver(),
        issuer_ref=REF,
    )
    return acme.Challenge(spec=spec, status=acme.ChallengeStatus(presented=presented, state="pending", reason=reason))


class TestOrder:
    def test_its_url_is_kept(self) -> None:
        status = order_status(old(), an_order("pending"), (), NOW)

        assert status.acme == legacy.CertificateAcmeStatus(order=legacy.OrderStatus(url="https://acme/order/1"))
        assert order_status(status, an_order("pending"), (), NOW) == status

    @pytest.mark.parametrize(
        ("state", "reason", "words"),
        [
            ("ready", "", ("False", "OrderValidated", "Order validated")),
            ("valid", "", ("False", "OrderValidated", "Order validated")),
            ("invalid", "", ("True", "OrderFailed", "Order status is invalid")),
            ("invalid", "no TXT", ("True", "OrderFailed", "Order status is invalid: no TXT")),
        ],
    )
    def test_whether_it_was_validated(self, state: acme.State, reason: str, words: Words) -> None:
        status = order_status(old(condition(ISSUED)), an_order(state, reason), (), NOW)

        assert status.conditions == (condition(ISSUED), condition(words, NOW, "ValidateFailed"))

    @pytest.mark.parametrize(
        ("presented", "reason", "text"),
        [
            (True, WAITING, 'dns-01 self check failed for domain "a.example.com"'),
            (False, 'Ingress "my-ingress" not found', 'Ingress "my-ingress" not found'),
        ],
    )
    def test_what_a_challenge_waits_for_is_told(self, presented: bool, reason: str, text: str) -> None:
        challenge = a_challenge(presented=presented, reason=reason)

        status = order_status(old(), an_order("pending"), (challenge,), NOW)

        assert status.conditions == (condition(("False", "ValidateError", text), NOW),)

    @pytest.mark.parametrize(("before", "reason"), [((), ""), ((condition(ISSUED),), WAITING)])
    def test_but_not_before_it_is_tried_nor_over_a_good_certificate(
        self, before: tuple[Condition, ...], reason: str
    ) -> None:
        challenge = a_challenge(presented=True, reason=reason)

        status = order_status(old(*before), an_order("pending"), (challenge,), NOW)

        assert status.conditions == before
