"""What each step does, and the report that comes of it."""

from __future__ import annotations

import logging
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from certwright.api.meta import Condition
from certwright.api.wellknown import CertificateEvent, CertificateReason, ConditionType
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import Report
from certwright.cluster.facts import TargetSecret, secret_facts
from certwright.controllers.certificate import decide as steps
from certwright.controllers.certificate import readiness
from certwright.controllers.certificate.asking import Advice
from certwright.controllers.certificate.decide import Step
from certwright.controllers.certificate.gather import CertificateView, Gatherer
from certwright.controllers.certificate.issuing import Issuing, Unusable
from certwright.controllers.certificate.key_manager import KeyManager, unused_secret_name
from certwright.controllers.certificate.readiness import Change
from certwright.controllers.certificate.request_manager import RequestManager
from certwright.errors import Blocked, Retry
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import ApiError
from certwright.pki.errors import PkiError
from certwright.pki.keys import PrivateKey
from certwright.rules.facts import RequestFacts, SecretFacts
from certwright.rules.milestones import (
    IssuanceFailed,
    IssuanceStarted,
    KeyCannotChange,
    KeyGenerated,
    KeyReused,
    KeyUnreadable,
    Milestone,
    Requested,
    RequestNotMade,
    SecretNotWritable,
    Stored,
    TemporaryStored,
    Waiting,
)
from certwright.rules.private_key import KeyChoice, NewKey, NoKey, PresentKey
from certwright.rules.reissue import STILL_GOOD, Violation
from certwright.rules.revisions import superseded

LOG = logging.getLogger(__name__)
FAILED = "The certificate request has failed to complete and will be retried"
BY_HAND = "Issuing certificate as it was manually triggered"
BLOCKED_FOR = timedelta(minutes=5)


class Taken(Struct, frozen=True, kw_only=True):
    """How a step ended: what is to be told, whether that ends the issuance, and what is raised once it is told."""

    report: Report | None = None
    ended: bool = False
    retry: Retry | None = None


