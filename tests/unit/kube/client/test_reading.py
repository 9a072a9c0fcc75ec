"""What is made of the events of a watch, however they arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta

import pytest
from aiohttp import web
from tests.unit.kube.client.api import OBJECT, client_of, serving, status, streamed

from certwright.api.core import ConfigMap
from certwright.api.core_kinds import CONFIG_MAP
from certwright.kube.client import reading
from certwright.kube.client.errors import Unreachable
from certwright.kube.client.listing import Bookmark, Removed, Seen, Selection, Unread, WatchEvent, WatchOptions
from certwright.kube.wire.status import Expired

Events = list[WatchEvent[ConfigMap]]


async def hear(arriving: AsyncGenerator[Sequence[WatchEvent[ConfigMap]], None], told: Events) -> None:
    async with aclosing(arriving):
        async for events in arriving:
            for event in events:
                told.append(event)


async def heard(arriving: AsyncGenerator[Sequence[WatchEvent[ConfigMap]], None]) -> Events:
    told: Events = []
    await hear(arriving, told)
    return told


async def test_a_watch_tells_changes_in_order_and_skips_what_cannot_be_read() -> None:
    big = json.dumps({"type": "MODIFIED", "object": {"metadata": {"name": "b"}, "data": {"x": "y" * 300_000}}})
    lines = (
        '{"type":"ADDED","object":' + OBJECT + "}",
        '{"type":"MODIFIED","object":{"metadata":{"name":"o","resourceVersion":"4"},"data":1}}',
        big,
        '{"type":"DELETED","object":' + OBJECT + "}",
        '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}',
    )
    async with serving(streamed(*lines)) as api, client_of(api) as client:
        options = WatchOptions(initial=True, metadata_only=True, timeout=timedelta(seconds=7))
        events = await heard(client.watch(CONFIG_MAP, Selection("n"), "3", options=options))

    assert isinstance(events[0], Seen)
    assert isinstance(events[1], Unread)
    assert (events[1].resource_version, events[1].removed) == ("4", False)
    assert isinstance(events[2], Seen)
    assert len(events[2].obj.data["x"]) == 300_000
    assert isinstance(events[3], Removed)
    assert events[4] == Bookmark("9", ends_initial=True)
    assert api.last.query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "7",
        "resourceVersion": "3",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
    }
    assert "as=PartialObjectMetadata;g=meta.k8s.io;v=v1" in api.last.headers["Accept"]


def added(name: str) -> bytes:
    return b'{"type":"ADDED","object":{"metadata":{"name":"' + name.encode() + b'"}}}\n'


async def test_events_are_handed_on_as_they_arrive_together_or_alone() -> None:
    parts = (added("a") + added("b") + added("c")[:20], added("c")[20:30], added("c")[30:], added("d"))
    heard_of = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            if part.endswith(b"\n") or part.startswith(added("a")):
                await heard_of.wait()
                heard_of.clear()
        return response

    names = []
    async with serving(answer) as api, client_of(api) as client:
        async for events in client.watch(CONFIG_MAP, Selection(), "3"):
            names.append([each.obj.metadata.name for each in events if isinstance(each, Seen)])
            heard_of.set()

    assert names == [["a", "b"], ["c"], ["d"]]


async def test_of_many_events_a_few_are_handed_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_AT_ONCE", 2)
    together = b"".join(map(added, "abcde")).decode().rstrip()
    async with serving(streamed(together)) as api, client_of(api) as client:
        handed = [len(events) async for events in client.watch(CONFIG_MAP, Selection(), "3")]

    assert handed == [2, 2, 1]


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"ADDED","object":OBJECT}',
        '{"type":"MODIFIED","object":OBJECT}',
        '{ "type" : "ADDED" , "object" : OBJECT }',
        '{"object":OBJECT,"type":"ADDED"}',
        '{"type":"ADDED","object":OBJECT,"more":{}}',
        '{"type":"ADDED","object":{},"object":OBJECT}',
        '{"type":"ADDED","object":OBJECT}\r',
    ],
)
async def test_an_event_is_read_in_whatever_order_its_fields_are(line: str) -> None:
    async with serving(streamed(line.replace("OBJECT", OBJECT))) as api, client_of(api) as client:
        events = await heard(client.watch(CONFIG_MAP, Selection(), "3"))

    assert [each.obj.metadata.name for each in events if isinstance(each, Seen)] == ["a"]


@pytest.mark.parametrize("line", ['{"type":"ADDED","object":OBJECTx', '{"type":"ADDED","object":OBJECT', "", "[]"])
async def test_what_was_told_before_an_unreadable_event_is_heard(line: str) -> None:
    told: Events = []
    before = '{"type":"ADDED","object":' + OBJECT + "}"
    lines = (before, line.replace("OBJECT", OBJECT))
    async with serving(streamed(*lines)) as api, client_of(api) as client:
        with pytest.raises(Unreachable):
            await hear(client.watch(CONFIG_MAP, Selection(), "3"), told)

    assert [type(each) for each in told] == [Seen]


async def test_an_error_in_a_watch_is_raised() -> None:
    error = '{"type":"ERROR","object":' + status(410, "Expired") + "}"
    async with serving(streamed(error)) as api, client_of(api) as client:
        with pytest.raises(Expired):
            await heard(client.watch(CONFIG_MAP, Selection(), "3"))


@pytest.mark.parametrize("line", ["{", "x" * 2000])
async def test_a_watch_that_cannot_be_read_is_given_up(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_LINE_BYTES", 1000)
    async with serving(streamed(line)) as api, client_of(api) as client:
        with pytest.raises(Unreachable):
            await heard(client.watch(CONFIG_MAP, Selection(), "3"))
