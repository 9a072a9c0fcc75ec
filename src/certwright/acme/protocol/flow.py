"""What an order and its authorizations need next (RFC 8555 section 7.1.6), decided from their states alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from certwright.acme.protocol.messages import Authorization, Challenge, Order, Status
from certwright.acme.protocol.problems import Problem

# RFC 8555 leaves the pace to the client where the CA gives no Retry-After.
USUAL_PACE = timedelta(seconds=5)


class Authorize(Struct, frozen=True):
    """Prove control for the authorizations behind these URLs."""

    urls: tuple[str, ...]


class Finalize(Struct, frozen=True):
    """Send the certificate request to this URL."""

    url: str


class LookAgain(Struct, frozen=True):
    """Nothing to do until the CA has gone on; fetch the same URL after this time."""

    after: timedelta


class Download(Struct, frozen=True):
    """The certificate is ready at this URL."""

    url: str


class Accept(Struct, frozen=True):
    """Tell the CA that this challenge can be checked, once the proof is seen from here."""

    challenge: Challenge


class Granted(Struct, frozen=True):
    """The identifier is authorized."""


class Failed(Struct, frozen=True):
    """A final state without success: `state` as Orders and Challenges report it."""

    state: str
    problem: Problem | None = None


OrderStep = Authorize | Finalize | LookAgain | Download | Failed
AuthorizationStep = Accept | LookAgain | Granted | Failed


def next_for_order(order: Order, granted: Iterable[str], now: datetime) -> OrderStep:
    """The step for an order of which the authorizations with URLs `granted` are known to be valid."""
    if order.status in {Status.READY, Status.PENDING} and _has_passed(order.expires, now):
        return Failed(Status.EXPIRED)
    match order.status:
        case Status.VALID if order.certificate:
            return Download(order.certificate)
        case Status.READY:
            return Finalize(order.finalize)
        case Status.PENDING if missing := _without(order.authorizations, granted):
            return Authorize(missing)
        case Status.PENDING | Status.PROCESSING | Status.VALID:
            return LookAgain(_pace(order.retry_after))
    return Failed(order.status, order.error)


def next_for_authorization(authorization: Authorization, challenge_url: str, now: datetime) -> AuthorizationStep:
    """The step for an authorization that shall be won by the challenge at `challenge_url`."""
    challenge = next((one for one in authorization.challenges if one.url == challenge_url), None)
    match authorization.status:
        case Status.VALID if not _has_passed(authorization.expires, now):
            return Granted()
        case Status.VALID:
            return Failed(Status.EXPIRED)
        case Status.PENDING if _has_passed(authorization.expires, now) or challenge is None:
            return Failed(Status.EXPIRED)
        case Status.PENDING if challenge is not None:
            return _next_for_challenge(challenge, authorization)
    return Failed(authorization.status, failure_of(authorization, challenge_url))


def failure_of(authorization: Authorization, challenge_url: str = "") -> Problem | None:
    """Why an authorization failed: the problem of the named challenge, else the first that any challenge has."""
    problems = {challenge.url: challenge.error for challenge in authorization.challenges if challenge.error}
    return problems.get(challenge_url) or next(iter(problems.values()), None)


def _next_for_challenge(challenge: Challenge, authorization: Authorization) -> AuthorizationStep:
    match challenge.status:
        case Status.PENDING:
            return Accept(challenge)
        case Status.INVALID:
            return Failed(Status.INVALID, challenge.error)
    return LookAgain(_pace(authorization.retry_after))


def _pace(asked: timedelta | None) -> timedelta:
    return USUAL_PACE if asked is None else asked


def _without(urls: tuple[str, ...], granted: Iterable[str]) -> tuple[str, ...]:
    done = set(granted)
    return tuple(url for url in urls if url not in done)


def _has_passed(when: datetime | None, now: datetime) -> bool:
    return when is not None and when <= now
