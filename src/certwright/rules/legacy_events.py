"""The events that v0.5 told of a Certificate, from what happened to it and from its ACME order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.convert import convert_certificate
from certwright.api.legacy_words import LegacyReason, LegacyText
from certwright.api.meta import ObjectMeta, ObjectReference
from certwright.api.wellknown import Annotation, CertificateReason
from certwright.pki.keys import KeySpec
from certwright.rules.defaults import key_spec
from certwright.rules.facts import RequestFacts
from certwright.rules.hub import HubIssuer
from certwright.rules.legacy_plan import entry_for
from certwright.rules.milestones import KeyCannotChange, Milestone, RequestNotMade, SecretNotWritable

FINISHED = {"valid", "invalid", "expired", "errored"}
ALL_VALID = {"ready", "processing", "valid"}


class ToldEvent(Struct, frozen=True, kw_only=True):
    """An event; one with an identity is written exactly once, and identities sort as the events are to be read."""

    type: Literal["Normal", "Warning"] = "Normal"
    reason: str
    message: str
    identity: str = ""


class AcmeStory(Struct, frozen=True, kw_only=True):
    """The order of one CertificateRequest, its challenges, and whether a usable certificate was there before."""

    request: RequestFacts
    order: acme.Order
    challenges: tuple[acme.Challenge, ...]
    plan: tuple[legacy.DomainSolver, ...]
    renewal: bool

    def completed(self) -> AcmeStory:
        """The same with its order at its good end, whatever the view of it says: its certificate is there."""
        status = replace(self.order.status, state="valid")
        return replace(self, order=replace(self.order, status=status))


def identity_of(began: datetime | None, rank: int, fact: str) -> str:
    """What names an event for good, in hexadecimal digits that sort by time, then by the event's rank."""
    nanosecond = (int(began.timestamp()) if began else 0) * 10**9 + rank
    return f"{nanosecond:016x}{_digest(fact)}"


def superseded_event(successor: ObjectMeta, secret_name: str) -> ToldEvent:
    """That a modern Certificate has taken the Secret over, after all else that was told in the same second.

    The successor may be as old as the legacy Certificate, whose twin it was: its age says nothing of when that was.
    """
    text = (
        f'From now on the cert-manager.io Certificate "{successor.name}" renews Secret "{secret_name}"; '
        "this one can be deleted"
    )
    identity = "f" * 16 + _digest(f"superseded by {successor.uid}")
    return ToldEvent(reason=LegacyReason.SUPERSEDED, message=text, identity=identity)


def _digest(fact: str) -> str:
    return hashlib.sha256(fact.encode()).hexdigest()[:10]


def _told_once(request: ObjectMeta, rank: int, fact: str) -> str:
    """Of two issuances that begin in one second, the events of the later one come after those of the first."""
    revision = request.annotations.get(Annotation.CERTIFICATE_REVISION, "")
    place = int(revision[-6:]) if revision.isascii() and revision.isdigit() else 0
    return identity_of(request.creation_timestamp, 10 * place + rank, f"{request.uid} {fact}")


def order_events(story: AcmeStory) -> tuple[ToldEvent, ...]:
    """What an order has come to so far, from the start, in order; the more of it is true, the longer."""
    return tuple(_order_events(story))


def issue_event(request: ObjectMeta, *, renewal: bool) -> ToldEvent:
    """That signing begins."""
    reason = LegacyReason.RENEW_CERT if renewal else LegacyReason.ISSUE_CERT
    text = LegacyText.RENEW_CERT if renewal else LegacyText.ISSUE_CERT
    return ToldEvent(reason=reason, message=text, identity=_told_once(request, 2, "issue"))


def stored_event(request: ObjectMeta, *, renewal: bool) -> ToldEvent:
    """That the certificate lies in its Secret."""
    reason = LegacyReason.CERT_RENEWED if renewal else LegacyReason.CERT_ISSUED
    text = LegacyText.CERT_RENEWED if renewal else LegacyText.CERT_ISSUED
    return ToldEvent(reason=reason, message=text, identity=_told_once(request, 4, "stored"))


def kept_key_event(request: ObjectMeta, asked: legacy.CertificateSpec, used: cm.CertificateSpec) -> ToldEvent | None:
    """That the key in the Secret was kept although it is not of the kind that is asked for; None where it is."""
    wanted, key = key_spec(convert_certificate(asked)).resolved(), key_spec(used).resolved()
    if wanted == key:
        return None
    text = (
        f"The private key in Secret {used.secret_name} is {_named(key)} where the spec asks for {_named(wanted)}. "
        "It is kept; delete the Secret to have a new one"
    )
    identity = _told_once(request, 5, "key kept")
    return ToldEvent(type="Warning", reason=LegacyReason.KEY_KEPT, message=text, identity=identity)


