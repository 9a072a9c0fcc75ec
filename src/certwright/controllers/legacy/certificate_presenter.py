"""Words what came of a legacy Certificate as v0.5 did."""

from __future__ import annotations

import msgspec

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.kinds import LEGACY_CERTIFICATE, Unreadable
from certwright.api.meta import ObjectMeta
from certwright.api.wellknown import ConditionType
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import Report
from certwright.cluster.issuers import key_of
from certwright.cluster.legacy import LegacySources
from certwright.controllers.legacy.events import LegacyEvents
from certwright.controllers.legacy.issuances import Issuances
from certwright.controllers.legacy.statuses import LegacyStatuses
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import conflict
from certwright.rules.backoff import delay
from certwright.rules.conditions import is_true
from certwright.rules.hub import HubCertificate, condition_of
from certwright.rules.legacy_events import (
    ToldEvent,
    failure_event,
    issue_event,
    issuer_event,
    kept_key_event,
    milestone_event,
    order_events,
    stored_event,
)
from certwright.rules.legacy_status import Said, config_error_status, next_status
from certwright.rules.milestones import IssuanceFailed, Requested, Stored


class LegacyCertificatePresenter:
    """At most one status write a report, then its events; but the events of a stored certificate come first.

    A process that dies between the two makes the pass again, and finds these events told already.
    """

    def __init__(self, cluster: Cluster, sources: LegacySources, issuances: Issuances, events: LegacyEvents) -> None:
        self._cluster = cluster
        self._sources = sources
        caches = sources.caches
        self._caches = caches
        self._statuses = LegacyStatuses(cluster.client, caches)
        self._issuances = issuances
        self._events = events

    async def report(self, certificate: HubCertificate, report: Report) -> None:
        """Write it; `Conflict` where the Certificate is not the one that was looked at."""
        found = self._caches.certificates.get(ObjectKey(certificate.key.namespace, certificate.key.name))
        if found is None or found.metadata.uid != certificate.metadata.uid:
            return
        if self._sources.successor(certificate) is not None:
            return  # handed over: its status stays as it was
        if found.metadata.generation != certificate.metadata.generation:
            raise conflict(LEGACY_CERTIFICATE.resource.qualified, certificate.key.name, "the spec has changed since")
        now = self._cluster.clock.now()
        if isinstance(found, Unreadable):
            conditions = config_error_status(found.conditions, certificate, now)
            new = msgspec.structs.replace(found, conditions=conditions)
            await self._statuses.certificate(found.metadata, found, new)
            return
        said = self._said(certificate, report)
        await self._events.tell(certificate.about, self._issued(certificate, found, report))
        status = next_status(found.status, certificate, said, now)
        await self._statuses.certificate(found.metadata, found.status, status)
        await self._events.tell(certificate.about, self._others(found.status, said))

    def _said(self, certificate: HubCertificate, report: Report) -> Said:
        order = self._failed_order(certificate, report)
        attempts = report.status.failed_issuance_attempts
        settings = self._cluster.settings
        return Said(
            status=report.status,
            milestones=report.milestones,
            waits=self._waits(certificate, report),
            order=order,
            backoff=delay(attempts, settings.legacy_minimum_backoff, settings.maximum_backoff) if attempts else None,
        )

    def _waits(self, certificate: HubCertificate, report: Report) -> ToldEvent | None:
        """Whether the issuer is what a Certificate without a good certificate waits for."""
        ref = certificate.spec.issuer_ref
        if certificate.problem or key_of(ref, certificate.key.namespace) is None:
            return None
        if is_true(report.status.conditions, ConditionType.READY):
            return None
        return issuer_event(ref, self._cluster.issuers.referred(ref, certificate.key.namespace))

    def _failed_order(self, certificate: HubCertificate, report: Report) -> acme.Order | None:
        """The Order whose failure the Certificate is held back for."""
        if not report.status.failed_issuance_attempts or not self._is_acme(certificate):
            return None
        request = self._issuances.latest(certificate)
        order = self._issuances.order(request) if request is not None else None
        return order if order is not None and order.status.failure_time is not None else None

    def _issued(self, certificate: HubCertificate, found: legacy.Certificate, report: Report) -> list[ToldEvent]:
        """What is told exactly once of requests and stored certificates."""
        told: list[ToldEvent] = []
        for milestone in report.milestones:
            match milestone:
                case Requested():
                    told += self._requested(certificate, milestone)
                case Stored():
                    told += self._stored(certificate, found, milestone)
        return told

    def _requested(self, certificate: HubCertificate, milestone: Requested) -> list[ToldEvent]:
        request = self._issuances.request(ObjectKey(certificate.key.namespace, milestone.request_name))
        if request is None:
            return []
        self._issuances.note(request, renewal=milestone.renewal)
        # With ACME, signing begins when the order is ready: the follower of orders tells it.
        return [] if self._is_acme(certificate) else [issue_event(request.metadata, renewal=milestone.renewal)]

    def _stored(self, certificate: HubCertificate, found: legacy.Certificate, milestone: Stored) -> list[ToldEvent]:
        request = self._issuances.request(ObjectKey(certificate.key.namespace, milestone.request_name))
        if request is None:
            return [stored_event(ObjectMeta(uid=milestone.issuance), renewal=milestone.renewal)]
        self._issuances.note(request, renewal=milestone.renewal)
        story = self._issuances.story(certificate, request)
        before = (
            order_events(story.completed()) if story else (issue_event(request.metadata, renewal=milestone.renewal),)
        )
        kept = kept_key_event(request.metadata, found.spec, certificate.spec)
        return [*before, stored_event(request.metadata, renewal=milestone.renewal), *((kept,) if kept else ())]

    def _others(self, old: legacy.CertificateStatus, said: Said) -> list[ToldEvent]:
        """Warnings, each at its first time."""
        before = condition_of(old.conditions, ConditionType.READY)
        told: list[ToldEvent] = []
        if said.waits and (
            before is None or (before.reason, before.message) != (said.waits.reason, said.waits.message)
        ):
            told.append(said.waits)
        for milestone in said.milestones:
            event = failure_event(said.order) if isinstance(milestone, IssuanceFailed) else milestone_event(milestone)
            if event is not None and (before is None or before.reason != event.reason):
                told.append(event)
        return told

    def _is_acme(self, certificate: HubCertificate) -> bool:
        issuer = self._cluster.issuers.referred(certificate.spec.issuer_ref, certificate.key.namespace)
        return issuer is not None and issuer.spec.acme is not None
