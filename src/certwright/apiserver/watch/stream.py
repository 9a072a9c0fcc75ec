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
# What is there at the start is written piece by piece, as the client takes it.
A_PIECE = 256 * 1024

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
Render = Callable[[Stored], bytes]


class Stream:
    """Takes changes as they happen, gives frames as the client can take them."""

    def __init__(self, selection: Selection, render: Render) -> None:
        self._selection = selection
        self._render = render
        self._present: deque[Stored] = deque()
        self._ahead = b""
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
        """Send the objects that are there when the watch starts before everything else."""
        self._present.extend(items)
        # At once, since the first of all frames may differ from those that follow.
        self._ahead = self._piece()

    def frame(self, kind: EventType, body: bytes) -> None:
        """Queue a frame that is not a change: a bookmark or an error."""
        self._frames.append(_frame(kind, body))
        self._ready.set()

    def _queue(self, kind: EventType, stored: Stored) -> None:
        body = self._render(stored)
        self.frame(kind, body)
        self._waiting += 1
        self._bytes += len(body)
        if self._waiting > MOST_WAITING or self._bytes > MOST_WAITING_BYTES:
            self.is_lost = True
            self._frames.clear()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be sent."""
        return not (self._ahead or self._present or self._frames)

    def wake(self) -> None:
        """Let the sender look, though there is nothing new."""
        self._ready.set()

    async def take(self) -> bytes:
        """What is to be sent next: a piece of what is there, else all frames that wait; b'' after `wake`."""
        if self._ahead or self._present:
            piece, self._ahead = self._ahead or self._piece(), b""
            return piece
        await self._ready.wait()
        self._ready.clear()
        joined = b"".join(self._frames)
        self._frames.clear()
        self._waiting = self._bytes = 0
        return joined

    def _piece(self) -> bytes:
        frames, size = [], 0
        while self._present and size < A_PIECE:
            frames.append(_frame("ADDED", self._render(self._present.popleft())))
            size += len(frames[-1])
        return b"".join(frames)


def _frame(kind: EventType, body: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"


def _as_left(change: Change) -> Stored:
    """The object as it was when it still matched, under the revision at which it ceased to."""
    assert change.before is not None
    obj = change.before.obj()
    objects.meta(obj)["resourceVersion"] = str(change.stored.revision)
    return Stored.of(change.before.key, change.stored.revision, objects.encode(obj), obj)
