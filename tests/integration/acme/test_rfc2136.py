"""DNS-01 by dynamic updates, with real counterparts: BIND and Pebble."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster import Cluster
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import Json, Objects
from tests.integration.acme.test_issuance import assert_for
from tests.integration.acme.world import pebble_world
from tests.servers.bind import Bind
from tests.servers.pebble import PebbleOptions

pytestmark = pytest.mark.needs("bind9", "pebble")

MANY = 12


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Bind]:
    folder = tmp_path / "bind"
    folder.mkdir()
    server = Bind(folder, ["bench.test."])
    server.start()
    yield server
    server.stop()


async def test_many_at_once(cluster: Cluster, bind: Bind, objects: Objects, tmp_path: Path) -> None:
    key = bind.key("HMACSHA256")
    await objects.secret("tsig", k=key.secret)
    solver: Json = {
        "dns01": {
            "rfc2136": {
                "nameserver": bind.address,
                "tsigKeyName": key.name,
                "tsigAlgorithm": "HMACSHA256",
                "tsigSecretSecretRef": {"name": "tsig", "key": "k"},
            }
        }
    }
    names = [(f"w{number}.bench.test", f"*.w{number}.bench.test") for number in range(MANY)]

    async with (
        pebble_world(tmp_path, PebbleOptions(), bind.address) as world,
        machinery(cluster, world),
    ):
        await objects.issuer(world, solver)
        keys = [await objects.request(f"web-{number}", *each) for number, each in enumerate(names)]
        chains = [await objects.issued(f"web-{number}") for number in range(MANY)]
        await objects.none_left("challenges")

    for made, chain, each in zip(keys, chains, names, strict=True):
        assert_for(chain, made, *each)
    left = await asyncio.gather(*(asyncio.to_thread(bind.texts, f"_acme-challenge.{base}.") for base, _ in names))
    assert not any(left)
