"""Events about objects, as client-go's recorder writes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from msgspec import Struct

from certwright.api.core import InvolvedObject
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient

EventType = Literal["Normal", "Warning"]


class RecorderOptions(Struct, frozen=True, kw_only=True):
    """How many events may wait, how many are written at once, and how long `flush` waits for them."""

    most_waiting: int = 10_000
    writers: int = 8
    flush: timedelta = timedelta(seconds=10)


_DEFAULTS = RecorderOptions()


class Recorder:
    """Writes events; those about one object in the order in which they were recorded."""

    def __init__(self, client: KubeClient, clock: Clock, options: RecorderOptions = _DEFAULTS) -> None:
        raise NotImplementedError

    def record(self, about: InvolvedObject, kind: EventType, reason: str, message: str, component: str) -> None:
        """Queue an event; a repeat raises the count of the first one. Never blocks, never fails."""
        raise NotImplementedError

    async def record_once(  # noqa: PLR0913 - the parts of an event
        self, about: InvolvedObject, kind: EventType, reason: str, message: str, component: str, identity: str
    ) -> None:
        """Write the event that `identity` names, exactly once also across restarts; raises what the client raises."""
        raise NotImplementedError

    async def run(self) -> None:
        """Write what is recorded, until cancelled."""
        raise NotImplementedError

    async def flush(self) -> None:
        """Return when everything recorded is written, or when that takes too long."""
        raise NotImplementedError
