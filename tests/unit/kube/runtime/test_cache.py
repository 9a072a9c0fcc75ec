"""A cache over servers that end watches, lose their history, or know no WatchList."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from aiohttp import web
from tests.clock import MovableClock, settle
from tests.unit.kube.client.api import Answer, ScriptedApi, json_answer, serving, streamed

from certwright.api.core import ConfigMap
from certwright.api.core_kinds import CONFIG_MAP
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import Connection
from certwright.kube.client.reading import MOST_AT_ONCE
from certwright.kube.runtime.cache import Cache, Change, each
from certwright.kube.wire.keys import ObjectKey

LISTED = "k8s.io/initial-events-end"


def event(kind: str, name: str, version: int) -> str:
    metadata = {"name": name, "namespace": "n", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return json.dumps({"type": kind, "object": {"metadata": metadata, "data": {"v": str(version)}}})


def bookmark(version: int, *, ends: bool = False) -> str:
    metadata = {"resourceVersion": str(version), **({"annotations": {LISTED: "true"}} if ends else {})}
    return json.dumps({"type": "BOOKMARK", "object": {"metadata": metadata}})


def failure(code: int, reason: str) -> str:
    return json.dumps({"kind": "Status", "code": code, "reason": reason, "message": reason})


def page(version: int, *events: str, more: str = "") -> web.Response:
    items = [json.loads(each)["object"] for each in events]
    return json_answer(json.dumps({"metadata": {"resourceVersion": str(version), "continue": more}, "items": items}))


class Watched:
    """A cache that runs, and the changes that it told of."""

    def __init__(self, api: ScriptedApi) -> None:
        self.clock = MovableClock()
        self.client = KubeClient(Connection(server=api.url), self.clock)
        self.cache: Cache[str] = Cache(
            self.client,
            CONFIG_MAP,
            each(lambda found: found.data["v"]),
            clock=self.clock,
            indexes={"v": lambda v: (v,)},
        )
        self.changes: list[Change[str]] = []
        self.cache.subscribe(self.changes.append)

    def told(self) -> list[tuple[str, str | None, str | None]]:
        found = [(change.key.name, change.old, change.new) for change in self.changes]
        self.changes.clear()
        return found

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let sockets work, and time pass where something waits for it."""
        for _ in range(400):
            if holds():
                return
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
            await settle(10)
            self.clock.advance(timedelta(seconds=0.2))
        raise AssertionError(f"not yet; told: {self.told()}")


@asynccontextmanager
async def watching(*answers: Answer) -> AsyncIterator[tuple[Watched, ScriptedApi]]:
    async with serving(*answers) as api:
        watched = Watched(api)
        task = asyncio.ensure_future(watched.cache.run())
        try:
            yield watched, api
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await watched.client.close()


@pytest.fixture
async def open_end() -> AsyncIterator[asyncio.Event]:
    """Keeps the last watch of a test open."""
    end = asyncio.Event()
    yield end
    end.set()


async def test_a_watch_that_ends_goes_on_from_its_last_version(open_end: asyncio.Event) -> None:
    first = streamed(event("ADDED", "a", 3), event("ADDED", "b", 5), bookmark(7, ends=True), event("MODIFIED", "a", 8))
    second = streamed(event("DELETED", "b", 9), bookmark(20))
    third = streamed(then=open_end)
    async with watching(first, second, third) as (watched, api):
        await watched.until(lambda: len(api.requests) == 3)
        await watched.cache.synced()

        assert watched.told() == [("a", None, "3"), ("b", None, "5"), ("a", "3", "8"), ("b", "5", None)]
        assert [each.query.get("resourceVersion", "") for each in api.requests] == ["", "8", "20"]
        assert [each.query.get("sendInitialEvents") for each in api.requests] == ["true", None, None]
        assert watched.cache.get(ObjectKey("n", "a")) == "8"
        assert watched.cache.find("v", "8") == ("8",)
        assert list(watched.cache.values()) == ["8"]


async def test_an_expired_version_means_a_new_list_and_what_went_is_told(open_end: asyncio.Event) -> None:
    first = streamed(event("ADDED", "a", 3), event("ADDED", "b", 5), bookmark(7, ends=True))
    gone = streamed('{"type":"ERROR","object":' + failure(410, "Expired") + "}")
    again = streamed(event("ADDED", "b", 30), event("ADDED", "c", 31), bookmark(40, ends=True))
    async with watching(first, gone, again, streamed(then=open_end)) as (watched, api):
        await watched.until(lambda: len(api.requests) == 4)

        assert watched.told() == [
            ("a", None, "3"),
            ("b", None, "5"),
            ("b", "5", "30"),
            ("c", None, "31"),
            ("a", "3", None),
        ]
        assert [each.query.get("resourceVersion", "") for each in api.requests] == ["", "7", "", "40"]


@pytest.mark.parametrize("reason", ["Invalid", "BadRequest"])
async def test_a_server_without_watch_lists_is_listed_in_pages(reason: str, open_end: asyncio.Event) -> None:
    refused = json_answer(failure({"Invalid": 422, "BadRequest": 400}[reason], reason), 422)
    pages = (page(9, event("", "a", 3), more="t"), page(9, event("", "b", 5)))
    changes = streamed(event("MODIFIED", "b", 12), then=open_end)
    async with watching(refused, *pages, changes) as (watched, api):
        await watched.until(lambda: len(watched.changes) == 3)

        assert watched.told() == [("a", None, "3"), ("b", None, "5"), ("b", "5", "12")]
        assert [each.query.get("limit") for each in api.requests] == [None, "500", "500", None]
        assert api.last.query["resourceVersion"] == "9"


