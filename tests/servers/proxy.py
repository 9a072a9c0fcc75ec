"""A tiny HTTP proxy: CONNECT tunnels and plain requests, all of which end at one port of loopback."""

from __future__ import annotations

import asyncio
import contextlib


class Proxy:
    """Remembers what it was asked for; with `credentials` (user:password in base64) others are refused."""

    def __init__(self, target_port: int, credentials: str = "") -> None:
        self.asked: list[str] = []
        self.port = 0
        self._target_port = target_port
        self._credentials = credentials
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """What goes into HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)
        await self._server.wait_closed()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tunnels.add(tunnel)
        tunnel.add_done_callback(self._tunnels.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, asked, _ = head.split(b"\r\n")[0].decode().split(" ")
            self.asked.append(f"{method} {asked}")
            if (
                self._credentials
                and f"proxy-authorization: basic {self._credentials}".lower() not in head.decode().lower()
            ):
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                onward_writer.write(head)
            await asyncio.gather(_pass_on(reader, onward_writer), _pass_on(onward_reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()
