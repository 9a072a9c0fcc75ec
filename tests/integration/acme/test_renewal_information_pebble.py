"""The same with Pebble, which judges what we make of RFC 9773."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from tests.cluster import Cluster
from tests.integration.acme.advised import A_CHECK, HOUR, MINUTE, NAME, Advised, asking, moment, text_of
from tests.integration.acme.clock import LeapingClock
from tests.integration.acme.machinery import Machinery
from tests.integration.acme.objects import HTTP, Objects
from tests.integration.acme.world import World, pebble_world
from tests.kubernetes.eventually import eventually
from tests.servers.pebble import Pebble, PebbleOptions

pytestmark = pytest.mark.needs("pebble")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    # It runs on the wall's clock: an authorization of its own would have expired, by the clock of the test.
    async with pebble_world(tmp_path, PebbleOptions(authorizations_reused=100)) as found:
        yield found


@pytest.fixture
def pebble(world: World) -> Pebble:
    assert world.pebble is not None
    return world.pebble


@pytest.fixture
async def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
async def running(cluster: Cluster, world: World, clock: LeapingClock) -> AsyncIterator[Machinery]:
    async with asking(cluster, world, clock) as found:
        yield found


@pytest.fixture
async def web(world: World, objects: Objects, running: Machinery) -> Advised:
    """It is issued, and its CA was asked."""
    await objects.issuer(world, HTTP)
    await objects.certificate("web", NAME)
    found = Advised(objects)
    await found.advised()
    await found.issued()
    return found


async def past_window(web: Advised) -> str:
    """An answer that says "now" once the certificate is older than an hour and a half."""
    begun = (await web.leaf()).not_valid_before_utc
    start, end = text_of(begun + 70 * MINUTE), text_of(begun + 80 * MINUTE)
    window = f'{{"start": "{start}", "end": "{end}"}}'
    return f'{{"suggestedWindow": {window}, "explanationURL": "https://ca.test/incident"}}'


async def test_what_it_suggests_by_itself_is_kept_to(web: Advised) -> None:
    status, ari = await web.status(), await web.ari()
    leaf = await web.leaf()

    start, end = (moment(ari["suggestedWindow"][name]) for name in ("start", "end"))
    assert start <= moment(status["renewalTime"]) < end
    assert start > leaf.not_valid_before_utc.astimezone(UTC)
    assert 6 * HOUR <= moment(ari["nextCheck"]) - moment(ari["lastChecked"]) <= 6.6 * HOUR


async def test_the_drill(web: Advised, pebble: Pebble, clock: LeapingClock) -> None:
    """As when a CA is about to revoke: its window moves into the past, and one check later all is renewed."""
    old = await web.name()
    pebble.suggest(await web.chain(), await past_window(web))

    clock.leap(A_CHECK)
    status = await web.issued(2)
    order = await web.order(2)
    fresh = await web.advised()

    assert order["spec"]["replaces"] == old
    assert order["status"]["state"] == "valid"
    assert "has been marked as replaced in the DB" in pebble.log()
    assert await web.name() != old
    assert "explanationURL" not in fresh
    # Pebble takes either of its profiles, the shorter of which lives for six days.
    assert moment(status["renewalTime"]) > clock.now() + timedelta(days=2)


async def test_a_backup_that_is_restored_was_replaced_already(
    web: Advised, pebble: Pebble, clock: LeapingClock, objects: Objects
) -> None:
    """The order names it, Pebble refuses that with alreadyReplaced, and the order is placed without it."""
    old, backup = await web.name(), (await objects.get("secrets", "web"))["data"]
    pebble.suggest(await web.chain(), await past_window(web))
    clock.leap(A_CHECK)
    await web.issued(2)

    await objects.patch("secrets", "web", {"data": backup})
    await web.issued(3)
    order = await web.order(3)

    assert order["spec"]["replaces"] == old
    assert order["status"]["state"] == "valid"


async def test_nonsense_is_told_once_and_what_was_said_before_holds(
    web: Advised, pebble: Pebble, clock: LeapingClock, objects: Objects, running: Machinery
) -> None:
    before = await web.status()
    pebble.suggest(await web.chain(), '{"suggestedWindow": "soon"}')

    clock.leap(A_CHECK)
    told = await web.advised(since=clock.now() - MINUTE)
    clock.leap(A_CHECK)
    again = await web.advised(since=clock.now() - MINUTE)
    await running.rest()
    events = [message for reason, message in await objects.events("Certificate") if reason == "ARIError"]
    status = await web.status()
    pebble.suggest(await web.chain(), "")
    clock.leap(A_CHECK)

    async def mended() -> bool:
        return "lastError" not in await web.ari()

    await eventually(mended)
    assert "renewalinfo" in told["lastError"]
    assert events == [told["lastError"]] == [again["lastError"]]
    assert told["suggestedWindow"] == before["acme"]["ari"]["suggestedWindow"]
    assert status["renewalTime"] == before["renewalTime"]
    assert status["revision"] == 1
