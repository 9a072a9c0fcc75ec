"""Events about objects, as client-go's recorder writes them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections import deque
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from certwright.api.core import Event, EventSource, InvolvedObject
from certwright.api.core_kinds import EVENT
from certwright.api.meta import ObjectMeta
from certwright.clock import Clock
from certwright.errors import Retry
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.runtime.event_book import Entry, EventBook, EventType, Occurrence
from certwright.kube.runtime.loop import Loop, LoopOptions
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, ApiError, Forbidden, NotFound

__all__ = ["EventType", "Recorder", "RecorderOptions"]

LOG = logging.getLogger(__name__)
_HEX = re.compile("[0-9a-f]{1,40}")
# An event that the API server could not take is tried this often in all.
TRIES = 12
# Of the object's name, so that the event's name stays within 253 characters.
MOST_NAME = 253 - 17
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RecorderOptions(Struct, frozen=True, kw_only=True):
    """How many events may wait, how many are written at once, and how long `flush` waits for them."""

    most_waiting: int = 10_000
    writers: int = 8
    flush: timedelta = timedelta(seconds=10)


_DEFAULTS = RecorderOptions()


class _Waiting(Struct):
    occurrence: Occurrence
    tries: int = 0


class Recorder:
    """Writes events; those about one object in the order in which they were recorded."""

    def __init__(self, client: KubeClient, clock: Clock, options: RecorderOptions = _DEFAULTS) -> None:
        self._client = client
        self._clock = clock
        self._options = options
        self._book = EventBook()
        self._waiting: dict[InvolvedObject, deque[_Waiting]] = {}
        self._count = 0
        self._is_dropping = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._named = 0
        self._loop: Loop[InvolvedObject] = Loop("events", self._write_all, clock, LoopOptions(workers=options.writers))

    def record(self, about: InvolvedObject, kind: EventType, reason: str, message: str, component: str) -> None:
        """Queue an event; a repeat raises the count of the first one. Never blocks, never fails."""
        if self._count >= self._options.most_waiting:
            self._drop_oldest()
        occurrence = Occurrence(
            about=about, type=kind, reason=reason, message=message, component=component, at=self._clock.now()
        )
        self._waiting.setdefault(_identity(about), deque()).append(_Waiting(occurrence))
        self._count += 1
        self._idle.clear()
        self._loop.add(_identity(about))

    async def record_once(  # noqa: PLR0913 - the parts of an event
        self, about: InvolvedObject, kind: EventType, reason: str, message: str, component: str, identity: str
    ) -> None:
        """Write the event that `identity` names, exactly once also across restarts; raises what the client raises.

        An identity of hexadecimal digits is kept in the event's name: lists are in the order of names, and so events
        of one second are shown in the order of their identities.
        """
        now = self._clock.now()
        occurrence = Occurrence(about=about, type=kind, reason=reason, message=message, component=component, at=now)
        suffix = identity if _HEX.fullmatch(identity) else hashlib.sha256(identity.encode()).hexdigest()[:16]
        name = f"{about.name[:MOST_NAME]}.{suffix}"
        try:
            await self._create(occurrence, Entry(identity=identity, message=message, first=now), name)
        except AlreadyExists:
            return
        except (Forbidden, NotFound) as error:
            if not _is_ending(error):
                raise

    async def run(self) -> None:
        """Write what is recorded, until cancelled."""
        await self._loop.run()

    async def flush(self) -> None:
        """Return when everything recorded is written, or when that takes too long."""
        idle = asyncio.ensure_future(self._idle.wait())
        patience = asyncio.ensure_future(self._clock.wait(self._options.flush))
        try:
            await asyncio.wait([idle, patience], return_when=asyncio.FIRST_COMPLETED)
        finally:
            idle.cancel()
            patience.cancel()
            await asyncio.gather(idle, patience, return_exceptions=True)

    def _drop_oldest(self) -> None:
        about, waiting = next(iter(self._waiting.items()))
        waiting.popleft()
        self._done(about)
        if not self._is_dropping:
            self._is_dropping = True
            LOG.warning("Events are dropped, since the API server does not take them", extra={"waiting": self._count})

    def _done(self, about: InvolvedObject) -> None:
        self._count -= 1
        if not self._waiting[about]:
            del self._waiting[about]
        if not self._count:
            self._is_dropping = False
            self._idle.set()

    async def _write_all(self, about: InvolvedObject) -> None:
        """The events about one object that wait, one after the other."""
        while waiting := self._waiting.get(about):
            first = waiting[0]
            try:
                await self._write(first.occurrence)
            except (ApiError, Unreachable, BadConnection) as error:
                first.tries += 1
                if _is_passing(error) and first.tries < TRIES:
                    raise Retry(str(error)) from error
                self._lost(first.occurrence, error)
            # While it was written it may have been dropped to make room.
            if waiting and waiting[0] is first:
                waiting.popleft()
                self._done(about)

    async def _write(self, occurrence: Occurrence) -> None:
        entry = self._book.entry(occurrence)
        if entry.repeats is not None:
            try:
                await self._raise_count(occurrence, entry, entry.repeats)
                self._book.written(entry, entry.repeats, occurrence.at)
                return
            except NotFound:
                entry = Entry(identity=entry.identity, message=entry.message, first=occurrence.at)
        key = await self._create(occurrence, entry, self._new_name(occurrence))
        self._book.written(entry, key, occurrence.at)

    async def _raise_count(self, occurrence: Occurrence, entry: Entry, key: ObjectKey) -> None:
        last = occurrence.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        await self._client.merge_patch(
            EVENT, key, {"count": entry.count, "lastTimestamp": last, "message": entry.message}
        )

    async def _create(self, occurrence: Occurrence, entry: Entry, name: str) -> ObjectKey:
        about = occurrence.about
        key = ObjectKey(about.namespace or "default", name)
        event = Event(
            metadata=ObjectMeta(name=name, namespace=key.namespace),
            involved_object=about,
            reason=occurrence.reason,
            message=entry.message,
            source=EventSource(component=occurrence.component),
            first_timestamp=entry.first,
            last_timestamp=occurrence.at,
            count=entry.count,
            type=occurrence.type,
            reporting_component=occurrence.component,
        )
        await self._client.create(EVENT, event, key.namespace)
        return key

    def _new_name(self, occurrence: Occurrence) -> str:
        """The object's name and the nanosecond, as client-go has it; a count makes up for the clock's coarseness."""
        self._named += 1
        nanoseconds = (occurrence.at - EPOCH) // timedelta(microseconds=1) * 1000 + self._named % 1000
        return f"{occurrence.about.name[:MOST_NAME]}.{nanoseconds:016x}"

    def _lost(self, occurrence: Occurrence, error: Exception) -> None:
        level = logging.DEBUG if _is_ending(error) else logging.WARNING
        about = occurrence.about
        LOG.log(
            level,
            "An event is not written",
            extra={
                "object": f"{about.kind} {ObjectKey(about.namespace, about.name)}",
                "reason": occurrence.reason,
                "problem": str(error),
            },
        )


def _identity(about: InvolvedObject) -> InvolvedObject:
    """The object, whatever its version."""
    return InvolvedObject(kind=about.kind, namespace=about.namespace, name=about.name, uid=about.uid)


def _is_passing(error: Exception) -> bool:
    if isinstance(error, ApiError):
        return error.code in {401, 429} or error.code >= 500
    return True


def _is_ending(error: Exception) -> bool:
    """The namespace is going away, or gone."""
    if not isinstance(error, ApiError):
        return False
    details = error.status.details
    causes = (details.causes or []) if details else []
    return isinstance(error, NotFound) or any(cause.reason == "NamespaceTerminating" for cause in causes)
