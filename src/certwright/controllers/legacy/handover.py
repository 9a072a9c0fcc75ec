"""Tells a legacy Certificate that a modern one of its name has taken its Secret over."""

from __future__ import annotations

from datetime import datetime

from certwright.cluster.cluster import Cluster
from certwright.cluster.legacy import LegacySources
from certwright.controllers.legacy.events import LegacyEvents
from certwright.kube.runtime.loop import Loop, LoopObserver
from certwright.rules.hub import CertificateKey, Dialect
from certwright.rules.legacy_events import superseded_event

NAME = "legacy-handover"


class Handover:
    """One event a successor, on the legacy Certificate."""

    def __init__(
        self, cluster: Cluster, sources: LegacySources, events: LegacyEvents, watcher: LoopObserver | None = None
    ) -> None:
        self._sources = sources
        self._events = events
        self._loop: Loop[CertificateKey] = Loop(NAME, self._look, cluster.clock, watcher=watcher)
        sources.certificates.subscribe(self._loop.add)
        sources.modern.subscribe(self._modern_changed)

    async def run(self) -> None:
        """Look until cancelled."""
        await self._loop.run()

    def _modern_changed(self, key: CertificateKey) -> None:
        original = CertificateKey(Dialect.LEGACY, key.namespace, key.name)
        if self._sources.certificates.get(original) is not None:
            self._loop.add(original)

    async def _look(self, key: CertificateKey) -> datetime | None:
        certificate = self._sources.certificates.get(key)
        successor = self._sources.successor(certificate) if certificate is not None else None
        if certificate is None or successor is None:
            return None
        event = superseded_event(successor.metadata, successor.spec.secret_name)
        await self._events.tell(certificate.about, (event,))
        return None
