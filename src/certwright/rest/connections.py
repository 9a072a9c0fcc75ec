"""Connections of which none is left behind when they are closed."""

from __future__ import annotations

import asyncio
import contextlib
from functools import cached_property, partial
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection

_PATIENCE = 2.0


class Connector(aiohttp.TCPConnector):
    """Opens connections as its parent does, and knows each of them until it is lost.

    The parent forgets a connection whose request is cancelled. It would stay open until the peer has said its part at
    the end of TLS, which nobody waits for: the garbage collector would find it.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - as the parent has it
    ) -> Connection:
        """A connection for a request."""
        connection = await super().connect(req, traces, timeout)
        protocol, transport = connection.protocol, connection.transport
        if protocol is not None and transport is not None and protocol not in self._open:
            lost = protocol.closed
            if lost is not None:
                self._open[protocol] = transport
                lost.add_done_callback(partial(self._lost, protocol))
        return connection

    async def close(self, *, abort_ssl: bool = False) -> None:
        """End every connection: those in use and kept ones in good order where the peer does its part in time."""
        lost = [each for protocol in self._open if (each := protocol.closed) is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await super().close(abort_ssl=abort_ssl)
        for transport in self._open.values():
            # Python 3.11.2, which Debian 12 has, fails to abort a TLS transport that is closing already.
            with contextlib.suppress(AttributeError):
                transport.abort()
        if lost:
            await asyncio.wait(lost, timeout=_PATIENCE)

    def _lost(self, protocol: ResponseHandler, lost: asyncio.Future[None]) -> None:
        self._open.pop(protocol, None)
        if not lost.cancelled():
            # How it ended concerns nobody; a future whose exception is never looked at is logged with a traceback.
            lost.exception()

    @cached_property
    def _open(self) -> dict[ResponseHandler, asyncio.Transport]:
        return {}
