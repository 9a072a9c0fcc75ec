from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from certwright.pki.authority import issue_server, new_authority
from certwright.rest.connections import Connector

MADE = datetime(2025, 1, 1, tzinfo=UTC)


class Peer:
    """Accepts one connection, and says nothing on it once `greet` has returned, not even at its end."""

    def __init__(self, greet: Callable[[socket.socket], socket.socket]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._greet = greet
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.silent = threading.Event()
        self._thread.start()

    def _serve(self) -> None:
        accepted, _ = self._listener.accept()
        with self._greet(accepted):
            self.silent.set()
            self._ended.wait()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def server_side(tmp_path: Path) -> ssl.SSLContext:
    pair = issue_server(new_authority("root", MADE), ["here.test"], [], MADE, timedelta(days=36500))
    (tmp_path / "pair.pem").write_bytes(pair.cert_pem + pair.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    return context


@pytest.fixture(params=["in the handshake", "under way"])
def peer(request: pytest.FixtureRequest, server_side: ssl.SSLContext) -> Iterator[Peer]:
    def hears_a_request(accepted: socket.socket) -> socket.socket:
        secured = server_side.wrap_socket(accepted, server_side=True)
        secured.recv(1000)
        return secured

    found = Peer(hears_a_request if request.param == "under way" else lambda accepted: accepted)
    yield found
    found.end()


def test_a_request_that_is_cancelled_leaves_nothing_behind(peer: Peer) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(ask_and_stop(peer))
        gc.collect()

    assert [str(each.message) for each in told] == []


def test_a_watch_that_is_closed_while_the_peer_talks_on_is_no_fault(server_side: ssl.SSLContext) -> None:
    pause = threading.Event()

    def talks_on(accepted: socket.socket) -> socket.socket:
        secured = server_side.wrap_socket(accepted, server_side=True)
        secured.recv(1000)
        secured.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while not pause.wait(0.001):
                secured.sendall(b"4\r\nmore\r\n")
        return secured

    peer = Peer(talks_on)
    told: list[str] = []

    async def watch_and_close() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        async with aiohttp.ClientSession(connector=Connector()) as session:
            async with session.get(peer.url, ssl=trusting()) as watch:
                await watch.content.read(4)
                watch.close()
            await asyncio.to_thread(peer.silent.wait)
        gc.collect()

    asyncio.run(watch_and_close())
    gc.collect()
    peer.end()

    assert told == []


def trusting() -> ssl.SSLContext:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    return trust


async def ask_and_stop(peer: Peer) -> None:
    async with aiohttp.ClientSession(connector=Connector()) as session:
        asking = asyncio.ensure_future(session.get(peer.url, ssl=trusting()))
        await asyncio.to_thread(peer.silent.wait)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
