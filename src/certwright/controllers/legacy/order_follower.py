"""Tells on legacy Certificates how their ACME orders fare: the orders and challenges know nothing of who asked."""

from __future__ import annotations

from datetime import datetime

from certwright.api import acme_v1 as acme
from certwright.api.kinds import Unreadable
from certwright.cluster.cluster import Cluster
from certwright.cluster.legacy import LegacySources
from certwright.controllers.legacy.events import LegacyEvents
from certwright.controllers.legacy.issuances import Issuances
from certwright.controllers.legacy.statuses import LegacyStatuses
from certwright.kube.runtime.cache import Change
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.facts import controller_of
from certwright.rules.hub import CertificateKey, HubCertificate
from certwright.rules.legacy_events import AcmeStory, order_events
from certwright.rules.legacy_status import order_status

NAME = "legacy-orders"


class OrderFollower:
    """One pass a legacy Certificate whose order, or a challenge of it, has changed."""

    def __init__(
        self,
        cluster: Cluster,
        sources: LegacySources,
        issuances: Issuances,
        events: LegacyEvents,
        watcher: LoopObserver | None = None,
    ) -> None:
        self._cluster = cluster
        self._sources = sources
        self._issuances = issuances
        self._events = events
        self._statuses = LegacyStatuses(cluster.client, sources.caches)
        options = LoopOptions(workers=cluster.settings.parallel_passes)
        self._loop: Loop[CertificateKey] = Loop(NAME, self._follow, cluster.clock, options, watcher)
        cluster.caches.orders.subscribe(self._order_changed)
        cluster.caches.challenges.subscribe(self._challenge_changed)

    async def run(self) -> None:
        """Follow orders until cancelled."""
        await self._loop.run()

    def _order_changed(self, change: Change[acme.Order]) -> None:
        order = change.new
        if order is not None and (key := self._issuances.certificate_of(order)) is not None:
            self._loop.add(key)

    def _challenge_changed(self, change: Change[acme.Challenge]) -> None:
        owner = controller_of(change.new.metadata) if change.new is not None else None
        order = self._cluster.caches.orders.get(ObjectKey(change.key.namespace, owner.name)) if owner else None
        if order is not None and (key := self._issuances.certificate_of(order)) is not None:
            self._loop.add(key)

    async def _follow(self, key: CertificateKey) -> datetime | None:
        certificate = self._sources.certificates.get(key)
        found = self._sources.caches.certificates.get(ObjectKey(key.namespace, key.name))
        if certificate is None or found is None or isinstance(found, Unreadable):
            return None
        if (story := self._story_under_way(certificate)) is None:
            return None
        now = self._cluster.clock.now()
        status = order_status(found.status, story.order, story.challenges, now)
        await self._statuses.certificate(found.metadata, found.status, status)
        if not _is_counted(story.order, certificate):
            await self._events.tell(certificate.about, order_events(story))
        return None

    def _story_under_way(self, certificate: HubCertificate) -> AcmeStory | None:
        """The order of the next revision; once its certificate is stored, all is told."""
        request = self._issuances.latest(certificate)
        if request is None or (request.revision or 0) <= (certificate.status.revision or 0):
            return None
        handed_over = self._sources.successor(certificate) is not None
        return None if handed_over else self._issuances.story(certificate, request)


def _is_counted(order: acme.Order, certificate: HubCertificate) -> bool:
    """Whether the order failed long enough ago for the Certificate to say so; then its events have been told."""
    failed, counted = order.status.failure_time, certificate.status.last_failure_time
    return failed is not None and counted is not None and failed <= counted
