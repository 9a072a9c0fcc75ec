"""Events are kept for an hour, and not more of them than a bound."""

from __future__ import annotations

from datetime import datetime, timedelta

from certwright.apiserver import objects
from certwright.apiserver.lifecycle.worker import Worker
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.verbs.api import Api
from certwright.kube.wire.resources import EVENTS

KEPT_FOR = timedelta(hours=1)
MOST_EVENTS = 20_000
_EVERY = timedelta(minutes=5)


class OldEvents:
    """Removes events whose time is over."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.worker: Worker[str] = Worker("events", self._look, api.clock)

    def start(self) -> None:
        """Look now and every few minutes."""
        self.worker.add("")
        self.worker.start()

    async def _look(self, key: str) -> None:
        self.sweep()
        self.worker.add_later(key, _EVERY)

    def sweep(self) -> None:
        """Remove what is too old or too many."""
        oldest = self._api.clock.now() - KEPT_FOR
        events = self._api.store.list(EVENTS.qualified)
        for event in events:
            if _last_seen(event) < oldest:
                self._api.store.remove(EVENTS.qualified, event)
        left = self._api.store.list(EVENTS.qualified)
        for event in sorted(left, key=lambda each: each.revision)[: max(len(left) - MOST_EVENTS, 0)]:
            self._api.store.remove(EVENTS.qualified, event)


def _last_seen(event: Stored) -> datetime:
    obj = event.obj()
    series = objects.text(objects.child(obj, "series"), "lastObservedTime")
    created = objects.text(objects.meta(obj), "creationTimestamp")
    moments = (objects.parse_timestamp(text) for text in (series, objects.text(obj, "lastTimestamp"), created) if text)
    return max((moment for moment in moments if moment), default=objects.LATEST)
