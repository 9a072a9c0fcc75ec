"""The watch verb: objects as they are, then every change, until the client goes or its time is over."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import timedelta

from aiohttp import web
from msgspec import Struct

from certwright.apiserver.conversion import storage_key
from certwright.apiserver.http.answers import encode_status
from certwright.apiserver.http.query import Query
from certwright.apiserver.http.render import Renderer
from certwright.apiserver.schema.causes import Cause, forbidden, not_supported
from certwright.apiserver.storage.history import Change, Stored
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.preparation import check_revision
from certwright.apiserver.verbs.read import check_not_ahead
from certwright.apiserver.verbs.refusals import options_invalid
from certwright.apiserver.watch.selection import Selection
from certwright.apiserver.watch.stream import Stream
from certwright.kube.wire.status import Expired

BOOKMARKS_EVERY = timedelta(minutes=1)
# Who only waits for something to write does not hear that a client has gone.
LOOK_EVERY = timedelta(seconds=5)
# A watch without a time of its own ends after this long, up to twice: a fleet does not come back at once.
LONGEST = timedelta(minutes=30)


class WatchOptions(Struct, frozen=True, kw_only=True):
    """What a client asks of a watch."""

    revision: str = ""
    match: str = ""
    sends_bookmarks: bool = False
    sends_initial: bool | None = None
    timeout: timedelta = LONGEST


def watch_options(query: Query) -> WatchOptions:
    """The options in a query; Invalid where they contradict each other."""
    initial = query.is_true("sendInitialEvents") if query.text("sendInitialEvents") else None
    revision, match = query.text("resourceVersion"), query.text("resourceVersionMatch")
    if revision:
        check_revision(revision)
    causes = _contradictions(initial, match)
    if causes:
        raise options_invalid("ListOptions", causes)
    seconds = query.number("timeoutSeconds")
    timeout = timedelta(seconds=seconds) if seconds > 0 else LONGEST * (1 + random.random())  # noqa: S311 - only spreads load
    return WatchOptions(
        revision=revision,
        match=match,
        sends_bookmarks=query.is_true("allowWatchBookmarks"),
        sends_initial=initial,
        timeout=timeout,
    )


def _contradictions(initial: bool | None, match: str) -> list[Cause]:
    field, wanted = "resourceVersionMatch", "NotOlderThan"
    if initial is None:
        rule = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        return [forbidden(field, rule)] if match else []
    if match == wanted:
        return []
    found = [forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")]
    return [*found, not_supported(field, match, [wanted])] if match else found


class Watch:
    """One running watch."""

    def __init__(self, api: Api, selection: Selection, renderer: Renderer, options: WatchOptions) -> None:
        self._api = api
        self._renderer = renderer
        self._options = options
        self._selection = selection
        self._resource = storage_key(selection.definition)
        self._stream = Stream(selection, renderer.in_turn())
        self._is_over = False

    def start(self) -> Callable[[], None]:
        """Queue what comes first and listen from there on; the returned function ends it."""
        revision = int(self._options.revision or 0)
        check_not_ahead(self._api.store.revision, revision)
        if self._options.sends_initial or (self._options.sends_initial is None and revision == 0):
            self._stream.initial(self._present())
            if self._options.sends_initial and self._options.sends_bookmarks:
                self._bookmark(ends_initial=True)
        elif revision:
            self._replay(self._api.store.since(self._resource, revision), revision)
        return self._api.store.listen(self._resource, self._stream.change)

    def _present(self) -> list[Stored]:
        found = self._api.store.list(self._resource, self._selection.namespace)
        return [stored for stored in found if self._selection.matches(stored)]

    def _replay(self, changes: list[Change] | None, revision: int) -> None:
        if changes is None:
            message = f"too old resource version: {revision} ({self._api.store.revision})"
            self._stream.frame("ERROR", encode_status(Expired.of(message)))
            self._is_over = True
            return
        for change in changes:
            self._stream.change(change)

    def _bookmark(self, *, ends_initial: bool = False) -> None:
        self._stream.frame("BOOKMARK", self._renderer.bookmark(self._api.store.revision, ends_initial=ends_initial))

    def end(self) -> None:
        """Let the watch end after what is queued."""
        self._is_over = True
        self._stream.wake()

    async def send(self, response: web.StreamResponse, is_gone: Callable[[], bool]) -> None:
        """Send frames until the watch is over or the client gone; it is dropped where it is too slow."""
        clock = self._api.clock
        end = clock.call_at(clock.now() + self._options.timeout, self.end)
        beside = [self._attend(is_gone)] + ([self._beat()] if self._options.sends_bookmarks else [])
        tasks = [asyncio.get_running_loop().create_task(each) for each in beside]
        try:
            while not self._stream.is_lost:
                await self._send_next(response)
                if self._is_over and self._stream.is_empty:
                    return
        finally:
            end.cancel()
            for task in tasks:
                task.cancel()

    async def _send_next(self, response: web.StreamResponse) -> None:
        """Without keeping what was sent until there is more."""
        if frames := await self._stream.take():
            await response.write(frames)

    async def _attend(self, is_gone: Callable[[], bool]) -> None:
        while not is_gone():
            await self._api.clock.wait(LOOK_EVERY)
        self.end()

    async def _beat(self) -> None:
        while True:
            await self._api.clock.wait(BOOKMARKS_EVERY)
            self._bookmark()


class Watches:
    """The running watches, so that a stopping server can end them."""

    def __init__(self) -> None:
        self._running: set[Watch] = set()

    async def serve(self, request: web.BaseRequest, watch: Watch, media: str) -> web.StreamResponse:
        """Answer a request with a watch."""
        stop = watch.start()
        self._running.add(watch)
        try:
            response = web.StreamResponse(headers={"Content-Type": media, "Cache-Control": "no-cache, private"})
            response.enable_chunked_encoding()
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                await watch.send(response, lambda: request.transport is None or request.transport.is_closing())
                await response.write_eof()
            return response
        finally:
            stop()
            self._running.discard(watch)

    def end_all(self) -> None:
        """Let all watches end."""
        for watch in list(self._running):
            watch.end()

    def __len__(self) -> int:
        return len(self._running)
