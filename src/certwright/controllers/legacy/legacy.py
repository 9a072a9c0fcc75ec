"""Everything of the legacy group that runs in a controller process, built and run as one."""

from __future__ import annotations

import asyncio

from certwright.api.core import InvolvedObject
from certwright.cluster.cluster import Cluster
from certwright.cluster.legacy import LegacySources
from certwright.cluster.twins import TwinCaches, remove_twins
from certwright.controllers.legacy.certificate_presenter import LegacyCertificatePresenter
from certwright.controllers.legacy.events import LegacyEvents
from certwright.controllers.legacy.handover import Handover
from certwright.controllers.legacy.issuances import Issuances
from certwright.controllers.legacy.issuer_presenter import LegacyIssuerPresenter
from certwright.controllers.legacy.mirrors import Mirrors
from certwright.controllers.legacy.order_follower import OrderFollower
from certwright.kube.runtime.loop import LoopObserver


class LegacyGroup:
    """The presenters that the engine is given, and the loops that belong to the group.

    For `app`: build it after `Cluster`, from the same `LegacySources` that the directory of issuers and the engine
    have; run `sources.caches` with the other caches, and `run` with the controllers once these caches are synced.
    """

    def __init__(self, cluster: Cluster, sources: LegacySources, watcher: LoopObserver | None = None) -> None:
        self._cluster = cluster
        self._sources = sources
        self._twins: TwinCaches | None = None
        self._mirrors: Mirrors | None = None
        if cluster.settings.legacy_mode == "mirror":
            self._twins = TwinCaches(cluster.client, cluster.clock, cluster.settings)
            self._mirrors = Mirrors(cluster, sources, self._twins, watcher)
        events = LegacyEvents(cluster.recorder, self._mirrors.twin_of if self._mirrors else _no_twin)
        issuances = Issuances(cluster)
        self.certificates = LegacyCertificatePresenter(cluster, sources, issuances, events)
        self.issuers = LegacyIssuerPresenter(cluster, sources, events)
        self._orders = OrderFollower(cluster, sources, issuances, events, watcher)
        self._handover = Handover(cluster, sources, events, watcher)

    async def run(self) -> None:
        """Follow orders, hand over and mirror, once the cluster has the group, until cancelled."""
        await self._sources.caches.until_served()
        await self._sources.caches.synced()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._orders.run())
            group.create_task(self._handover.run())
            if self._twins is not None and self._mirrors is not None:
                group.create_task(self._twins.run())
                await self._twins.synced()
                group.create_task(self._mirrors.run())
            else:
                await remove_twins(self._cluster.client, self._cluster.settings)


async def _no_twin(_: InvolvedObject) -> None:
    return None
