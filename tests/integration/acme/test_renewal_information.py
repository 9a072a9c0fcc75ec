"""A CA says when it wants certificates renewed (RFC 9773): our own CA, which runs on the clock of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from tests.cluster import Cluster
from tests.integration.acme.advised import A_CHECK, HOUR, MINUTE, NAME, Advised, asking, moment
from tests.integration.acme.clock import LeapingClock
from tests.integration.acme.machinery import USER_AGENT, machinery
from tests.integration.acme.objects import HTTP, Objects
from tests.integration.acme.world import World, own_world
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually

from certwright.acme.protocol.messages import Window
from certwright.acme.server.options import AcmeServerOptions, OrderOptions, ValidationOptions
from certwright.acme.server.server import AcmeServer

STATUS = Write("patch", "certificates.cert-manager.io/status")
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
async def world(clock: LeapingClock) -> AsyncIterator[World]:
    async with own_world(clock=clock) as found:
        yield found


@pytest.fixture
def web(objects: Objects) -> Advised:
    return Advised(objects)


async def suggest(world: World, web: Advised, start: datetime, end: datetime) -> None:
    assert world.server is not None
    world.server.advise_renewal(await web.name(), Window(start, end))


async def test_the_renewal_is_when_the_ca_says_also_after_a_restart(
    cluster: Cluster, world: World, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    async with asking(cluster, world, clock) as found:
        await objects.issuer(world, HTTP)
        await objects.certificate("web", NAME)
        ari = await web.advised()
        first = await web.issued()
        assert found.sent("GET", "get_renewal_info") == 1
    async with asking(cluster, world, clock) as found:
        clock.leap(5 * HOUR)
        await found.rest()
        again = await web.status()

    window = ari["suggestedWindow"]
    assert moment(window["start"]) <= moment(first["renewalTime"]) < moment(window["end"])
    assert 6 * HOUR <= moment(ari["nextCheck"]) - moment(ari["lastChecked"]) <= 6.6 * HOUR
    assert again == first
    assert found.sent("GET", "get_renewal_info") == 0


async def test_a_ca_that_is_in_a_hurry_is_followed_at_the_next_check(
    cluster: Cluster, world: World, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    async with asking(cluster, world, clock):
        await objects.issuer(world, HTTP)
        await objects.certificate("web", NAME)
        await web.advised()
        old, soon = await web.name(), clock.now() + DAY
        await suggest(world, web, soon, soon + HOUR)

        clock.leap(A_CHECK)
        told = await web.advised(since=clock.now() - MINUTE)
        status = await web.status()
        assert soon - timedelta(seconds=1) <= moment(status["renewalTime"]) < soon + HOUR
        assert moment(told["suggestedWindow"]["start"]) <= soon
        assert status["revision"] == 1

        clock.leap(soon + HOUR - clock.now())
        await web.issued(2)
        fresh = await web.advised()
        order = await web.order(2)

    assert order["spec"]["replaces"] == old
    assert await web.name() != old
    assert moment(fresh["suggestedWindow"]["start"]) > soon + 30 * DAY


async def test_nobody_is_asked_sooner_than_the_ca_wants(
    cluster: Cluster, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    orders = OrderOptions(renewal_retry_after=20 * HOUR)
    async with own_world(clock=clock, orders=orders) as world, asking(cluster, world, clock) as found:
        await objects.issuer(world, HTTP)
        await objects.certificate("web", NAME)
        first = await web.advised()
        await web.issued()
        wait = moment(first["nextCheck"]) - moment(first["lastChecked"])

        clock.leap(wait - HOUR)
        await objects.patch("certificates", "web", {"spec": {"revisionHistoryLimit": 2}})
        await eventually(lambda: observed(objects, 2))
        assert found.sent("GET", "get_renewal_info") == 1
        clock.leap(HOUR)
        await web.advised(since=clock.now() - HOUR)

    assert 20 * HOUR <= wait <= 22 * HOUR
    assert found.sent("GET", "get_renewal_info") == 2


async def observed(objects: Objects, generation: int) -> bool:
    conditions = (await objects.get("certificates", "web"))["status"]["conditions"]
    return any(each["type"] == "Ready" and each.get("observedGeneration") == generation for each in conditions)


async def test_what_is_settled_writes_nothing_for_an_hour_and_once_when_it_has_asked(
    cluster: Cluster, world: World, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    agent = f"{USER_AGENT}/{cluster.namespace}"
    async with asking(cluster, world, clock) as found:
        await objects.issuer(world, HTTP)
        await objects.certificate("web", NAME)
        await web.advised()
        await web.issued()
        await objects.none_left("challenges")
        await found.rest()
        before = cluster.writes(agent)

        clock.leap(HOUR)
        await found.rest()
        assert cluster.writes(agent) == before
        clock.leap(A_CHECK)
        await web.advised(since=clock.now() - MINUTE)
        await found.rest()
        after = cluster.writes(agent)

    assert after - before == {STATUS: 1}


async def test_a_ca_without_renewal_information_is_not_followed_any_more(
    cluster: Cluster, world: World, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    orders = OrderOptions(suggests_renewals=False)
    async with own_world(clock=clock, orders=orders) as silent, asking(cluster, world, clock) as found:
        await objects.issuer(world, HTTP, skipTLSVerify=True)
        await objects.certificate("web", NAME)
        await web.advised()
        await web.issued()

        await objects.patch("issuers", "acme", {"spec": {"acme": {"server": silent.directory}}})
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")
        clock.leap(A_CHECK)
        status = await web.unadvised()
        asked = found.sent("GET", "get_renewal_info")
        await found.rest()
        clock.leap(2 * A_CHECK)
        await found.rest()

    life = moment(status["notAfter"]) - moment(status["notBefore"])
    usual = moment(status["notAfter"]) - life / 3
    assert usual - HOUR <= moment(status["renewalTime"]) <= usual
    assert found.sent("GET", "get_renewal_info") == asked, "it is asked for its directory alone, and once"
    assert "ARIError" not in [reason for reason, _ in await objects.events("Certificate")]


async def test_another_issuer_is_neither_asked_nor_told_of_the_certificate(
    cluster: Cluster, world: World, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    async with trusting_ca(clock) as directory, asking(cluster, world, clock) as found:
        await objects.issuer(world, HTTP)
        await objects.issuer(world, HTTP, name="other", server=directory, skipTLSVerify=True)
        await objects.certificate("web", NAME)
        await web.advised()
        await web.issued()
        asked = len(found.to_ca)

        await objects.patch("certificates", "web", {"spec": {"issuerRef": {"name": "other"}}})
        await web.issued(2)
        order = await web.order(2)
        await web.advised()

    questions = [each for each in found.to_ca[asked:] if each.action == "get_renewal_info" and each.status == 200]
    assert "replaces" not in order["spec"]
    assert {each.host for each in questions} == {directory.split("/")[2]}


@asynccontextmanager
async def trusting_ca(clock: LeapingClock) -> AsyncIterator[str]:
    """The directory of another CA, which believes whoever asks."""
    server = AcmeServer(AcmeServerOptions(validation=ValidationOptions(is_skipped=True)), clock)
    await server.start()
    try:
        yield server.directory_url
    finally:
        await server.stop()


async def test_with_the_gate_off_nobody_asks_and_what_was_said_stays(
    cluster: Cluster, world: World, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    async with asking(cluster, world, clock):
        await objects.issuer(world, HTTP)
        await objects.certificate("web", NAME)
        ari = await web.advised()
        await web.issued()

    async with machinery(cluster, world, clock) as found:
        clock.leap(A_CHECK)
        await objects.patch("certificates", "web", {"spec": {"dnsNames": [NAME, "www.example.test"]}})
        await web.issued(2)
        order = await web.order(2)
        status = await web.status()

    assert status["acme"]["ari"] == ari
    assert "replaces" not in order["spec"]
    assert not found.sent("GET", "get_renewal_info")


@pytest.mark.parametrize("source", ["ARI", "None"])
async def test_an_issuer_may_say_that_its_ca_is_not_followed(
    source: str, cluster: Cluster, world: World, clock: LeapingClock, objects: Objects, web: Advised
) -> None:
    async with asking(cluster, world, clock) as found:
        await objects.issuer(world, HTTP, renewalInformationSource=source)
        await objects.certificate("web", NAME)
        await web.issued()
        if source == "ARI":
            await web.advised()
        await found.rest()

    assert found.sent("GET", "get_renewal_info") == (source == "ARI")
    assert bool(await web.ari()) == (source == "ARI")
