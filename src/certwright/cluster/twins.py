"""The modern twins of legacy objects, as far as mirroring looks at them."""

from __future__ import annotations

import asyncio
import contextlib

from certwright.api.core import InvolvedObject
from certwright.api.kinds import CERTIFICATE, CLUSTER_ISSUER, ISSUER
from certwright.api.resource import Kind, kind_of
from certwright.clock import Clock
from certwright.cluster.settings import Settings
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.runtime.cache import Cache, each
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Conflict, NotFound
from certwright.rules.hub import Dialect
from certwright.rules.mirrors import MIRROR, Twin, TwinFacts, twin_facts

KINDS: dict[str, Kind[Twin]] = {
    kind.resource.kind: kind_of(kind.resource, Twin) for kind in (CERTIFICATE, ISSUER, CLUSTER_ISSUER)
}
"""The modern kinds, read as twins."""


class TwinCaches:
    """One cache a kind, over the objects that bear our label."""

    def __init__(self, client: KubeClient, clock: Clock, settings: Settings) -> None:
        self.by_kind: dict[str, Cache[TwinFacts]] = {
            name: Cache(client, KINDS[name], each(twin_facts), clock=clock, selection=_selection(name, settings))
            for name in _kinds(settings)
        }

    async def synced(self) -> None:
        """Return once the first lists are in."""
        await asyncio.gather(*(cache.synced() for cache in self.by_kind.values()))

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for cache in self.by_kind.values():
                group.create_task(cache.run())


async def remove_twins(client: KubeClient, settings: Settings) -> int:
    """Delete the twins of a time when there were mirrors, but none that its user has taken over; returns how many."""
    removed = 0
    for name in _kinds(settings):
        for twin in (await client.list(KINDS[name], _selection(name, settings))).items:
            facts = twin_facts(twin)
            if facts is None or facts.adopted:
                continue
            key = ObjectKey(twin.metadata.namespace, twin.metadata.name)
            with contextlib.suppress(NotFound, Conflict):
                await client.delete(KINDS[name], key, uid=twin.metadata.uid)
                removed += 1
    return removed


def about_twin(kind: str, twin: TwinFacts) -> InvolvedObject:
    """The twin, for events."""
    return InvolvedObject.of(twin.metadata, kind, Dialect.MODERN.api_version)


def _kinds(settings: Settings) -> list[str]:
    return [name for name in KINDS if not (settings.namespace and name == "ClusterIssuer")]


def _selection(kind: str, settings: Settings) -> Selection:
    return Selection(namespace="" if kind == "ClusterIssuer" else settings.namespace, labels=f"{MIRROR}=true")
