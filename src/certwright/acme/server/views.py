"""The states of orders and authorizations at a moment (RFC 8555 section 7.1.6), and the objects that clients see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from certwright.acme.protocol.messages import Identifier, Status
from certwright.acme.protocol.problems import Problem
from certwright.acme.server.records import (
    AccountRecord,
    AuthorizationRecord,
    ChallengeRecord,
    OrderRecord,
)

View = dict[str, object]


def challenge_status(challenge: ChallengeRecord, now: datetime) -> str:
    """An outcome that is not shown yet still looks like `processing`."""
    if challenge.shown_from is not None and now < challenge.shown_from:
        return Status.PROCESSING
    return challenge.status


def authorization_status(authorization: AuthorizationRecord, now: datetime) -> str:
    """Valid by one valid challenge, invalid by one that failed, as long as it is neither given up nor expired."""
    if authorization.deactivated:
        return Status.DEACTIVATED
    states = {challenge_status(challenge, now) for challenge in authorization.challenges}
    if Status.VALID in states:
        return Status.VALID if now < authorization.until else Status.EXPIRED
    if Status.INVALID in states or now >= authorization.until:
        return Status.INVALID
    return Status.PENDING


def order_status(order: OrderRecord, authorizations: Sequence[AuthorizationRecord], now: datetime) -> str:
    """What the order's own facts and its authorizations make of it."""
    if order.certificate:
        return Status.PROCESSING if order.ready_from is not None and now < order.ready_from else Status.VALID
    states = {authorization_status(authorization, now) for authorization in authorizations}
    if order.error or now >= order.until or states - {Status.PENDING, Status.VALID}:
        return Status.INVALID
    return Status.PENDING if Status.PENDING in states else Status.READY


def account_view(account: AccountRecord, base: str) -> View:
    """The account object."""
    view: View = {
        "status": account.status,
        "contact": account.contact,
        "orders": f"{base}/account/{account.id}/orders",
    }
    if account.terms_agreed:
        view["termsOfServiceAgreed"] = True
    return view


def order_view(order: OrderRecord, status: str, base: str) -> View:
    """The order object."""
    optional = {
        "notBefore": moment(order.not_before),
        "notAfter": moment(order.not_after),
        "profile": order.profile,
        "replaces": order.replaces,
        "error": order.error,
        "certificate": f"{base}/certificate/{order.certificate}" if status == Status.VALID else None,
    }
    return {
        "status": status,
        "expires": moment(order.until),
        "identifiers": [identifier_view(identifier) for identifier in order.identifiers],
        "authorizations": [f"{base}/authorization/{name}" for name in order.authorizations],
        "finalize": f"{base}/finalize/{order.id}",
        **{name: value for name, value in optional.items() if value},
    }


def authorization_view(authorization: AuthorizationRecord, now: datetime, base: str) -> View:
    """The authorization object; a decided one shows only the challenge that decided."""
    status = authorization_status(authorization, now)
    challenges = [challenge_view(authorization, number, now, base) for number in _shown(authorization, status, now)]
    view: View = {
        "identifier": identifier_view(authorization.identifier),
        "status": status,
        "expires": moment(authorization.until),
        "challenges": challenges,
    }
    return view | ({"wildcard": True} if authorization.wildcard else {})


def challenge_view(authorization: AuthorizationRecord, number: int, now: datetime, base: str) -> View:
    """The challenge object."""
    challenge = authorization.challenges[number]
    view: View = {
        "type": challenge.type,
        "url": f"{base}/challenge/{authorization.id}/{number}",
        "status": challenge_status(challenge, now),
        "token": challenge.token,
    }
    if view["status"] == Status.VALID:
        view["validated"] = moment(challenge.validated)
    if view["status"] == Status.INVALID and challenge.error:
        view["error"] = challenge.error
    return view


def problem_view(problem: Problem, members: dict[str, object]) -> View:
    """The problem document, members that say nothing left out."""
    view: View = {"type": problem.type, "detail": problem.detail, "status": problem.status}
    if problem.subproblems:
        view["subproblems"] = problem.subproblems
    return view | members


def identifier_view(identifier: Identifier) -> View:
    """The identifier object."""
    return {"type": identifier.type, "value": identifier.value}


def moment(when: datetime | None) -> str | None:
    """RFC 3339 in whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


def _shown(authorization: AuthorizationRecord, status: str, now: datetime) -> list[int]:
    every = range(len(authorization.challenges))
    decided = [number for number in every if challenge_status(authorization.challenges[number], now) == status]
    return decided if decided and status in {Status.VALID, Status.INVALID} else list(every)
