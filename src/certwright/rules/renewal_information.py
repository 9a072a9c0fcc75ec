"""When a CA wants a certificate renewed (RFC 9773): whom to ask, what its answer comes to, when to ask again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from certwright.acme.protocol.messages import RenewalInfo, Window
from certwright.acme.protocol.renewal_info import certificate_name, renewal_moment
from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectReference
from certwright.rules import defaults
from certwright.rules.facts import LeafFacts, SecretFacts
from certwright.rules.hub import Dialect, HubCertificate, HubIssuer
from certwright.rules.owner import recorded_issuer, recorded_owners
from certwright.rules.renewal_time import DISABLED, Renewal, desired_time, fraction, in_windows, planned_renewal

USUAL_CHECK = timedelta(hours=6)
SOONEST_CHECK, LATEST_CHECK = timedelta(hours=1), timedelta(days=7)
JITTER = 0.1
"""By which share of itself the wait until the next question varies."""
YOUNGEST = timedelta(hours=1)
"""How old a certificate is at least when its CA can have it renewed: one that always says "now" makes no fast loop."""
LONGEST_TEXT = 1024
"""Texts of another party end in a status."""


class Unanswered(Struct, frozen=True):
    """Why there is no answer that can be used: `after` is when the CA wants to be asked again.

    `is_refusal` says that the CA has none to give for this certificate, so that what it said before is void too.
    """

    message: str
    after: timedelta | None = None
    is_refusal: bool = False


def leaf_to_ask_about(
    certificate: HubCertificate, secret: SecretFacts | None, issuer: HubIssuer | None
) -> LeafFacts | None:
    """The certificate that the issuer's CA may be asked about; None where there is none, or another issuer made it."""
    if secret is None or issuer is None or not _is_asked(certificate, issuer):
        return None
    leaf = secret.leaf
    if leaf is None or not name_of(leaf) or not _is_from(secret, certificate, certificate.spec.issuer_ref):
        return None
    return leaf


def replaced_certificate(certificate: HubCertificate, secret: SecretFacts | None, issuer: ObjectReference) -> str:
    """The CA's name for the certificate that a new one of that issuer replaces; empty where another issuer made it."""
    if secret is None or secret.leaf is None or not _is_from(secret, certificate, issuer):
        return ""
    return name_of(secret.leaf)


def name_of(leaf: LeafFacts) -> str:
    """The CA's name for a certificate (section 4.1); empty where it has none."""
    if leaf.is_temporary or not leaf.authority_key or not leaf.serial:
        return ""
    return certificate_name(leaf.authority_key, leaf.serial)


def is_source(issuer: HubIssuer) -> bool:
    """Whether the issuer has its CA say when to renew."""
    return issuer.spec.acme is not None and issuer.spec.acme.renewal_information_source != "None"


def told_before(status: cm.CertificateStatus, leaf: LeafFacts, now: datetime) -> cm.RenewalInformation | None:
    """What the status says that the CA said of this certificate; None where it is about another one."""
    found = status.acme.ari if status.acme is not None else None
    if found is None or (status.not_before, status.not_after) != (leaf.not_before, leaf.not_after):
        return None
    # A CA whose clock is ahead of ours makes certificates that begin after they were asked about.
    is_older = found.last_checked is not None and found.last_checked < leaf.not_before <= now
    return None if is_older else found


def is_due(found: cm.RenewalInformation | None, now: datetime) -> bool:
    """Whether it is time to ask."""
    return found is None or found.next_check is None or found.next_check <= now


def answered(
    answer: RenewalInfo, told: cm.RenewalInformation | None, leaf: LeafFacts, now: datetime
) -> cm.RenewalInformation:
    """What is to be known after an answer; one that makes no sense counts as none (section 4.2)."""
    try:
        window = _window(answer, leaf)
    except ValueError as error:
        return unanswered(Unanswered(str(error), answer.retry_after), told, leaf, now)
    url = answer.explanation_url
    return cm.RenewalInformation(
        suggested_window=window,
        explanation_url=url if url.startswith(("https://", "http://")) and len(url) <= LONGEST_TEXT else "",
        last_checked=now,
        next_check=now + _wait(answer.retry_after, _share(leaf, now)),
    )


def unanswered(
    failed: Unanswered, told: cm.RenewalInformation | None, leaf: LeafFacts, now: datetime
) -> cm.RenewalInformation:
    """What is to be known after a question that failed: what was said before holds, unless the CA has refused."""
    kept = cm.RenewalInformation() if told is None or failed.is_refusal else told
    if failed.after is None and not failed.is_refusal:
        wait = _backoff(told) * (1 + JITTER * _share(leaf, now))
    else:
        wait = _wait(failed.after, _share(leaf, now))
    next_check = (now + wait).replace(microsecond=0)
    return replace(kept, last_checked=now, next_check=next_check, last_error=failed.message[:LONGEST_TEXT])


