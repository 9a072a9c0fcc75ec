"""Speaks HTTP to an API server with no client library between, so that a test sees exactly what any client sees."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

import aiohttp

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATIENCE = aiohttp.ClientTimeout(total=30)
LONGEST_LINE = 4 * 1024 * 1024


class Event(NamedTuple):
    """One line of a watch."""

    type: str
    object: Any


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is the decoded JSON, or the text where it is not JSON."""

    code: int
    headers: Mapping[str, str]
    body: Any
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> Any:
        """The body of an answer that must be a success."""
        assert self.code < 300, f"{self.code}: {self.body}"
        return self.body

    @property
    def version(self) -> str:
        """The resourceVersion of the object or list."""
        return str(self.ok["metadata"]["resourceVersion"])


class Watch:
    """An open watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self, seconds: float = 10) -> Event:
        """The next event; AssertionError where none comes in time or the stream has ended."""
        async with asyncio.timeout(seconds):
            line = await self._response.content.readline()
        assert line, "the watch has ended"
        event = json.loads(line)
        return Event(event["type"], event["object"])

    async def until(self, kind: str) -> list[Event]:
        """The events up to and including the first of that type."""
        events = [await self.next()]
        while events[-1].type != kind:
            events.append(await self.next())
        return events

    async def ended(self, seconds: float = 10) -> bool:
        """Whether the stream ends without another event."""
        async with asyncio.timeout(seconds):
            return await self._response.content.readline() == b""


class Http:
    """A caller of one API server; query parameters are keyword arguments (`fieldManager="me"`)."""

    def __init__(self, address: str, trust: ssl.SSLContext, headers: Mapping[str, str] | None = None) -> None:
        self.address = address
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust),
            headers=headers,
            timeout=PATIENCE,
            read_bufsize=LONGEST_LINE,
        )

    async def __aenter__(self) -> Http:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, verb: str, path: str, headers: Mapping[str, str] | None = None, **rest: Any) -> Answer:
        """Any request; `rest` is given to aiohttp."""
        async with self._session.request(verb, self.address + path, headers=headers, **rest) as response:
            text = await response.text()
            body = json.loads(text) if "json" in response.headers.get("Content-Type", "") else text
            return Answer(response.status, response.headers, body, tuple(response.headers.getall("Warning", [])))

    async def get(self, path: str, accept: str = "application/json", **params: str) -> Answer:
        """GET."""
        return await self.call("GET", path, headers={"Accept": accept}, params=params)

    async def post(self, path: str, body: object, **params: str) -> Answer:
        """POST an object as JSON."""
        return await self.call("POST", path, json=body, params=params)

    async def put(self, path: str, body: object, **params: str) -> Answer:
        """PUT an object as JSON."""
        return await self.call("PUT", path, json=body, params=params)

    async def delete(self, path: str, body: object = None, **params: str) -> Answer:
        """DELETE, with DeleteOptions as body where given."""
        return await self.call("DELETE", path, json=body, params=params)

    async def patch(self, path: str, body: object, kind: str = MERGE_PATCH, **params: str) -> Answer:
        """PATCH of one of the four kinds; JSON is valid YAML, so apply patches are sent as JSON too."""
        headers = {"Content-Type": kind}
        return await self.call("PATCH", path, headers=headers, data=json.dumps(body), params=params)

    async def apply(self, path: str, body: object, manager: str = "me", **params: str) -> Answer:
        """Server-side apply."""
        return await self.patch(path, body, APPLY_PATCH, fieldManager=manager, **params)

    @asynccontextmanager
    async def stream(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a GET as it comes over the wire: what is compressed stays so."""
        connector = self._session.connector
        async with (
            aiohttp.ClientSession(connector=connector, connector_owner=False, auto_decompress=False) as session,
            session.get(self.address + path, headers=headers) as response,
        ):
            yield response

    @asynccontextmanager
    async def watch(self, path: str, accept: str = "application/json", **params: str) -> AsyncIterator[Watch]:
        """An open watch, closed on leaving; the answer must be 200."""
        asked = {"watch": "1", **params}
        async with self._session.get(self.address + path, params=asked, headers={"Accept": accept}) as response:
            assert response.status == 200, await response.text()
            yield Watch(response)
