"""Words what came of the check of a legacy issuer as v0.5 did."""

from __future__ import annotations

import msgspec

from certwright.api.kinds import Unreadable
from certwright.api.meta import Condition
from certwright.api.wellknown import ConditionType
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import IssuerReport
from certwright.cluster.legacy import LegacyIssuer, LegacySources
from certwright.controllers.legacy.events import LegacyEvents
from certwright.controllers.legacy.statuses import LegacyStatuses
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.hub import HubIssuer, condition_of
from certwright.rules.legacy_issuer_status import issuer_events, issuer_status, ready_condition


class LegacyIssuerPresenter:
    """One status write and the events of a change; the events of a check's own verdict are not told again here."""

    def __init__(self, cluster: Cluster, sources: LegacySources, events: LegacyEvents) -> None:
        self._clock = cluster.clock
        self._caches = sources.caches
        self._statuses = LegacyStatuses(cluster.client, sources.caches)
        self._events = events

    async def report(self, issuer: HubIssuer, report: IssuerReport) -> None:
        """Write it; nothing where nothing changed."""
        found = self._found(issuer)
        if found is None or found.metadata.uid != issuer.metadata.uid:
            return
        old = found.conditions if isinstance(found, Unreadable) else found.status.conditions
        ready = ready_condition(issuer, report.ready, old, self._clock.now())
        await self._write(issuer, found, ready, report)
        await self._events.tell(issuer.about, issuer_events(condition_of(old, ConditionType.READY), ready))

    def _found(self, issuer: HubIssuer) -> LegacyIssuer | None:
        cache = self._caches.issuers if issuer.key.kind == "Issuer" else self._caches.cluster_issuers
        return cache.get(ObjectKey(issuer.key.namespace, issuer.key.name))

    async def _write(self, issuer: HubIssuer, found: LegacyIssuer, ready: Condition, report: IssuerReport) -> None:
        write = self._statuses.issuer if issuer.key.kind == "Issuer" else self._statuses.cluster_issuer
        if isinstance(found, Unreadable):
            await write(found.metadata, found, msgspec.structs.replace(found, conditions=(ready,)))
        else:
            await write(found.metadata, found.status, issuer_status(found.status, ready, report.acme))
