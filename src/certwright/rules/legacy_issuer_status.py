"""The status of a legacy issuer and the events that go with a change of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.api.meta import Condition
from certwright.api.wellknown import ConditionType, IssuerReason
from certwright.rules.hub import HubIssuer, condition_of
from certwright.rules.legacy_events import ToldEvent

# v0.5 warned of these under their own reason before it said that the issuer could not be initialized.
_WARNED = {
    IssuerReason.ERR_GET_KEY_PAIR,
    IssuerReason.ERR_INVALID_KEY_PAIR,
    IssuerReason.ERR_VERIFY_ACME_ACCOUNT,
    IssuerReason.INVALID_URL,
}
# No set-up was tried, or trying again is of no use.
_SILENT = {IssuerReason.INVALID_CONFIG, "ConfigError"}


def ready_condition(issuer: HubIssuer, ready: Condition, old: tuple[Condition, ...], now: datetime) -> Condition:
    """The Ready condition: what is wrong with the spec, else what the check said; without observedGeneration."""
    if issuer.problem:
        ready = Condition(
            type=ConditionType.READY, status="False", reason=issuer.problem_reason, message=issuer.problem
        )
    before = condition_of(old, ConditionType.READY)
    same = before is not None and before.status == ready.status and before.last_transition_time is not None
    since = before.last_transition_time if before is not None and same else now
    return msgspec.structs.replace(ready, last_transition_time=since, observed_generation=0)


def issuer_status(old: legacy.IssuerStatus, ready: Condition, account: AcmeIssuerStatus | None) -> legacy.IssuerStatus:
    """The whole status; an account that is not given stays as it is."""
    others = tuple(each for each in old.conditions if each.type != ConditionType.READY)
    status = msgspec.structs.replace(old, conditions=(ready, *others))
    if account is None:
        return status
    registration = legacy.Registration(
        email=account.last_registered_email, private_key_hash=account.last_private_key_hash
    )
    return msgspec.structs.replace(
        status,
        acme=legacy.AcmeIssuerStatus(uri=account.uri) if account.uri else None,
        registration=registration if registration != legacy.Registration() else None,
    )


def issuer_events(before: Condition | None, ready: Condition) -> tuple[ToldEvent, ...]:
    """What is told when the condition changes; the success of an ACME issuer is silent."""
    if before is not None and (before.status, before.reason, before.message) == (
        ready.status,
        ready.reason,
        ready.message,
    ):
        return ()
    if ready.status == "True":
        verified = ready.reason == IssuerReason.KEY_PAIR_VERIFIED
        return (ToldEvent(reason=ready.reason, message=ready.message),) if verified else ()
    if ready.reason in _SILENT:
        return ()
    warning = ToldEvent(type="Warning", reason=ready.reason, message=ready.message)
    text = f"Error initializing issuer: {ready.message}"
    failed = ToldEvent(type="Warning", reason=IssuerReason.ERR_INIT_ISSUER, message=text)
    return (warning, failed) if ready.reason in _WARNED else (failed,)
