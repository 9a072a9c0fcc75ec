"""The name of the record, where CNAMEs lead it, and the zone that holds it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

import dns.rcode
import pytest
from tests.clock import MovableClock
from tests.servers.dns import WatchedDns, served

from certwright.rest import Transport
from certwright.solvers.dns01.client import DnsClient, DnsFailure, DnsOptions
from certwright.solvers.dns01.zones import MOST_HOPS, MOST_ZONES, CnameStrategy, Zones, challenge_name

NAME = "_acme-challenge.www.zone.test."


@pytest.fixture
async def server() -> AsyncIterator[WatchedDns]:
    found = WatchedDns(["zone.test.", "inner.zone.test.", "alias.test."])
    async with served(found):
        yield found


@pytest.fixture
def zones(server: WatchedDns, transport: Transport, clock: MovableClock) -> Zones:
    return Zones(DnsClient(transport, DnsOptions(recursive_nameservers=(server.address,))), clock)


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("example.com", "_acme-challenge.example.com."),
        ("*.example.com", "_acme-challenge.example.com."),
        ("WWW.Example.com.", "_acme-challenge.www.example.com."),
    ],
)
def test_the_name_of_the_record(identifier: str, name: str) -> None:
    assert challenge_name(identifier) == name


async def test_no_cname_is_asked_for_where_none_is_followed(server: WatchedDns, zones: Zones) -> None:
    server.add(NAME, "CNAME", "x.alias.test.")

    assert await zones.target(NAME, CnameStrategy.NONE) == NAME
    assert not server.asked


async def test_following_goes_to_the_end(server: WatchedDns, zones: Zones) -> None:
    server.add(NAME, "CNAME", "one.alias.test.")
    server.add("one.alias.test.", "CNAME", "Two.alias.test.")

    assert await zones.target(NAME, CnameStrategy.FOLLOW) == "two.alias.test."


async def test_one_hop_is_one_hop(server: WatchedDns, zones: Zones) -> None:
    server.add(NAME, "CNAME", "one.alias.test.")
    server.add("one.alias.test.", "CNAME", "two.alias.test.")

    assert await zones.target(NAME, CnameStrategy.ONE_HOP) == "one.alias.test."


@pytest.mark.parametrize("strategy", CnameStrategy)
async def test_without_a_cname_the_name_stays(zones: Zones, strategy: CnameStrategy) -> None:
    assert await zones.target(NAME, strategy) == NAME


async def test_a_loop_is_told(server: WatchedDns, zones: Zones) -> None:
    server.add(NAME, "CNAME", "one.alias.test.")
    server.add("one.alias.test.", "CNAME", NAME)

    with pytest.raises(DnsFailure, match=r"are a loop: .* -> one\.alias\.test\. -> _acme-challenge"):
        await zones.target(NAME, CnameStrategy.FOLLOW)


async def test_a_chain_that_is_too_long_is_told(server: WatchedDns, zones: Zones) -> None:
    names = [f"hop{number}.alias.test." for number in range(MOST_HOPS + 2)]
    for name, target in itertools.pairwise(names):
        server.add(name, "CNAME", target)

    with pytest.raises(DnsFailure, match=f"more than {MOST_HOPS} CNAMEs"):
        await zones.target(names[0], CnameStrategy.FOLLOW)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("_acme-challenge.zone.test.", "zone.test."),
        ("_acme-challenge.a.b.c.zone.test.", "zone.test."),
        ("_acme-challenge.inner.zone.test.", "inner.zone.test."),
        ("zone.test.", "zone.test."),
        ("_ACME-challenge.ZONE.test.", "zone.test."),
    ],
)
async def test_the_zone_is_the_closest_above(zones: Zones, name: str, zone: str) -> None:
    assert await zones.zone(name) == zone


async def test_a_cname_at_the_name_does_not_lead_to_the_zone_of_its_target(server: WatchedDns, zones: Zones) -> None:
    server.add(NAME, "CNAME", "x.alias.test.")

    assert await zones.zone(NAME) == "zone.test."


async def test_an_unknown_zone_is_told(server: WatchedDns, zones: Zones) -> None:
    server.failing["_acme-challenge.lost.zone.test."] = dns.rcode.REFUSED

    with pytest.raises(DnsFailure, match=r"REFUSED for SOA of _acme-challenge\.lost\.zone\.test\."):
        await zones.zone("_acme-challenge.lost.zone.test.")


@pytest.mark.parametrize("name", ["a..b.", "x" * 64 + ".test."])
async def test_what_is_no_name_is_told(zones: Zones, name: str) -> None:
    with pytest.raises(DnsFailure, match="is no DNS name"):
        await zones.zone(name)


async def test_a_zone_is_kept_as_long_as_its_soa_says(server: WatchedDns, zones: Zones, clock: MovableClock) -> None:
    await zones.zone("zone.test.")

    clock.advance(timedelta(seconds=59))
    await zones.zone("zone.test.")
    assert server.asked["zone.test.", "SOA"] == 1

    clock.advance(timedelta(seconds=1))
    await zones.zone("zone.test.")
    assert server.asked["zone.test.", "SOA"] == 2


async def test_no_more_zones_are_kept_than_are_allowed(server: WatchedDns, zones: Zones) -> None:
    for number in range(MOST_ZONES + 1):
        await zones.zone(f"n{number}.zone.test.")

    await zones.zone(f"n{MOST_ZONES}.zone.test.")
    await zones.zone("n0.zone.test.")

    assert server.asked[f"n{MOST_ZONES}.zone.test.", "SOA"] == 1
    assert server.asked["n0.zone.test.", "SOA"] == 2
