"""The shared responder: one HTTP server that answers all HTTP-01 challenges of this process."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple

from aiohttp import web
from msgspec import Struct

from certwright.errors import Retry
from certwright.solvers.http01.challenge import WELL_KNOWN

PORT = 8089
MOST_ANSWERS = 10_000
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "X-Content-Type-Options": "nosniff",
}


class Answer(NamedTuple):
    """A key authorization and where it is given: for that host (a name or IP address) and token only."""

    host: str
    token: str
    key: str


class ResponderOptions(Struct, frozen=True, kw_only=True):
    """Where the responder listens; an empty host is every address, IPv4 and IPv6, and port 0 a free port."""

    host: str = ""
    port: int = PORT


class Responder:
    """Holds answers in memory only: after a restart the challenge controller presents them again."""

    def __init__(self, options: ResponderOptions) -> None:
        self._options = options
        self._answers: dict[tuple[str, str], str] = {}
        self._runner: web.AppRunner | None = None
        self.port = options.port

    async def start(self) -> None:
        """Listen; `port` is then the real one."""
        app = web.Application()
        app.router.add_get("/", _alive)
        app.router.add_get("/healthz", _alive)
        app.router.add_get(WELL_KNOWN + "{token}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._options.host or None, self._options.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the sockets; the answers stay."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def serve(self, answer: Answer) -> None:
        """Give that answer from now on; again changes nothing. Retry where too many are given already."""
        place = (_bare(answer.host), answer.token)
        if len(self._answers) >= MOST_ANSWERS and place not in self._answers:
            raise Retry(f"the HTTP-01 responder gives {MOST_ANSWERS} answers already; it goes on as others are done")
        self._answers[place] = answer.key

    def withdraw(self, answer: Answer) -> None:
        """Give it no longer; a second time does nothing."""
        self._answers.pop((_bare(answer.host), answer.token), None)

    def __len__(self) -> int:
        return len(self._answers)

    async def _answer(self, request: web.Request) -> web.Response:
        key = self._answers.get((host_of(request.headers.get("Host", "")), request.match_info["token"]))
        if key is None:
            raise web.HTTPNotFound(text="no HTTP-01 challenge has this host and token\n")
        return web.Response(text=key, content_type="text/plain", headers=HEADERS)


async def _alive(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def host_of(header: str) -> str:
    """The host that a Host header names, without port and IPv6 brackets, in lower case."""
    host = header.strip()
    if host.startswith("["):
        return _bare(host[1:].partition("]")[0])
    return _bare(host.partition(":")[0] if host.count(":") == 1 else host)


def _bare(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")
