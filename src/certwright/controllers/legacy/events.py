"""Events about legacy objects, told of their twins too, for `kubectl describe` shows the twins."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable

from certwright.api.core import InvolvedObject
from certwright.api.legacy_words import EVENT_COMPONENT
from certwright.kube.runtime.recorder import Recorder
from certwright.rules.legacy_events import ToldEvent

TwinOf = Callable[[InvolvedObject], Awaitable[InvolvedObject | None]]
"""Finds, or makes, the twin of a legacy object; None where it has none."""
MOST_REMEMBERED = 20_000


class LegacyEvents:
    """Tells events of a legacy object and of its twin, in order; those with an identity exactly once."""

    def __init__(self, recorder: Recorder, twin_of: TwinOf) -> None:
        self._recorder = recorder
        self._twin_of = twin_of
        self._told: dict[tuple[str, str], None] = {}

    async def tell(self, about: InvolvedObject, events: Iterable[ToldEvent]) -> None:
        """Tell them in this order."""
        wanted = [event for event in events if not event.identity or (about.uid, event.identity) not in self._told]
        if not wanted:
            return
        twin = await self._twin_of(about)
        for event in wanted:
            for each in (about, twin) if twin is not None else (about,):
                await self._tell_one(each, event)
            if event.identity:
                self._remember((about.uid, event.identity))

    async def _tell_one(self, about: InvolvedObject, event: ToldEvent) -> None:
        if event.identity:
            # Of an object and its twin, which have one name, both have the event.
            identity = event.identity + hashlib.sha256(about.uid.encode()).hexdigest()[:10]
            await self._recorder.record_once(about, event.type, event.reason, event.message, EVENT_COMPONENT, identity)
        else:
            self._recorder.record(about, event.type, event.reason, event.message, EVENT_COMPONENT)

    def _remember(self, told: tuple[str, str]) -> None:
        """What was told is not asked of the server again; the oldest is forgotten, and then the server knows."""
        self._told[told] = None
        if len(self._told) > MOST_REMEMBERED:
            self._told.pop(next(iter(self._told)))
