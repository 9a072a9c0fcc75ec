"""A tiny HTTP server whose answers the test writes, in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from certwright.clock import Clock, SystemClock
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.connection import Connection

OBJECT = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","uid":"u"},"data":{"x":"y"}}'
Answer = web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScriptedApi:
    """Gives its answers one after the other, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.asked = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        self.asked.set()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, web.Response):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        assert callable(answer)
        return await answer(request)

    @property
    def last(self) -> web.Request:
        return self.requests[-1]


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[ScriptedApi]:
    """The API, listening on loopback."""
    api = ScriptedApi(*answers)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.answer)
    async with TestServer(app) as server:
        api.url = str(server.make_url("")).rstrip("/")
        yield api


def json_answer(body: str | bytes, status: int = 200, **headers: str) -> web.Response:
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, body=raw, headers={"Content-Type": "application/json", **named})


def hang_up(request: web.Request) -> Awaitable[web.StreamResponse]:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return _never()


async def _never() -> web.StreamResponse:
    raise ConnectionResetError


def streamed(*lines: str, then: asyncio.Event | None = None) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A watch that says these lines, and ends (once `then` is set)."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for line in lines:
            await response.write(line.encode() + b"\n")
        if then is not None:
            await then.wait()
        return response

    return answer


@asynccontextmanager
async def client_of(
    api: ScriptedApi, clock: Clock | None = None, options: ClientOptions | None = None, **connection: object
) -> AsyncIterator[KubeClient]:
    """A client of the API."""
    made = Connection(server=api.url, **connection)  # type: ignore[arg-type] # fields by name
    client = KubeClient(made, clock or SystemClock(), options or ClientOptions(user_agent="test/1"))
    try:
        yield client
    finally:
        await client.close()


def status(code: int, reason: str, message: str = "no") -> str:
    """A refusal."""
    return json.dumps({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message})
