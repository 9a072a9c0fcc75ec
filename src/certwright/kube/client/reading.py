"""Reads lists and watch events; one object that cannot be read never stops the others."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from io import BytesIO
from typing import TypeVar

import aiohttp
import msgspec
from msgspec import Raw, Struct, field

from certwright.api.meta import ListMeta, MalformedObject
from certwright.api.resource import Kind
from certwright.kube.client.errors import Unreachable
from certwright.kube.client.listing import Bookmark, Malformed, Page, Removed, Seen, Unread, WatchEvent
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import ApiError, Status, error_of

T = TypeVar("T")
LOG = logging.getLogger(__name__)
# A whole object (1.5 MiB in etcd) with room for its managedFields and the frame.
MOST_LINE_BYTES = 8 * 1024 * 1024
# So many are worked through in some milliseconds; then whoever takes them gives others a turn. Much fewer cost more
# each: the work on one kind of object, done in a row, finds what it needs in the caches of the processor.
MOST_AT_ONCE = 64
INITIAL_END = "k8s.io/initial-events-end"
# How every known server begins a change, and whether its object is gone.
_USUAL = {b'{"type":"ADDED"': False, b'{"type":"MODIFIED"': False, b'{"type":"DELETED"': True}


class _List(Struct, frozen=True):
    metadata: ListMeta = ListMeta()
    items: list[Raw] | None = None


class _Frame(Struct, frozen=True):
    type: str
    object: Raw


class _Name(Struct, frozen=True):
    name: str = ""
    namespace: str = ""
    resource_version: str = field(default="", name="resourceVersion")
    annotations: dict[str, str] | None = None


class _Head(Struct, frozen=True):
    metadata: _Name = _Name()


_LIST = msgspec.json.Decoder(_List)
_FRAME = msgspec.json.Decoder(_Frame)
_HEAD = msgspec.json.Decoder(_Head)
_STATUS = msgspec.json.Decoder(Status)


def read_page(kind: Kind[T], body: bytes) -> Page[T]:
    """One page of a list."""
    try:
        found = _LIST.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"The list of {kind.resource.qualified} is not readable: {error}.") from error
    items: list[T] = []
    malformed: list[Malformed] = []
    for raw in map(bytes, found.items or ()):
        try:
            items.append(kind.read(raw))
        except MalformedObject as error:
            malformed.append(_malformed(kind, raw, error))
    return Page(tuple(items), found.metadata.resource_version, tuple(malformed), found.metadata.continue_)


async def watch_events(
    kind: Kind[T], response: aiohttp.ClientResponse
) -> AsyncGenerator[Sequence[WatchEvent[T]], None]:
    """The events of an open watch: at once those that arrived together.

    An ERROR event is raised, after those before it, as the `ApiError` that it says.
    """
    async with aclosing(_lines(response, kind.resource.qualified)) as arriving:
        async for lines in arriving:
            events, error = _events(kind, lines)
            if events:
                yield events
            if error is not None:
                raise error


async def _lines(response: aiohttp.ClientResponse, what: str) -> AsyncGenerator[list[bytes], None]:
    """Whole lines, at once those that arrived together, up to `MOST_AT_ONCE`."""
    rest = bytearray()
    while part := await response.content.readany():
        # bytes.split looks at each byte by itself, which takes as long as decoding.
        lines = BytesIO(part).readlines()
        last = b"" if lines[-1].endswith(b"\n") else lines.pop()
        if lines and rest:
            lines[0] = bytes(rest + lines[0])
            rest.clear()
        for start in range(0, len(lines), MOST_AT_ONCE):
            yield lines[start : start + MOST_AT_ONCE]
        rest += last
        if len(rest) > MOST_LINE_BYTES:
            raise Unreachable(f"An event of {what} is larger than {MOST_LINE_BYTES} bytes.")


def _events(kind: Kind[T], lines: Iterable[bytes]) -> tuple[list[WatchEvent[T]], ApiError | Unreachable | None]:
    """Those up to the first that says or is an error."""
    events: list[WatchEvent[T]] = []
    try:
        for line in lines:
            events.append(_event(kind, line))  # noqa: PERF401 - what was read before an error is kept
    except (ApiError, Unreachable) as error:
        return events, error
    return events, None


def _event(kind: Kind[T], line: bytes) -> WatchEvent[T]:
    """Decoding a frame means to read its object twice; it is not needed where the object is where it always is."""
    head, _, rest = line.partition(b',"object":')
    removed = _USUAL.get(head)
    if removed is not None and rest.endswith(b"}\n"):
        try:
            obj = kind.read(rest[:-2])
        except MalformedObject:
            return _any_event(kind, line)
        return Removed(obj) if removed else Seen(obj)
    return _any_event(kind, line)


def _any_event(kind: Kind[T], line: bytes) -> WatchEvent[T]:
    try:
        frame = _FRAME.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"An event of {kind.resource.qualified} is not readable: {error}.") from error
    raw = bytes(frame.object)
    match frame.type:
        case "ADDED" | "MODIFIED" | "DELETED":
            return _change(kind, raw, removed=frame.type == "DELETED")
        case "BOOKMARK":
            head = _head(raw)
            ends = (head.annotations or {}).get(INITIAL_END) == "true"
            return Bookmark(head.resource_version, ends)
        case _:
            raise error_of(_status(raw))


def _change(kind: Kind[T], raw: bytes, *, removed: bool) -> WatchEvent[T]:
    try:
        obj = kind.read(raw)
    except MalformedObject as error:
        return Unread(_malformed(kind, raw, error), _head(raw).resource_version, removed)
    return Removed(obj) if removed else Seen(obj)


def _malformed(kind: Kind[T], raw: bytes, error: MalformedObject) -> Malformed:
    head = _head(raw)
    key = ObjectKey(head.namespace, head.name)
    LOG.warning(
        "An object is skipped, since it cannot be read",
        extra={"resource": kind.resource.qualified, "object": str(key), "problem": str(error)},
    )
    return Malformed(key, str(error))


def _head(raw: bytes) -> _Name:
    try:
        return _HEAD.decode(raw).metadata
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Name()


def _status(raw: bytes) -> Status:
    try:
        return _STATUS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Status(message="The watch ended with an error that is not readable.", code=500)