class Acts:
    """Takes one step; whatever it changes, the next pass sees, so that a step may end anywhere."""

    def __init__(self, cluster: Cluster, gatherer: Gatherer) -> None:
        self._cluster = cluster
        self._gatherer = gatherer
        self._keys = KeyManager(cluster)
        self._requests = RequestManager(cluster)
        self._issuing = Issuing(cluster)

    def close(self) -> None:
        """End what runs beside the loop."""
        self._keys.close()

    async def take(self, view: CertificateView, step: Step) -> Taken:  # noqa: C901, PLR0911 - one case a step
        """Do it."""
        match step:
            case steps.Rest(None):
                return Taken(report=readiness.report(view, readiness.NOTHING_DUE))
            case steps.Rest():
                return Taken(report=readiness.report(view, Change(note=readiness.held_back(view))))
            case steps.Passive() | steps.Linger():
                return Taken()
            case steps.Stuck() | steps.Announce():
                return Taken(report=_held_up(view, step))
            case steps.Await():
                return await self._await(view, step)
            case steps.Fail():
                return _failed(view, step)
            case steps.Begin():
                return await self._begin(view, step)
            case steps.Store():
                return await self._store(view, step)
            case steps.Finish(request):
                return Taken(report=_finished(view, request, view.secret), ended=True)
            case steps.Refresh() | steps.CheckStores():
                return await self._put_right(view, step)
            case steps.Tidy() | steps.Discard() | steps.DiscardKey():
                return await self._delete(view, step)

    async def clear_away(self, view: CertificateView, report: Report) -> None:
        """What an issuance needed goes once its end is told, and so do the requests that it superseded."""
        following = view.next
        if following is not None:
            self._cluster.pending.drop(following.key)
        for secret in view.key_secrets:
            await self._keys.delete(secret)
        for request in superseded(view.requests, report.status.revision or 0, view.spec):
            await self._requests.delete(request)

    async def _begin(self, view: CertificateView, step: steps.Begin) -> Taken:
        assert not isinstance(step.key, NoKey)
        if step.in_memory:
            return await self._begin_in_memory(view, step, step.key)
        waiting = view.key_secret
        if waiting is None:
            key = await self._keys.key_for(view, step.key)
            stored = await self._keys.store(view, key)
            told = _key_milestones(step.key, stored.name)
        else:
            stored, told = waiting, ()
            key = await self._keys.read(ObjectKey(view.certificate.key.namespace, waiting.name))
        return await self._request(view, step.due, key, (stored, told))

    async def _begin_in_memory(self, view: CertificateView, step: steps.Begin, choice: NewKey | PresentKey) -> Taken:
        key = await self._keys.key_for(view, choice)
        name = self._requests.name_of_next(view)
        # Whoever signs is told by the request's creation: the key has to be there before.
        self._cluster.pending.put(name, key)
        try:
            await self._requests.create(view, key, unused_secret_name(view.certificate.key.name))
        except (ApiError, PkiError) as error:
            self._cluster.pending.drop(name)
            return _not_requested(view, step.due, error)
        except BaseException:
            self._cluster.pending.drop(name)
            raise
        told = tuple(each for each in _key_milestones(choice, "") if not isinstance(each, KeyGenerated))
        return Taken(report=Report(status=view.status, milestones=told) if told else None)

    async def _request(
        self,
        view: CertificateView,
        due: Violation | None,
        key: PrivateKey,
        stored: tuple[SecretFacts, tuple[Milestone, ...]],
    ) -> Taken:
        secret, told = stored
        try:
            name = await self._requests.create(view, key, secret.name)
        except (ApiError, PkiError) as error:
            return _not_requested(view, due, error)
        condition = _issuing(view, due)
        started = () if view.is_issuing else (IssuanceStarted(condition.reason, condition.message),)
        requested = Requested(name, _is_renewal(due))
        change = Change(
            issuing=condition,
            next_private_key_secret_name=secret.name,
            milestones=(*started, *told, requested),
        )
        return Taken(report=readiness.report(view, change))

    async def _await(self, view: CertificateView, step: steps.Await) -> Taken:
        told: tuple[Milestone, ...] = ()
        if step.temporary:
            key = await self._keys.key_of(view, step.request)
            try:
                applied = await self._issuing.put_temporary(view, key)
            except Blocked as error:
                return _blocked(view, step.due, error)
            view = replace(view, secret=secret_facts(applied))
            told = (TemporaryStored(),)
        reason, why = _waits_for(step.request)
        condition = _issuing(view, step.due, f"CertificateRequest {step.request.metadata.name}: {why}")
        if not view.is_issuing:
            told = (IssuanceStarted(condition.reason, condition.message), *told)
        if _is_news(view, condition):
            told = (*told, Waiting(reason, why))
        stored = view.key_secret
        change = Change(
            issuing=condition,
            note=f"CertificateRequest {step.request.metadata.name}: {why}",
            next_private_key_secret_name=stored.name if stored is not None else None,
            milestones=told,
        )
        return Taken(report=readiness.report(view, change))

    async def _store(self, view: CertificateView, step: steps.Store) -> Taken:
        answer = await self._issuing.answer(step.request)
        key = await self._keys.key_of(view, step.request)
        try:
            applied = await self._issuing.store(view, step.request, answer, key)
        except Unusable as error:
            return _failed(view, steps.Fail(CertificateReason.INVALID_CERTIFICATE, str(error)))
        except Blocked as error:
            return _blocked(view, step.due, error)
        facts = self._remember_stores(view, applied)
        return Taken(report=_finished(view, step.request, facts), ended=True)

    async def _put_right(self, view: CertificateView, step: steps.Refresh | steps.CheckStores) -> Taken:
        try:
            if isinstance(step, steps.CheckStores) and await self._issuing.stores_open(view):
                assert view.secret is not None
                self._gatherer.stores_checked(view.certificate, view.secret)
                return Taken()
            applied = await self._issuing.refresh(view)
        except Blocked as error:
            told = (SecretNotWritable(error.reason, error.message),)
            return Taken(report=Report(status=view.status, milestones=told), retry=Retry(error.message, BLOCKED_FOR))
        if applied is None:
            return Taken()
        what = step.drifted if isinstance(step, steps.Refresh) else ("key stores",)
        LOG.info(
            "target Secret put right",
            extra={"namespace": view.certificate.key.namespace, "secret": view.spec.secret_name, "what": list(what)},
        )
        facts = self._remember_stores(view, applied)
        return Taken(report=readiness.report(replace(view, secret=facts)))

    async def _delete(self, view: CertificateView, step: steps.Tidy | steps.Discard | steps.DiscardKey) -> Taken:
        match step:
            case steps.Tidy(requests, key_secrets):
                for request in requests:
                    await self._requests.delete(request)
                for secret in key_secrets:
                    await self._keys.delete(secret)
            case steps.Discard(request, why):
                LOG.info("CertificateRequest deleted", extra={"request": str(request.key), "why": why})
                await self._requests.delete(request)
            case steps.DiscardKey(secret, unreadable):
                await self._keys.delete(secret)
                if unreadable:
                    return Taken(report=Report(status=view.status, milestones=(KeyUnreadable(unreadable),)))
        return Taken()

    def _remember_stores(self, view: CertificateView, applied: TargetSecret) -> SecretFacts:
        where = applied.metadata
        found = self._cluster.caches.secrets.get(ObjectKey(where.namespace, where.name))
        is_this = found is not None and found.metadata.resource_version == where.resource_version
        facts = found if found is not None and is_this else secret_facts(applied)
        self._gatherer.stores_checked(view.certificate, facts)
        return facts