def _named(key: KeySpec) -> str:
    return f"{key.algorithm} {key.size}" if key.size else str(key.algorithm)


def issuer_event(ref: ObjectReference, issuer: HubIssuer | None) -> ToldEvent | None:
    """That the issuer is missing or not ready; None where neither is so."""
    if issuer is None:
        kind = (ref.kind or "Issuer").lower()
        text = f'Issuer {kind}.{ref.group} "{ref.name}" not found'
        return ToldEvent(type="Warning", reason=LegacyReason.ISSUER_NOT_FOUND, message=text)
    if not issuer.is_ready:
        text = f"Issuer {ref.name} not ready"
        return ToldEvent(type="Warning", reason=LegacyReason.ISSUER_NOT_READY, message=text)
    return None


def failure_event(order: acme.Order | None) -> ToldEvent | None:
    """What v0.5 warned of when an order failed; an order that turned invalid shows in a condition alone."""
    if order is None or order.status.state != "errored":
        return None
    if not order.status.url:
        text = f"Error creating order: {order.status.reason}"
        return ToldEvent(type="Warning", reason=LegacyReason.ERR_CREATE_ORDER, message=text)
    text = f"Failed to finalize order: {order.status.reason}"
    return ToldEvent(type="Warning", reason=LegacyReason.ISSUE_ERROR, message=text)


def milestone_event(milestone: Milestone) -> ToldEvent | None:
    """The warning that a milestone is worth; None where v0.5 said nothing."""
    match milestone:
        case SecretNotWritable(reason=CertificateReason.INCORRECT_CERTIFICATE):
            text = LegacyText.DUPLICATE_SECRET_NAME
            return ToldEvent(type="Warning", reason=LegacyReason.DUPLICATE_SECRET_NAME, message=text)
        case SecretNotWritable():
            text = f"Error saving TLS certificate: {milestone.message}"
            return ToldEvent(type="Warning", reason=LegacyReason.SAVE_CERT_ERROR, message=text)
        case RequestNotMade():
            return ToldEvent(type="Warning", reason=LegacyReason.ISSUE_ERROR, message=milestone.message)
        case KeyCannotChange():
            return ToldEvent(type="Warning", reason=LegacyReason.KEY_KEPT, message=milestone.message)
    return None


def _order_events(story: AcmeStory) -> Iterable[ToldEvent]:
    request, status = story.request.metadata, story.order.status
    if not status.url:
        return
    identity = _told_once(request, 0, status.url)
    yield ToldEvent(reason=LegacyReason.CREATE_ORDER, message=LegacyText.CREATE_ORDER, identity=identity)
    for authorization in status.authorizations:
        if authorization.initial_state != "valid" and _is_proved(authorization, story):
            yield _verified(authorization, story)
    if status.state in ALL_VALID:
        yield issue_event(request, renewal=story.renewal)
    if status.state == "valid":
        identity = _told_once(request, 3, status.url)
        yield ToldEvent(reason=LegacyReason.CERT_OBTAINED, message=LegacyText.CERT_OBTAINED, identity=identity)


def _is_proved(authorization: acme.Authorization, story: AcmeStory) -> bool:
    if story.order.status.state in ALL_VALID:
        return True
    found = _challenge_of(authorization, story.challenges)
    return found is not None and found.status.state == "valid"


def _verified(authorization: acme.Authorization, story: AcmeStory) -> ToldEvent:
    way = _way(authorization, story)
    return ToldEvent(
        reason=LegacyReason.DOMAIN_VERIFIED,
        message=f'Domain "{authorization.identifier}" verified with "{way}" validation',
        identity=_told_once(story.request.metadata, 1, authorization.url),
    )


def _way(authorization: acme.Authorization, story: AcmeStory) -> str:
    """By its challenge; where that is gone already, by the plan, else by what the CA offered first."""
    found = _challenge_of(authorization, story.challenges)
    if found is not None:
        return found.spec.type.lower()
    name = f"*.{authorization.identifier}" if authorization.wildcard else authorization.identifier
    if entry := entry_for(story.plan, name):
        return "dns-01" if entry.dns01 is not None else "http-01"
    if authorization.wildcard or not authorization.challenges:
        return "dns-01"
    return authorization.challenges[0].type


def _challenge_of(authorization: acme.Authorization, challenges: Iterable[acme.Challenge]) -> acme.Challenge | None:
    return next((each for each in challenges if each.spec.authorization_url == authorization.url), None)
