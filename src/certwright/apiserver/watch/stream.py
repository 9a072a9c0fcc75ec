"""One watch: the changes that it is about, as frames ready to be sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal

from certwright.apiserver import objects
from certwright.apiserver.storage.history import Change, Stored
from certwright.apiserver.watch.selection import Selection

# A client that is further behind than this is dropped; it lists again when it comes back.
MOST_WAITING = 10_000
MOST_WAITING_BYTES = 64 * 1024 * 1024

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
Render = Callable[[Stored], bytes]


class Stream:
    """Takes changes as they happen, gives frames as the client can take them."""

    def __init__(self, selection: Selection, render: Render) -> None:
        self._selection = selection
        self._render = render
        self._frames: deque[bytes] = deque()
        self._waiting = 0
        self._bytes = 0
        self._ready = asyncio.Event()
        self.is_lost = False
        """The client was too slow, and frames were thrown away."""

    def change(self, change: Change) -> None:
        """Queue what a change means to this watch."""
        if self.is_lost:
            return
        is_in = change.kind != "DELETED" and self._selection.matches(change.stored)
        was_in = change.before is not None and self._selection.matches(change.before)
        if is_in:
            self._queue("MODIFIED" if was_in else "ADDED", change.stored)
        elif was_in:
            self._queue("DELETED", change.stored if change.kind == "DELETED" else _as_left(change))

    def initial(self, items: list[Stored]) -> None:
        """Queue the objects that are there when the watch starts."""
        self._push(b"".join([b'{"type":"ADDED","object":' + self._render(stored) + b"}\n" for stored in items]))

    def frame(self, kind: EventType, body: bytes) -> None:
        """Queue a frame that is not a change: a bookmark or an error."""
        self._push(b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n")

    def _queue(self, kind: EventType, stored: Stored) -> None:
        body = self._render(stored)
        self.frame(kind, body)
        self._waiting += 1
        self._bytes += len(body)
        if self._waiting > MOST_WAITING or self._bytes > MOST_WAITING_BYTES:
            self.is_lost = True
            self._frames.clear()

    def _push(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._ready.set()

    def wake(self) -> None:
        """Let the sender look, though there is nothing new."""
        self._ready.set()

    async def take(self) -> bytes:
        """The frames that wait, joined; b'' after `wake`."""
        await self._ready.wait()
        self._ready.clear()
        joined = b"".join(self._frames)
        self._frames.clear()
        self._waiting = self._bytes = 0
        return joined


def _as_left(change: Change) -> Stored:
    """The object as it was when it still matched, under the revision at which it ceased to."""
    assert change.before is not None
    obj = change.before.obj()
    objects.meta(obj)["resourceVersion"] = str(change.stored.revision)
    return Stored.of(change.before.key, change.stored.revision, objects.encode(obj), obj)
