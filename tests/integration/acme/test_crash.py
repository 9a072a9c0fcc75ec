"""A process that dies after any of its requests leaves nothing that the next one cannot finish."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.fuse import Fuse, fuse
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import CLOUDFLARE, Objects
from tests.integration.acme.test_issuance import assert_for, txt_is_gone
from tests.integration.acme.world import World, own_world
from tests.kubernetes.eventually import eventually

from certwright.acme.server.records import AccountRecord
from certwright.acme.server.store import Store

__all__ = ["fuse"]

NEW_ORDER = "POST authorize_order"
# A life without a death makes about sixty requests.
MOMENTS = 72
SAMPLE = range(1, MOMENTS, 7)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with own_world(clock=FastClock(SPEED), state_file=tmp_path / "ca.sqlite") as found:
        yield found


async def accounts(world: World, folder: Path) -> int:
    """How many accounts the CA has; it ends, since it shares its state with nobody."""
    assert world.server is not None
    await world.server.stop()
    store = Store(folder / "ca.sqlite")
    found = len(store.all(AccountRecord))
    store.close()
    return found


async def _live_and_die(cluster: Cluster, world: World, fuse: Fuse, objects: Objects) -> None:
    """The first process: it lives until the fuse blows or all is done."""

    async def over() -> bool:
        if fuse.is_dead:
            return True
        found = await objects.get("certificaterequests", "web-1")
        ready = [each for each in found.get("status", {}).get("conditions", []) if each["reason"] == "Issued"]
        return bool(ready) and not await objects.all("challenges")

    async with machinery(cluster, world, FastClock(SPEED)):
        await eventually(over)


async def _dies_at(moment: int, cluster: Cluster, world: World, fuse: Fuse, objects: Objects) -> None:
    await objects.cloudflare_token()
    await objects.issuer(world, CLOUDFLARE)
    key = await objects.request("web-1", "web.bench.test", "*.web.bench.test")
    fuse.renew(blow_at=moment)
    await _live_and_die(cluster, world, fuse, objects)
    first_life = fuse.answered

    fuse.renew()
    async with machinery(cluster, world, FastClock(SPEED)):
        chain = await objects.issued("web-1")
        await objects.none_left("challenges")

    assert_for(chain, key, "web.bench.test", "*.web.bench.test")
    assert txt_is_gone(world, "web.bench.test")
    asked = [*first_life, *fuse.answered].count(NEW_ORDER)
    died_in_the_window = first_life[-1] == NEW_ORDER and len(first_life) == moment
    assert asked == 1 + died_in_the_window, first_life
    assert len(await objects.all("orders")) == 1


@pytest.mark.parametrize("moment", SAMPLE)
async def test_death_after_a_request(
    moment: int, cluster: Cluster, world: World, fuse: Fuse, objects: Objects, tmp_path: Path
) -> None:
    await _dies_at(moment, cluster, world, fuse, objects)

    assert await accounts(world, tmp_path) == 1


@pytest.mark.long
@pytest.mark.parametrize("moment", sorted(set(range(1, MOMENTS)) - set(SAMPLE)))
async def test_death_after_any_request(
    moment: int, cluster: Cluster, world: World, fuse: Fuse, objects: Objects, tmp_path: Path
) -> None:
    await _dies_at(moment, cluster, world, fuse, objects)

    assert await accounts(world, tmp_path) == 1


async def test_the_moments_cover_a_whole_life(cluster: Cluster, world: World, fuse: Fuse, objects: Objects) -> None:
    await objects.cloudflare_token()
    await objects.issuer(world, CLOUDFLARE)
    await objects.request("web-1", "web.bench.test", "*.web.bench.test")
    fuse.renew()

    await _live_and_die(cluster, world, fuse, objects)

    assert MOMENTS - 20 < len(fuse.answered) < MOMENTS
