"""What a Certificate's status is to say, and when it has to be looked at again."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition
from certwright.api.wellknown import CertificateReason, ConditionType
from certwright.cluster.dialects import Report
from certwright.controllers.certificate.decide import backoff_end
from certwright.controllers.certificate.gather import CertificateView
from certwright.rules import backoff
from certwright.rules.conditions import find_condition, with_condition, without_condition
from certwright.rules.facts import LeafFacts
from certwright.rules.milestones import Milestone, RenewalNotAdvised, SecretNotWritable, WindowUnusable
from certwright.rules.reissue import Violation, expired, incorrect_certificate, violation
from certwright.rules.renewal_time import Renewal

UP_TO_DATE = "Certificate is up to date and has not expired"
INVALID_SPEC = "InvalidSpec"


class Change(Struct, frozen=True, kw_only=True):
    """What a step changes of the status; what is not set stays. `issuing` None: the condition goes.

    `note` says beside the reason what an unready Certificate waits for; `found` is what is wrong with the Secret, where
    that was looked at before.
    """

    found: Violation | UnsetType | None = UNSET
    issuing: Condition | UnsetType | None = UNSET
    note: str = ""
    revision: int | UnsetType = UNSET
    next_private_key_secret_name: str | UnsetType | None = UNSET
    last_failure_time: datetime | UnsetType | None = UNSET
    failed_issuance_attempts: int | UnsetType | None = UNSET
    milestones: tuple[Milestone, ...] = ()


NOTHING = Change()
NOTHING_DUE = Change(found=None)
"""Of a Secret that was found to hold what is wanted, in this pass."""


def report(view: CertificateView, change: Change = NOTHING) -> Report:
    """The whole status as it is to be, and what happened."""
    old, leaf = view.status, _leaf(view)
    renewal = None if leaf is None else view.planned(leaf, _said(view))
    ready = _ready(view, change, renewal)
    conditions = with_condition(old.conditions, ready, view.now)
    if change.issuing is None:
        conditions = without_condition(conditions, ConditionType.ISSUING)
    elif change.issuing is not UNSET:
        conditions = with_condition(conditions, change.issuing, view.now)
    status = replace(
        old,
        conditions=conditions,
        not_before=leaf.not_before if leaf else None,
        not_after=leaf.not_after if leaf else None,
        renewal_time=renewal.when if renewal else None,
        acme=_acme(view),
        **_set_fields(change),
    )
    return Report(status=status, milestones=(*change.milestones, *_news(view, ready), *_advice_news(view)))


def issuing(view: CertificateView, status: str, reason: str, message: str) -> Condition:
    """The condition Issuing."""
    return Condition(
        type=ConditionType.ISSUING,
        status="True" if status == "True" else "False",
        reason=reason,
        message=message,
        observed_generation=view.certificate.metadata.generation,
    )


def held_back(view: CertificateView) -> str:
    """What is said while an issuance waits for the end of its back-off."""
    until, issuing = backoff_end(view), view.issuing
    if until is None:
        return ""
    why = issuing.message if issuing is not None else "The last issuance failed"
    return _sentence(why, f"The next try is at {until:%Y-%m-%dT%H:%M:%SZ}")


def look_again(view: CertificateView, status: cm.CertificateStatus, asking: datetime | None = None) -> datetime | None:
    """The next moment at which something is due without anything having changed; a CA is to be asked at `asking`."""
    moments = [status.renewal_time, status.not_after, view.ca_reissue, asking]
    if status.last_failure_time is not None:
        moments.append(backoff.next_try(status, *view.backoff))
    if (said := _said(view)) is not None:
        moments.append(said.next_check)
    return min([moment for moment in moments if moment is not None and moment > view.now], default=None)


def _ready(view: CertificateView, change: Change, renewal: Renewal | None) -> Condition:
    """The condition Ready: true as long as the Secret holds what is wanted and it has not expired."""
    found = _unready(view, change.found, renewal)
    return Condition(
        type=ConditionType.READY,
        status="True" if found is None else "False",
        reason=CertificateReason.READY if found is None else found.reason,
        message=UP_TO_DATE if found is None else _sentence(found.message, change.note),
        observed_generation=view.certificate.metadata.generation,
    )


def _unready(view: CertificateView, known: Violation | UnsetType | None, renewal: Renewal | None) -> Violation | None:
    if not view.owns:
        return incorrect_certificate(view.owner.key.name)
    if view.certificate.problem:
        return Violation(view.certificate.problem_reason or INVALID_SPEC, view.certificate.problem)
    found = (violation(view.subjects) if known is UNSET else known) or expired(view.secret, view.now)
    if found is None and renewal is not None and renewal.window_problem:
        return Violation(CertificateReason.WINDOW_ERROR, renewal.window_problem)
    return found


def _leaf(view: CertificateView) -> LeafFacts | None:
    """The certificate whose dates are this Certificate's to tell."""
    if not view.owns or view.secret is None or view.secret.leaf is None or view.secret.leaf.is_temporary:
        return None
    return view.secret.leaf


def _said(view: CertificateView) -> cm.RenewalInformation | None:
    return None if view.advice is None else view.advice.known


def _acme(view: CertificateView) -> cm.CertificateAcmeStatus | None:
    if view.advice is None:
        return view.status.acme
    return None if view.advice.known is None else cm.CertificateAcmeStatus(ari=view.advice.known)


def _advice_news(view: CertificateView) -> tuple[Milestone, ...]:
    found = _said(view)
    if found is None or not found.last_error:
        return ()
    old = view.status.acme.ari if view.status.acme is not None else None
    return () if old is not None and old.last_error == found.last_error else (RenewalNotAdvised(found.last_error),)


def _news(view: CertificateView, ready: Condition) -> tuple[Milestone, ...]:
    old = find_condition(view.status.conditions, ConditionType.READY)
    if old is not None and old.reason == ready.reason:
        return ()
    if ready.reason == CertificateReason.WINDOW_ERROR:
        return (WindowUnusable(ready.message),)
    if not view.owns:
        return (SecretNotWritable(ready.reason, ready.message),)
    return ()


def _set_fields(change: Change) -> dict[str, object]:
    fields = ("revision", "next_private_key_secret_name", "last_failure_time", "failed_issuance_attempts")
    return {name: value for name in fields if (value := getattr(change, name)) is not UNSET}


def _sentence(text: str, more: str) -> str:
    return f"{text.rstrip('.')}. {more}" if more else text
