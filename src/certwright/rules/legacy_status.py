"""The status of a legacy Certificate, from what the engine reports in v1 terms and from its ACME order.

v0.5 never took Ready back because a certificate stopped matching, and neither is it taken back here while the stored
certificate is good: a failed renewal shows in `ValidateFailed`, `lastFailureTime` and events.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.legacy_words import LegacyCondition, LegacyReason, LegacyText
from certwright.api.meta import Condition, ConditionStatus, format_duration
from certwright.api.wellknown import CertificateReason, ConditionType
from certwright.rules.hub import HubCertificate, condition_of
from certwright.rules.legacy_events import ALL_VALID, FINISHED, ToldEvent, failure_event
from certwright.rules.milestones import IssuanceFailed, Milestone, Stored

# Said of a spec, an issuer or a claim, so they go as soon as they are no longer true.
_PASSING = {
    LegacyReason.CONFIG_ERROR,
    LegacyReason.INVALID_CONFIG,
    LegacyReason.ISSUER_NOT_FOUND,
    LegacyReason.ISSUER_NOT_READY,
    LegacyReason.DUPLICATE_SECRET_NAME,
}


class Said(Struct, frozen=True, kw_only=True):
    """What a pass says of a Certificate: `waits` for its issuer; `order` is that of its failed issuance, if ACME's.

    `backoff` is how long the next attempt waits after a failure of an ACME order.
    """

    status: cm.CertificateStatus
    milestones: tuple[Milestone, ...] = ()
    waits: ToldEvent | None = None
    order: acme.Order | None = None
    backoff: timedelta | None = None


def next_status(
    old: legacy.CertificateStatus, certificate: HubCertificate, said: Said, now: datetime
) -> legacy.CertificateStatus:
    """The whole status after a pass; equal to the old one where there is nothing to write."""
    status = said.status
    issuing = condition_of(status.conditions, ConditionType.ISSUING)
    since = issuing.last_transition_time if issuing is not None and issuing.status == "True" else None
    kept = tuple(each for each in old.conditions if each.type not in {ConditionType.READY, ConditionType.ISSUING})
    ready = _ready(old, certificate, said, now)
    return replace(
        old,
        conditions=(ready, *kept) if ready is not None else kept,
        not_before=status.not_before,
        not_after=status.not_after,
        renewal_time=status.renewal_time,
        last_failure_time=status.last_failure_time,
        revision=status.revision,
        next_private_key_secret_name=status.next_private_key_secret_name,
        failed_issuance_attempts=status.failed_issuance_attempts,
        issuing_since=(since or now) if issuing is not None and issuing.status == "True" else None,
    )


def config_error_status(
    conditions: tuple[Condition, ...], certificate: HubCertificate, now: datetime
) -> tuple[Condition, ...]:
    """The conditions of a Certificate that cannot even be read."""
    ready = _condition(conditions, ("False", certificate.problem_reason, certificate.problem), now)
    return (ready, *(each for each in conditions if each.type != ConditionType.READY))


def order_status(
    old: legacy.CertificateStatus, order: acme.Order, challenges: Iterable[acme.Challenge], now: datetime
) -> legacy.CertificateStatus:
    """The status with what the order under way says: its URL, whether it was validated, which self-check fails."""
    new = _with_url(old, order.status.url)
    state = order.status.state
    words: _Words = ("False", LegacyReason.ORDER_VALIDATED, LegacyText.ORDER_VALIDATED)
    if state == "invalid":
        reason = f": {order.status.reason}" if order.status.reason else ""
        words = ("True", LegacyReason.ORDER_FAILED, f"Order status is invalid{reason}")
    if state == "invalid" or state in ALL_VALID:
        return _with(new, LegacyCondition.VALIDATE_FAILED, words, now)
    ready = condition_of(old.conditions, ConditionType.READY)
    trouble = next(filter(None, map(_trouble, challenges)), "")
    if not trouble or (ready is not None and ready.status == "True"):
        return new
    return _with(new, ConditionType.READY, ("False", LegacyReason.VALIDATE_ERROR, trouble), now)


def _trouble(challenge: acme.Challenge) -> str:
    """What a challenge waits for, where it has been tried: its self-check, or whatever its provider said."""
    status = challenge.status
    if status.state in FINISHED or not status.reason:
        return ""
    if status.presented:
        return f'{challenge.spec.type.lower()} self check failed for domain "{challenge.spec.dns_name}"'
    return status.reason


_Words = tuple[ConditionStatus, str, str]


def _ready(old: legacy.CertificateStatus, certificate: HubCertificate, said: Said, now: datetime) -> Condition | None:
    before = condition_of(old.conditions, ConditionType.READY)
    stored = next((each for each in said.milestones if isinstance(each, Stored)), None)
    if stored is not None:
        # Told at each issuance, so its time is that of the issuance, not only that of a change of status.
        words = _success(renewal=stored.renewal)
        return Condition(
            type=ConditionType.READY, status=words[0], reason=words[1], message=words[2], last_transition_time=now
        )
    wanted = _words(before, certificate, said)
    return None if wanted is None else _condition(old.conditions, wanted, now)


def _words(before: Condition | None, certificate: HubCertificate, said: Said) -> _Words | None:
    if certificate.problem:
        return "False", certificate.problem_reason, certificate.problem
    ready = condition_of(said.status.conditions, ConditionType.READY)
    if ready is not None and ready.status == "True":
        kept = before is not None and before.status == "True"
        return ("True", before.reason, before.message) if before and kept else _success(renewal=False)
    return _not_ready(ready.reason if ready is not None else "", said) or _unchanged(before)


def _not_ready(reason: str, said: Said) -> _Words | None:
    if reason == CertificateReason.INCORRECT_CERTIFICATE:
        return "False", LegacyReason.DUPLICATE_SECRET_NAME, LegacyText.DUPLICATE_SECRET_NAME
    if said.waits is not None:
        return "False", said.waits.reason, said.waits.message
    if (failure := _failure(said)) is not None:
        return failure
    return (
        ("False", LegacyReason.EXPIRED, _expired(said.status.not_after))
        if reason == CertificateReason.EXPIRED
        else None
    )


def _unchanged(before: Condition | None) -> _Words | None:
    if before is None or before.status == "Unknown" or _was_passing(before):
        return None
    return before.status, before.reason, before.message


def _was_passing(before: Condition) -> bool:
    unknown_provider = before.reason == LegacyReason.VALIDATE_ERROR and before.message.startswith("issuer does not")
    return before.status == "False" and (before.reason in _PASSING or unknown_provider)


def _failure(said: Said) -> _Words | None:
    """What the last failure leaves: an ACME order makes wait, any other failure is told as it is."""
    failed = next((each for each in said.milestones if isinstance(each, IssuanceFailed)), None)
    event = failure_event(said.order)
    if failed is not None and event is not None:
        return "False", event.reason, event.message
    if said.order is not None and said.backoff is not None and said.status.failed_issuance_attempts:
        text = f"Backing off {format_duration(said.backoff)} until attempting re-validation"
        return "False", LegacyReason.BACKOFF, text
    if failed is None:
        return None
    if said.status.not_after is not None:
        return "False", LegacyReason.ERR_RENEW_CERT, f"Error renewing TLS certificate: {failed.message}"
    return "False", LegacyReason.ERR_ISSUE_CERT, f"Error issuing TLS certificate: {failed.message}"


def _success(*, renewal: bool) -> _Words:
    if renewal:
        return "True", LegacyReason.CERT_RENEWED, LegacyText.CERT_RENEWED
    return "True", LegacyReason.CERT_ISSUED, LegacyText.CERT_ISSUED


def _expired(not_after: datetime | None) -> str:
    return f"Certificate has expired on {not_after:%Y-%m-%d}" if not_after else "Certificate has expired"


def _with_url(old: legacy.CertificateStatus, url: str) -> legacy.CertificateStatus:
    if not url or (old.acme is not None and old.acme.order is not None and old.acme.order.url == url):
        return old
    return replace(old, acme=legacy.CertificateAcmeStatus(order=legacy.OrderStatus(url=url)))


def _with(old: legacy.CertificateStatus, kind: str, words: _Words, now: datetime) -> legacy.CertificateStatus:
    condition = _condition(old.conditions, words, now, kind)
    if condition in old.conditions:
        return old
    others = tuple(each for each in old.conditions if each.type != kind)
    # Scripts of 2018 look at the first condition for Ready.
    return replace(old, conditions=(condition, *others) if kind == ConditionType.READY else (*others, condition))


def _condition(old: tuple[Condition, ...], words: _Words, now: datetime, kind: str = ConditionType.READY) -> Condition:
    """The condition with these words; its time moves only when its status does."""
    before = condition_of(old, kind)
    status, reason, message = words
    same = before is not None and before.status == status and before.last_transition_time is not None
    since = before.last_transition_time if before is not None and same else now
    return Condition(type=kind, status=status, reason=reason, message=message, last_transition_time=since)
