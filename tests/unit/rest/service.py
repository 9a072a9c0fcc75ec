"""A small server that answers as a test says, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Seen(Struct, frozen=True):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Service:
    """Listens on a free port of loopback; `answer` may be replaced."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.answer: Answer = self.nothing
        self.port = 0
        self._tls = tls
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0.1)
        self.released = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Service:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.released.set()
        await self._runner.cleanup()

    async def nothing(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({})

    async def hang(self, request: web.BaseRequest) -> web.StreamResponse:
        await self.released.wait()
        return web.json_response({})

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.method, request.path_qs, headers, await request.read()))
        return await self.answer(request)