def advised_renewal(
    certificate: HubCertificate,
    leaf: LeafFacts,
    share: float,
    found: cm.RenewalInformation,
    issued: datetime | None = None,
) -> Renewal:
    """When a certificate is renewed of which the CA has said that; `issued` is when it was asked for.

    The CA's time holds, but not where it is so late that a renewal might not succeed in time: see `_latest`. A window
    that begins before the certificate does is not about this certificate.
    """
    usual = planned_renewal(certificate, leaf, share)
    window = found.suggested_window
    if usual.when is None or window is None or window.start < leaf.not_before:
        return usual
    earliest = max(window.start, (issued or leaf.not_before) + YOUNGEST)
    moment = max(_moment(certificate.status, leaf, window), earliest)
    if moment > _latest(certificate.spec, leaf):
        return usual
    return _in_openings(certificate.spec, leaf, window, (earliest, moment)) or usual


def _is_asked(certificate: HubCertificate, issuer: HubIssuer) -> bool:
    rules = certificate.spec.renewal
    is_renewed = rules is None or rules.policy != DISABLED
    return is_renewed and certificate.key.dialect is Dialect.MODERN and is_source(issuer)


def _is_from(secret: SecretFacts, certificate: HubCertificate, issuer: ObjectReference) -> bool:
    recorded = recorded_issuer(secret.metadata)
    is_own = certificate.key in recorded_owners(secret.metadata)
    return is_own and recorded is not None and defaults.is_same_issuer(recorded, issuer)


def _window(answer: RenewalInfo, leaf: LeafFacts) -> cm.SuggestedWindow:
    start, end = answer.suggested_window.start, answer.suggested_window.end
    try:
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError
        start, end = (when.astimezone(UTC).replace(microsecond=0) for when in (start, end))
    except (ValueError, OverflowError):
        raise ValueError("The CA suggests to renew at times that are none; tell those who run it.") from None
    if answer.suggested_window.end <= answer.suggested_window.start:
        raise ValueError(f"The CA suggests a window that ends, at {_text(end)}, before it begins, at {_text(start)}.")
    if start >= leaf.not_after:
        end_of_life = _text(leaf.not_after)
        raise ValueError(f"The CA suggests to renew at {_text(start)}, and the certificate ends at {end_of_life}.")
    return cm.SuggestedWindow(start=start, end=max(end, start + timedelta(seconds=1)))


def _wait(retry_after: timedelta | None, share: float) -> timedelta:
    """What the CA asks for is the least that is waited."""
    if retry_after is None:
        wait = USUAL_CHECK * (1 + JITTER * (2 * share - 1))
    else:
        wait = min(max(retry_after, SOONEST_CHECK), LATEST_CHECK) * (1 + JITTER * share)
    return timedelta(seconds=int(wait.total_seconds()))


def _backoff(told: cm.RenewalInformation | None) -> timedelta:
    """Twice as long as after the failure before it, up to the usual time (section 4.3.3)."""
    if told is None or not told.last_error or told.next_check is None or told.last_checked is None:
        return SOONEST_CHECK
    return min(max(2 * (told.next_check - told.last_checked), SOONEST_CHECK), USUAL_CHECK)


def _share(leaf: LeafFacts, now: datetime) -> float:
    """As good as random, and the same for the same certificate at the same time."""
    return fraction(sha256(leaf.digest + now.isoformat().encode()).digest())


def _moment(status: cm.CertificateStatus, leaf: LeafFacts, window: cm.SuggestedWindow) -> datetime:
    """The time that was picked before where it lies in the window still: a CA may move its window at each answer."""
    before, told = told_before(status, leaf, leaf.not_before), status.renewal_time
    chosen = before.suggested_window if before is not None else None
    if chosen is not None and told is not None and _holds(chosen, told) and _holds(window, told):
        return told
    about = f"{_text(window.start)} {_text(window.end)}".encode()
    share = fraction(sha256(leaf.digest + about).digest())
    return renewal_moment(Window(window.start, window.end), share).replace(microsecond=0)


def _holds(window: cm.SuggestedWindow, when: datetime) -> bool:
    return window.start <= when < window.end


def _latest(spec: cm.CertificateSpec, leaf: LeafFacts) -> datetime:
    """Until when the CA is followed: to what the spec asks for, else to half of the time that is usually left."""
    desired = desired_time(spec, leaf.not_before, leaf.not_after)
    is_asked_for = spec.renew_before is not None or spec.renew_before_percentage is not None
    return desired if is_asked_for else leaf.not_after - (leaf.not_after - desired) / 2


def _in_openings(
    spec: cm.CertificateSpec, leaf: LeafFacts, window: cm.SuggestedWindow, times: tuple[datetime, datetime]
) -> Renewal | None:
    """The renewal in windows of the spec: inside of the CA's where one opens there; None where none opens in time.

    A CA that wants it sooner than it would be without its word is in a hurry, and that outweighs the spec's windows.
    """
    earliest, moment = times
    found = in_windows(spec, moment, leaf.not_after)
    if _is_in(found, window):
        return found
    first = in_windows(spec, earliest, leaf.not_after)
    if _is_in(first, window):
        return first
    if window.end < desired_time(spec, leaf.not_before, leaf.not_after):
        return Renewal(moment)
    return None if found.window_problem else found


def _is_in(found: Renewal, window: cm.SuggestedWindow) -> bool:
    return not found.window_problem and found.when is not None and found.when < window.end


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
