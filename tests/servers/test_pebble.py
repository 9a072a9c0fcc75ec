"""The rig's ACME CA answers as a public one does."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests import judges
from tests.servers.pebble import AcmeFront, Pebble


class FrontResolver(AbstractResolver):
    """Resolves every name to the front."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        return [found]

    async def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    judges.require("pebble")
    server = Pebble(tmp_path_factory.mktemp("pebble"))
    server.start()
    yield server
    server.stop()


async def test_the_front_bears_the_name_of_a_public_ca(pebble: Pebble, tmp_path: Path) -> None:
    front = AcmeFront(tmp_path, pebble)
    await front.start()
    connector = aiohttp.TCPConnector(
        ssl=ssl.create_default_context(cafile=front.ca), resolver=FrontResolver(front.port)
    )
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(f"https://{front.host}/directory") as answer:
            directory = await answer.json()
        async with session.head(directory["newNonce"]) as nonce:
            status, headers = nonce.status, nonce.headers
    await front.stop()

    assert directory["newOrder"] == f"https://{front.host}/order-plz"
    assert set(directory["meta"]["profiles"]) == {"default", "shortlived"}
    assert status == 200
    assert headers["Replay-Nonce"]


def test_the_root_of_issued_certificates_can_be_fetched(pebble: Pebble) -> None:
    assert pebble.root().startswith(b"-----BEGIN CERTIFICATE-----")


def test_records_can_be_set(pebble: Pebble) -> None:
    pebble.dns.set_txt("_acme-challenge.example.com.", "value")
    pebble.dns.set_cname("www.example.com.", "example.com.")

    pebble.dns.clear_txt("_acme-challenge.example.com.")
