"""A watch between store and client: in pieces, in order, and only as long as somebody hears it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp import web
from tests.kubernetes.eventually import eventually
from tests.unit.apiserver.parts import Parts

from certwright.apiserver.http.accept import Form
from certwright.apiserver.http.render import Renderer
from certwright.apiserver.http.watching import LOOK_EVERY, Watch, Watches, WatchOptions
from certwright.apiserver.lifecycle.internal import make
from certwright.apiserver.watch.selection import Selection
from certwright.apiserver.watch.stream import A_PIECE, Stream
from certwright.kube.wire.json import JSONObject

FROM_THE_START = WatchOptions(sends_initial=True, sends_bookmarks=True, match="NotOlderThan")


class Named(msgspec.Struct):
    name: str = ""


class Object(msgspec.Struct):
    metadata: Named


class Event(msgspec.Struct):
    type: str
    object: Object


def put(parts: Parts, name: str, size: int = 1) -> None:
    body: JSONObject = {"metadata": {"name": name, "namespace": "default"}, "data": {"k": "x" * size}}
    make(parts.api, parts.configmaps, body)


def selection_of(parts: Parts) -> Selection:
    return Selection(parts.configmaps, parts.configmaps, "default")


def renderer_of(parts: Parts, form: Form) -> Renderer:
    return Renderer(parts.configmaps, parts.configmaps, form, "Metadata", parts.clock)


@asynccontextmanager
async def serving(parts: Parts, watches: Watches) -> AsyncIterator[str]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        watch = Watch(parts.api, selection_of(parts), renderer_of(parts, Form()), FROM_THE_START)
        return await watches.serve(request, watch, "application/json")

    runner = web.ServerRunner(web.Server(answer), handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        watches.end_all()
        await runner.cleanup()


async def events(response: aiohttp.ClientResponse, count: int) -> list[Event]:
    lines = [await asyncio.wait_for(response.content.readuntil(b"\n"), 60) for _ in range(count)]
    return [msgspec.json.decode(line, type=Event) for line in lines]


async def test_what_is_there_comes_first_and_then_what_happens(parts: Parts) -> None:
    size = A_PIECE // 2
    for number in range(5):
        put(parts, f"c{number}", size)

    async with (
        serving(parts, Watches()) as url,
        aiohttp.ClientSession(read_bufsize=size) as session,
        session.get(url) as response,
    ):
        put(parts, "later")
        found = await events(response, 7)

    assert [event.type for event in found] == ["ADDED"] * 5 + ["BOOKMARK", "ADDED"]
    assert [event.object.metadata.name for event in found] == ["c0", "c1", "c2", "c3", "c4", "", "later"]


async def test_the_first_row_of_all_names_the_columns(parts: Parts) -> None:
    put(parts, "a")
    put(parts, "b")
    store, plural = parts.api.store, parts.configmaps.resource.qualified
    stream = Stream(selection_of(parts), renderer_of(parts, Form(shape="table")).in_turn())
    stream.initial(store.list(plural, "default"))
    stop = store.listen(plural, stream.change)
    put(parts, "later")
    sent = b"".join([await stream.take() for _ in range(2)])
    stop()

    rows = [msgspec.json.decode(line)["object"]["columnDefinitions"] for line in sent.splitlines()]
    assert [columns is not None for columns in rows] == [True, False, False]


async def test_a_watch_ends_soon_after_its_client_has_gone(parts: Parts) -> None:
    put(parts, "a")
    watches = Watches()
    async with serving(parts, watches) as url:
        async with aiohttp.ClientSession() as session:
            response = await session.get(url)
            await events(response, 2)
            assert len(watches) == 1
            response.close()

        async def is_over() -> bool:
            parts.clock.advance(LOOK_EVERY)
            return len(watches) == 0

        await eventually(is_over)