@pytest.mark.parametrize("is_listed", [True, False], ids=["a page", "a watch"])
async def test_others_have_their_turn_while_much_is_taken(open_end: asyncio.Event, is_listed: bool) -> None:
    events = [event("ADDED", f"o{number}", number + 1) for number in range(3 * MOST_AT_ONCE)]
    refused = json_answer(failure(422, "Invalid"), 422)
    watched_to = streamed("\n".join([*events, bookmark(999, ends=True)]), then=open_end)
    answers: tuple[Answer, ...] = (refused, page(999, *events), streamed(then=open_end)) if is_listed else (watched_to,)
    kept: list[int] = []

    def soon(change: Change[str]) -> None:
        asyncio.get_running_loop().call_soon(lambda: kept.append(len(watched.cache)))

    async with watching(*answers) as (watched, _):
        watched.cache.subscribe(soon)
        await watched.until(lambda: len(watched.changes) == 3 * MOST_AT_ONCE)

    assert kept[0] == MOST_AT_ONCE


async def test_a_server_that_ignores_the_option_is_listed_too(open_end: asyncio.Event) -> None:
    ignoring = streamed(event("ADDED", "a", 3), event("MODIFIED", "a", 4))
    async with watching(ignoring, page(9, event("", "a", 4)), streamed(then=open_end)) as (watched, api):
        await watched.until(lambda: len(api.requests) == 3)

        assert watched.told() == [("a", None, "3"), ("a", "3", "4")]
        assert api.last.query["resourceVersion"] == "9"


async def test_faults_of_the_server_are_waited_out_with_a_growing_pause(
    open_end: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    down = json_answer(failure(500, "InternalError"), 500)
    fine = streamed(event("ADDED", "a", 3), bookmark(7, ends=True), then=open_end)
    other = json_answer(failure(503, "ServiceUnavailable"), 503)
    async with watching(down, down, other, fine) as (watched, api):
        await watched.until(lambda: len(watched.changes) == 1)
        waited = watched.clock.monotonic()

        assert waited > 0.8 + 1.6 + 3.2
        assert len(api.requests) == 4
    said = [vars(each)["problem"] for each in caplog.records if each.levelno == logging.WARNING]
    assert said == ["InternalError", "ServiceUnavailable"]


async def test_a_restored_backup_is_taken_as_it_is(open_end: asyncio.Event) -> None:
    first = streamed(event("ADDED", "a", 300), event("ADDED", "b", 301), bookmark(310, ends=True))
    lost = json_answer(failure(410, "Expired"), 410)
    restored = streamed(event("ADDED", "a", 20), bookmark(30, ends=True))
    async with watching(first, lost, restored, restored, streamed(then=open_end)) as (watched, api):
        await watched.until(lambda: len(api.requests) == 5)

        assert watched.cache.get(ObjectKey("n", "a")) == "20"
        assert len(watched.cache) == 1


async def test_a_watch_that_is_refused_again_and_again_starts_over(open_end: asyncio.Event) -> None:
    first = streamed(event("ADDED", "a", 3), bookmark(7, ends=True))
    refused = json_answer(failure(504, "Timeout"), 504)
    again = streamed(event("ADDED", "a", 3), bookmark(9, ends=True), then=open_end)
    async with watching(first, refused, refused, refused, again) as (watched, api):
        await watched.until(lambda: len(api.requests) == 5)

        assert [each.query.get("resourceVersion", "") for each in api.requests] == ["", "7", "7", "7", ""]
        assert watched.told() == [("a", None, "3")]


async def test_an_object_that_cannot_be_read_stops_nobody(open_end: asyncio.Event) -> None:
    odd = '{"type":"MODIFIED","object":{"metadata":{"name":"a","namespace":"n","resourceVersion":"8"},"data":1}}'
    lines = (event("ADDED", "a", 3), bookmark(7, ends=True), odd, event("ADDED", "b", 9))
    async with watching(streamed(*lines, then=open_end)) as (watched, _):
        await watched.until(lambda: len(watched.changes) == 3)

        assert watched.told() == [("a", None, "3"), ("a", "3", None), ("b", None, "9")]


async def test_a_later_subscriber_hears_of_what_is_there(open_end: asyncio.Event) -> None:
    first = streamed(event("ADDED", "a", 3), bookmark(7, ends=True), then=open_end)
    async with watching(first) as (watched, _):
        await watched.until(lambda: len(watched.cache) == 1)
        heard: list[Change[str]] = []

        watched.cache.subscribe(heard.append)

        assert heard == [Change(ObjectKey("n", "a"), None, "3")]


async def test_our_own_writes_are_there_at_once(open_end: asyncio.Event) -> None:
    first = streamed(event("ADDED", "a", 3), bookmark(7, ends=True), then=open_end)
    async with watching(first) as (watched, _):
        await watched.until(lambda: len(watched.cache) == 1)
        answer: ConfigMap = CONFIG_MAP.read(json.dumps(json.loads(event("", "a", 8))["object"]).encode())

        watched.cache.remember(answer)
        assert watched.cache.get(ObjectKey("n", "a")) == "8"
        watched.cache.forget(ObjectKey("n", "a"), "uid-a")

        assert watched.told() == [("a", None, "3"), ("a", "3", "8"), ("a", "8", None)]
