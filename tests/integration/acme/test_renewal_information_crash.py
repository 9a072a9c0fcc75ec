"""A process that dies after any request of a renewal that its CA asked for: asked, written, ordered, stored."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.acme.advised import A_CHECK, HOUR, MINUTE, NAME, Advised, asking, moment
from tests.integration.acme.clock import LeapingClock
from tests.integration.acme.fuse import Fuse, fuse
from tests.integration.acme.objects import HTTP, Objects
from tests.integration.acme.world import World, own_world
from tests.kubernetes.eventually import eventually

from certwright.acme.protocol.messages import Window
from certwright.acme.server.options import OrderOptions
from certwright.pki.certificate import parse_certificate

__all__ = ["fuse"]

NEW_ORDER, ASKED = "POST authorize_order", "GET get_renewal_info"
# A life without a death makes about thirty requests.
MOMENTS = 36
SAMPLE = range(1, MOMENTS, 5)


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
async def world(clock: LeapingClock) -> AsyncIterator[World]:
    async with own_world(clock=clock, orders=OrderOptions(reuses_authorizations=True)) as found:
        yield found


@pytest.fixture
async def web(cluster: Cluster, world: World, clock: LeapingClock, objects: Objects) -> Advised:
    """It is issued, its CA was asked, and wants it renewed by the next time."""
    found = Advised(objects)
    async with asking(cluster, world, clock):
        await objects.issuer(world, HTTP)
        await objects.certificate("web", NAME)
        await found.advised()
        await found.issued()
        await objects.none_left("challenges")
    assert world.server is not None
    start = clock.now() + 2 * HOUR
    world.server.advise_renewal(await found.name(), Window(start, start + HOUR))
    clock.leap(A_CHECK)
    return found


async def _live(cluster: Cluster, world: World, clock: LeapingClock, fuse: Fuse, web: Advised) -> None:
    """Until the fuse blows, or the renewal is over and the CA was asked about what came of it."""

    async def over() -> bool:
        if fuse.is_dead:
            return True
        status = await web.status()
        return status["revision"] == 2 and len(status["conditions"]) == 1 and "acme" in status

    async with asking(cluster, world, clock):
        await eventually(over)


async def _dies_at(blow_at: int, world: World, clock: LeapingClock, fuse: Fuse, line: tuple[Cluster, Advised]) -> None:
    cluster, web = line
    old = await web.name()
    fuse.renew(blow_at=blow_at)
    await _live(cluster, world, clock, fuse, web)
    first_life = fuse.answered

    fuse.renew()
    async with asking(cluster, world, clock):
        await web.issued(2)
        ari = await web.advised()
        order = await web.order(2)
        clock.leap(5 * HOUR)
        status = await web.issued(2)

    leaf = parse_certificate(await web.chain())
    assert order["spec"]["replaces"] == old != await web.name()
    assert moment(status["notAfter"]) == leaf.not_after
    assert moment(ari["suggestedWindow"]["start"]) > leaf.not_before + 40 * 24 * HOUR
    assert moment(status["renewalTime"]) >= moment(ari["suggestedWindow"]["start"]) - MINUTE
    asked = [*first_life, *fuse.answered].count(NEW_ORDER)
    died_in_the_window = first_life[-1] == NEW_ORDER and len(first_life) == blow_at
    assert asked == 1 + died_in_the_window, first_life


@pytest.mark.parametrize("blow_at", SAMPLE)
async def test_death_after_a_request(
    blow_at: int, cluster: Cluster, world: World, clock: LeapingClock, fuse: Fuse, web: Advised
) -> None:
    await _dies_at(blow_at, world, clock, fuse, (cluster, web))


@pytest.mark.long
@pytest.mark.parametrize("blow_at", sorted(set(range(1, MOMENTS)) - set(SAMPLE)))
async def test_death_after_any_request(
    blow_at: int, cluster: Cluster, world: World, clock: LeapingClock, fuse: Fuse, web: Advised
) -> None:
    await _dies_at(blow_at, world, clock, fuse, (cluster, web))


async def test_the_moments_cover_a_whole_life(
    cluster: Cluster, world: World, clock: LeapingClock, fuse: Fuse, web: Advised
) -> None:
    fuse.renew()

    await _live(cluster, world, clock, fuse, web)

    assert fuse.answered.count(ASKED) == 3, "the directory, and about the old one and the new one"
    assert MOMENTS - 15 < len(fuse.answered) < MOMENTS, fuse.answered