def _finished(view: CertificateView, request: RequestFacts, secret: SecretFacts | None) -> Report:
    """The certificate is in its Secret."""
    certificate = view.certificate
    renewal = view.secret is not None and view.revision > 0
    now = replace(certificate, status=replace(certificate.status, revision=request.revision))
    # What the CA has said was said of the certificate before.
    advice = None if view.advice is None else Advice()
    after = replace(view, certificate=now, secret=secret, advice=advice)
    stored = Stored(request.metadata.name, request.metadata.uid, renewal)
    change = Change(
        issuing=None,
        next_private_key_secret_name=None,
        last_failure_time=None,
        failed_issuance_attempts=None,
        milestones=(stored,),
    )
    return readiness.report(after, change)


def _failed(view: CertificateView, step: steps.Fail) -> Taken:
    message = f"{FAILED}: {step.message}"
    change = Change(
        issuing=readiness.issuing(view, "False", step.reason, message),
        note=message,
        next_private_key_secret_name=None,
        last_failure_time=view.now.replace(microsecond=0),
        failed_issuance_attempts=(view.status.failed_issuance_attempts or 0) + 1,
        milestones=(IssuanceFailed(step.reason, message),),
    )
    return Taken(report=readiness.report(view, change), ended=True)


def _held_up(view: CertificateView, step: steps.Stuck | steps.Announce) -> Report:
    told: tuple[Milestone, ...]
    if isinstance(step, steps.Announce):
        condition = _issuing(view, step.due)
        told = (IssuanceStarted(condition.reason, condition.message),)
        return readiness.report(view, Change(issuing=condition, milestones=told))
    problem = step.problem
    text = problem.message if isinstance(problem, NoKey) else problem
    condition = _issuing(view, step.due, text)
    told = (KeyCannotChange(text) if isinstance(problem, NoKey) else RequestNotMade(text),)
    change = Change(issuing=condition, note=text, milestones=told if _is_news(view, condition) else ())
    return readiness.report(view, change)


def _not_requested(view: CertificateView, due: Violation | None, error: Exception) -> Taken:
    text = f"The CertificateRequest could not be made: {error}"
    condition = _issuing(view, due, text)
    told = (RequestNotMade(text),) if _is_news(view, condition) else ()
    change = Change(issuing=condition, note=text, milestones=told)
    return Taken(report=readiness.report(view, change), retry=Retry(text))


def _blocked(view: CertificateView, due: Violation | None, error: Blocked) -> Taken:
    condition = _issuing(view, due, error.message)
    told = (SecretNotWritable(error.reason, error.message),) if _is_news(view, condition) else ()
    report = readiness.report(view, Change(issuing=condition, note=error.message, milestones=told))
    # A password Secret wakes the pass when it comes; for a permission or a quota nothing does.
    waits_for_secret = error.reason == CertificateEvent.KEYSTORE_PASSWORD_SECRET_NOT_FOUND
    return Taken(report=report, retry=None if waits_for_secret else Retry(error.message))


def _issuing(view: CertificateView, due: Violation | None, more: str = "") -> Condition:
    """Issuing=True: the reason stays while the issuance runs, also one that a client gave."""
    old = view.issuing
    reason = due.reason if due is not None else CertificateReason.MANUALLY_TRIGGERED
    if old is not None and old.status == "True" and old.reason:
        reason = old.reason
    text = due.message if due is not None else BY_HAND
    return readiness.issuing(view, "True", reason, f"{text.rstrip('.')}. {more}" if more else text)


def _is_news(view: CertificateView, condition: Condition) -> bool:
    old = view.issuing
    return old is None or (old.status, old.message) != (condition.status, condition.message)


def _is_renewal(due: Violation | None) -> bool:
    return due is None or due.reason in STILL_GOOD


def _waits_for(request: RequestFacts) -> tuple[str, str]:
    ready = request.condition(ConditionType.READY)
    if ready is not None and ready.message:
        return ready.reason, ready.message
    if not request.is_true(ConditionType.APPROVED):
        return "WaitingForApproval", "it waits for approval"
    return "Pending", "it waits for its issuer"


def _key_milestones(choice: KeyChoice, secret_name: str) -> tuple[Milestone, ...]:
    match choice:
        case PresentKey(name):
            return (KeyReused(name),)
        case NewKey(unreadable) if unreadable:
            return (KeyUnreadable(unreadable), KeyGenerated(secret_name))
        case _:
            return (KeyGenerated(secret_name),)
