"""Lists and watches one kind for ever, and tells a sink."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from certwright.api.resource import Kind
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.client.listing import (
    ApiObject,
    Bookmark,
    Malformed,
    Removed,
    Seen,
    Selection,
    Unread,
    WatchEvent,
    WatchOptions,
)
from certwright.kube.client.reading import MOST_AT_ONCE
from certwright.kube.runtime.loop import A_TURN
from certwright.kube.wire.status import ApiError, BadRequest, Gone, Invalid

LOG = logging.getLogger(__name__)
T = TypeVar("T", bound=ApiObject)
T_contra = TypeVar("T_contra", contravariant=True)

# As client-go waits before it comes back.
FIRST_WAIT = timedelta(milliseconds=800)
LONGEST_WAIT = timedelta(seconds=30)
# A server that refuses to go on from where we were this often is asked for everything again.
MOST_REFUSALS = 3
# The server ends a watch after this long, up to twice: a fleet does not come back at once.
WATCH_FOR = timedelta(minutes=5)

# A watch that ends in good order after this long was sound, though nothing may have happened in it.
SOUND_AFTER = timedelta(seconds=10)


class Sink(Protocol[T_contra]):
    """Who is told."""

    def begin(self) -> None:
        """A list begins: what is not seen until `complete` is gone."""

    def seen(self, objects: Sequence[T_contra]) -> None:
        """The objects are there; of two forms of one, the later comes later."""

    def removed(self, obj: T_contra) -> None:
        """The object is gone."""

    def unread(self, malformed: Malformed, version: str, *, removed: bool) -> None:
        """The object changed into something that cannot be read, or is gone; without a version: it is in the list."""

    def complete(self, version: str) -> bool:
        """The list is whole, as of this version; False where it must be made again."""

    def told(self, version: str) -> None:
        """Every change up to this version was told."""


class Feed(Generic[T]):
    """Keeps a sink up to date; a watch that ends goes on from where it was."""

    def __init__(  # noqa: PLR0913 - what to watch, and whom to tell
        self,
        client: KubeClient,
        kind: Kind[T],
        selection: Selection,
        sink: Sink[T],
        *,
        clock: Clock,
        metadata_only: bool = False,
        on_complete: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._kind = kind
        self._selection = selection
        self._sink = sink
        self._clock = clock
        self._metadata_only = metadata_only
        self._on_complete = on_complete
        self._random = random.Random()  # noqa: S311 - spreads load, guards nothing
        self._version = ""
        self._is_listing = False
        self._streams_lists = True
        self._failures = 0
        self._refusals = 0
        self._said = ""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            failures = self._failures
            self._failures += 1
            try:
                await self._once()
            except Gone:
                self._version = ""
            except ApiError as error:
                self._refused(error)
            except (Unreachable, BadConnection) as error:
                self._complain(str(error))
            if self._failures:
                await self._clock.wait(self._backoff(failures))

    async def _once(self) -> None:
        """Watch until the server ends it, after a list where one is due."""
        if self._version:
            await self._watch(is_initial=False)
        elif self._streams_lists:
            await self._watch(is_initial=True)
            if self._is_listing:
                # The server does not know the option, and has told no end of the list.
                self._streams_lists = False
        else:
            await self._list()

    async def _list(self) -> None:
        self._sink.begin()
        version = ""
        pages = self._client.pages(self._kind, self._selection, metadata_only=self._metadata_only)
        async with aclosing(pages):
            async for page in pages:
                await self._see_all(page.items)
                for malformed in page.malformed:
                    self._sink.unread(malformed, "", removed=False)
                version = page.resource_version
        self._complete(version)

    async def _see_all(self, objects: Sequence[T]) -> None:
        for start in range(0, len(objects), MOST_AT_ONCE):
            self._sink.seen(objects[start : start + MOST_AT_ONCE])
            await self._clock.wait(A_TURN)

    async def _watch(self, *, is_initial: bool) -> None:
        options = WatchOptions(
            initial=is_initial,
            metadata_only=self._metadata_only,
            timeout=WATCH_FOR * (1 + self._random.random()),
        )
        self._is_listing = is_initial
        if is_initial:
            self._sink.begin()
        began = self._clock.monotonic()
        arriving = self._client.watch(self._kind, self._selection, self._version, options=options)
        async with aclosing(arriving):
            async for events in arriving:
                if not self._go_on(events):
                    return
                await self._clock.wait(A_TURN)
        if self._clock.monotonic() - began >= SOUND_AFTER.total_seconds():
            self._recovered()

    def _go_on(self, events: Iterable[WatchEvent[T]]) -> bool:
        """Take the events; False where the list must be made again."""
        objects: list[T] = []
        for event in events:
            if isinstance(event, Seen):
                objects.append(event.obj)
                continue
            self._see(objects)
            objects = []
            self._take(event)
            if not (self._is_listing or self._version):
                return False
        self._see(objects)
        return True

    def _see(self, objects: Sequence[T]) -> None:
        if objects:
            self._sink.seen(objects)
            if not self._is_listing:
                self._advance(objects[-1].metadata.resource_version)

    def _take(self, event: Removed[T] | Bookmark | Unread) -> None:
        match event:
            case Removed():
                self._sink.removed(event.obj)
            case Unread():
                self._sink.unread(event.malformed, event.resource_version, removed=event.removed)
            case Bookmark() if self._is_listing:
                if event.ends_initial:
                    self._is_listing = False
                    self._complete(event.resource_version)
                return
        if not self._is_listing:
            self._advance(_version_of(event))

    def _complete(self, version: str) -> None:
        self._recovered()
        if self._sink.complete(version):
            self._version = version
            self._on_complete()
        else:
            self._version = ""

    def _advance(self, version: str) -> None:
        self._recovered()
        if version:
            self._version = version
            self._sink.told(version)

    def _recovered(self) -> None:
        self._failures = self._refusals = 0
        self._said = ""

    def _refused(self, error: ApiError) -> None:
        if self._is_listing and self._streams_lists and isinstance(error, Invalid | BadRequest):
            # Servers without WatchList say that sendInitialEvents is forbidden.
            self._streams_lists = False
            self._failures = 0
            return
        self._refusals += 1
        if self._refusals >= MOST_REFUSALS:
            self._version = ""
        self._complain(str(error))

    def _complain(self, words: str) -> None:
        if words != self._said:
            self._said = words
            LOG.warning(
                "Objects cannot be watched; trying again",
                extra={"resource": self._kind.resource.qualified, "problem": words},
            )

    def _backoff(self, failures: int) -> timedelta:
        wait = min(FIRST_WAIT * (1 << min(failures, 10)), LONGEST_WAIT)
        return wait * (1 + self._random.random())


def _version_of(event: Removed[T] | Bookmark | Unread) -> str:
    match event:
        case Removed(obj):
            return obj.metadata.resource_version
        case Bookmark(version) | Unread(_, version):
            return version
