"""The one next step for a Certificate: a pure function of its view."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from certwright.api.wellknown import Annotation, CertificateReason, ConditionType, RequestReason
from certwright.controllers.certificate.gather import CertificateView
from certwright.rules import backoff
from certwright.rules.facts import RequestFacts, SecretFacts
from certwright.rules.private_key import KeyChoice, NoKey, key_for_issuance
from certwright.rules.reissue import (
    STILL_GOOD,
    Violation,
    former_authority,
    key_fits,
    renewing,
    request_differences,
    violation,
)
from certwright.rules.revisions import superseded
from certwright.rules.secret_contents import drift
from certwright.rules.validation import request_problem

QUICK = timedelta(seconds=10)
"""How long a request that is signed in this process may go unanswered before its issuance is called under way."""


class Rest(Struct, frozen=True):
    """Nothing but to say how things stand; `due` is what would be done if the back-off had ended."""

    due: Violation | None = None


class Passive(Struct, frozen=True):
    """Not even that: a modern Certificate of the same name has taken over."""


class Tidy(Struct, frozen=True):
    """Delete what is left over."""

    requests: tuple[RequestFacts, ...] = ()
    key_secrets: tuple[SecretFacts, ...] = ()


class Refresh(Struct, frozen=True):
    """Write the target Secret anew around the certificate that it has; the names say what is not as wanted."""

    drifted: tuple[str, ...]


class CheckStores(Struct, frozen=True):
    """Look whether the key stores open with the passwords of now."""


class Discard(Struct, frozen=True):
    """Delete a request that leads nowhere, to make it anew."""

    request: RequestFacts
    why: str


class DiscardKey(Struct, frozen=True):
    """Delete a temporary Secret whose key cannot be used."""

    secret: SecretFacts
    unreadable: str


class Announce(Struct, frozen=True):
    """Say that a new try begins after a failure."""

    due: Violation


class Begin(Struct, frozen=True):
    """Make a key and a request; `in_memory` where the key never has to be stored before its certificate is there."""

    due: Violation | None
    key: KeyChoice
    in_memory: bool


class Stuck(Struct, frozen=True):
    """A person must act: the key may not change, or no signing request can be made of the spec."""

    due: Violation | None
    problem: NoKey | str


class Linger(Struct, frozen=True):
    """The request was just made, and is answered in this process: there is nothing to tell yet."""

    until: datetime


class Await(Struct, frozen=True):
    """The request is not answered yet."""

    due: Violation | None
    request: RequestFacts
    temporary: bool = False


class Store(Struct, frozen=True):
    """The request is answered: the certificate goes into the target Secret."""

    due: Violation | None
    request: RequestFacts


class Finish(Struct, frozen=True):
    """The certificate is in the target Secret already: only the status does not say so yet."""

    request: RequestFacts


class Fail(Struct, frozen=True):
    """The request has failed."""

    reason: str
    message: str


Step = (
    Rest
    | Passive
    | Tidy
    | Refresh
    | CheckStores
    | Discard
    | DiscardKey
    | Announce
    | Begin
    | Stuck
    | Linger
    | Await
    | Store
    | Finish
    | Fail
)


def decide(view: CertificateView) -> Step:
    """What is next."""
    if view.is_superseded:
        return Passive()
    if not view.owns or view.certificate.problem:
        return _leftovers(view) or Rest()
    if (stored := _already_stored(view)) is not None:
        return Finish(stored)
    return _next(view, due_for_issuance(view))


def _next(view: CertificateView, due: Violation | None) -> Step:
    if view.is_issuing or _is_under_way(view):
        return _issue(view, due)
    if due is None:
        return _settle(view)
    until = backoff_end(view)
    if until is not None and view.now < until:
        return _hold_back(view, due)
    if view.issuing is None:
        return _issue(view, due)
    # A failure that was counted ends with Issuing=False. Its request goes before the next try is announced: whatever
    # fails under Issuing=True is then a new failure, whatever the clocks say.
    return _counted_failure(view) or Announce(due)


def _counted_failure(view: CertificateView) -> Discard | None:
    following = view.next
    if following is None or failure_of(following) is None or request_differences(following, view.spec):
        return None
    return Discard(following, "it failed in an earlier issuance")


def due_for_issuance(view: CertificateView) -> Violation | None:
    """Why the certificate has to be issued now, leaving back-off aside."""
    failed = violation(view.subjects)
    if failed is not None or view.secret is None or view.secret.leaf is None:
        return failed
    said = view.advice.recorded if view.advice is not None else None
    renewal = view.planned(view.secret.leaf, said).when
    return renewing(renewal, view.now) or former_authority(view.ca_reissue, view.now, view.spec.issuer_ref)


def backoff_end(view: CertificateView) -> datetime | None:
    """When the next try is allowed; None: now, also where the spec has changed since the failure."""
    following = view.next
    if following is not None and (following.unreadable or request_differences(following, view.spec)):
        return None
    return backoff.next_try(view.status, *view.backoff)


def failure_of(request: RequestFacts) -> Fail | None:
    """How a request has failed; a denial beats an invalid request, and that beats Ready."""
    for kind in (ConditionType.DENIED, ConditionType.INVALID_REQUEST):
        found = request.condition(kind)
        if found is not None and found.status == "True":
            return Fail(found.reason or kind, found.message)
    ready = request.condition(ConditionType.READY)
    if ready is not None and ready.status == "False" and ready.reason in {RequestReason.FAILED, RequestReason.DENIED}:
        return Fail(ready.reason, ready.message)
    return None


def _already_stored(view: CertificateView) -> RequestFacts | None:
    """The next request, where its certificate lies in the target Secret: we were ended between the two writes."""
    following, secret = view.next, view.secret
    if following is None or secret is None or secret.leaf is None or secret.key is None:
        return None
    is_there = following.leaf_digest == secret.leaf.digest
    is_pair = secret.key.public_key == secret.leaf.identity.public_key
    return following if is_there and is_pair and failure_of(following) is None else None


def _is_under_way(view: CertificateView) -> bool:
    following = view.next if view.held_key is not None else None
    return following is not None and failure_of(following) is None


def _settle(view: CertificateView) -> Step:
    """All is well: what is left over goes, and the Secret is put right where it has drifted."""
    if (left := _leftovers(view)) is not None:
        return left
    if view.secret is None or view.secret.leaf is None:
        return Rest()
    drifted = drift(view.certificate, view.secret, owned=view.owner_reference)
    if drifted:
        return Refresh(drifted)
    if view.stores_unchecked:
        return CheckStores()
    old = superseded(view.requests, view.revision, view.spec)
    return Tidy(requests=old) if old else Rest()


def _hold_back(view: CertificateView, due: Violation) -> Step:
    step = _settle(view) if due.reason in STILL_GOOD else _leftovers(view)
    return Rest(due) if step is None or isinstance(step, Rest) else step


def _leftovers(view: CertificateView) -> Tidy | None:
    return Tidy(key_secrets=view.key_secrets) if view.key_secrets else None


def _issue(view: CertificateView, due: Violation | None) -> Step:
    strays = tuple(request for request in view.requests if request.revision is None)
    extra = tuple(secret for secret in view.key_secrets if secret is not view.key_secret)
    if strays or extra:
        return Tidy(strays, extra)
    following = view.next
    return _begin(view, due) if following is None else _carry_on(view, due, following)


def _begin(view: CertificateView, due: Violation | None) -> Step:
    problem = request_problem(view.spec)
    if problem is not None:
        return Stuck(due, f"{problem.field}: {problem.message}")
    if view.unissuable:
        return Stuck(due, view.unissuable)
    waiting = view.key_secret
    if waiting is not None and (waiting.key is None or not key_fits(waiting.key, view.spec)):
        return DiscardKey(waiting, waiting.key_problem)
    choice = key_for_issuance(view.spec, view.secret)
    if isinstance(choice, NoKey):
        return Stuck(due, choice)
    return Begin(due, choice, in_memory=view.signs_here and waiting is None)


def _carry_on(view: CertificateView, due: Violation | None, following: RequestFacts) -> Step:
    ended = _dead_end(view, following)
    if ended is not None:
        return ended
    if following.is_true(ConditionType.READY):
        return Store(due, following)
    if view.held_key is not None and _is_young(view, following):
        return Linger(_created(view, following) + QUICK)
    return Await(due, following, _wants_temporary(view, due, following))


def _dead_end(view: CertificateView, following: RequestFacts) -> Step | None:
    if following.unreadable:
        return Discard(following, f"it cannot be read: {following.unreadable}")
    differing = request_differences(following, view.spec)
    if differing:
        return Discard(following, f"it does not fit the spec any more: {' '.join(differing)}")
    failed = failure_of(following)
    if failed is not None:
        is_news = _failed_in_this_issuance(view, following)
        return failed if is_news else Discard(following, "it failed in an earlier issuance")
    if not has_key(view, following):
        return Discard(following, "its private key is gone")
    stored = view.key_secret
    if view.held_key is None and stored is not None and stored.key and not key_fits(stored.key, view.spec):
        return Discard(following, "its private key does not fit the spec any more")
    return None


def has_key(view: CertificateView, request: RequestFacts) -> bool:
    """Whether the private key of a request can be had: from this process, or from the temporary Secret."""
    assert request.identity is not None
    wanted = request.identity.public_key
    if view.held_key == wanted:
        return True
    stored = view.key_secret
    return stored is not None and stored.key is not None and stored.key.public_key == wanted


def _failed_in_this_issuance(view: CertificateView, request: RequestFacts) -> bool:
    """Whether a failed request has not been counted: a failure that was ends the issuance in the status."""
    issuing = view.issuing
    if issuing is None or issuing.last_transition_time is None:
        return True
    if issuing.reason != CertificateReason.MANUALLY_TRIGGERED:
        return issuing.status == "True"
    # A person may trigger while the failed request is still there.
    moments = (request.status.failure_time, request.metadata.creation_timestamp)
    return any(moment is not None and moment >= issuing.last_transition_time for moment in moments)


def _is_young(view: CertificateView, request: RequestFacts) -> bool:
    is_untouched = request.condition(ConditionType.READY) is None
    return is_untouched and view.signs_here and view.now < _created(view, request) + QUICK


def _created(view: CertificateView, request: RequestFacts) -> datetime:
    return request.metadata.creation_timestamp or view.now


def _wants_temporary(view: CertificateView, due: Violation | None, request: RequestFacts) -> bool:
    asked = view.certificate.metadata.annotations.get(Annotation.ISSUE_TEMPORARY_CERTIFICATE) == "true"
    if not asked or due is None or due.reason in STILL_GOOD:
        return False
    assert request.identity is not None
    leaf = view.secret.leaf if view.secret is not None else None
    return leaf is None or not leaf.is_temporary or leaf.identity.public_key != request.identity.public_key
