"""Whether a value is visible: at every authoritative nameserver, or at every recursive one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import dns.rcode
import pytest
from tests.clock import MovableClock
from tests.servers.dns import DohServer, WatchedDns, served

from certwright.rest import Transport
from certwright.solvers.base import NotYet, Propagated, Visibility
from certwright.solvers.dns01.client import DnsClient, DnsOptions
from certwright.solvers.dns01.propagation import Propagation
from certwright.solvers.dns01.zones import Zones

ZONE = "spread.test."
NAME = f"_acme-challenge.{ZONE}"
VALUE = "the-value-that-is-looked-for"
STALE = "a-value-of-last-year"


class Net:
    """A recursive server, and two nameservers of one zone."""

    def __init__(self, transport: Transport) -> None:
        self.recursive = WatchedDns([ZONE, "alias.test.", "hosts.test."])
        self.first = WatchedDns([ZONE, "alias.test."])
        self.second = WatchedDns([ZONE])
        self.recursive.add(ZONE, "NS", "second.hosts.test.")
        self.recursive.add("second.hosts.test.", "A", "127.0.0.2")
        self.recursive.add("alias.test.", "NS", "second.hosts.test.")
        self._transport = transport

    async def look(self, name: str = NAME, *, options: DnsOptions | None = None) -> Visibility:
        """One look, as a challenge has it."""
        client = DnsClient(self._transport, options or self.options())
        return await Propagation(client, Zones(client, MovableClock())).check(name, VALUE)

    def options(self) -> DnsOptions:
        """The nameservers by their host names, which stand for the addresses that they have here."""
        return DnsOptions(
            recursive_nameservers=(self.recursive.address,),
            authoritative_addresses={
                "ns1.spread.test": self.first.address,
                "ns1.alias.test": self.first.address,
                "second.hosts.test": self.second.address,
            },
            timeout=timedelta(milliseconds=200),
        )


@pytest.fixture
async def net(transport: Transport) -> AsyncIterator[Net]:
    found = Net(transport)
    async with served(found.recursive, found.first, found.second):
        yield found


def _say(visibility: Visibility) -> str:
    assert isinstance(visibility, NotYet)
    return visibility.reason


async def test_visible_where_every_nameserver_has_the_value(net: Net) -> None:
    for server in (net.first, net.second):
        server.add(NAME, "TXT", f'"{STALE}"')
        server.add(NAME, "TXT", f'"{VALUE}"')

    assert await net.look() == Propagated()
    assert not net.recursive.asked[NAME, "TXT"]
    assert net.first.recursion_desired == net.second.recursion_desired == {False}


async def test_the_nameserver_that_lacks_the_value_is_named(net: Net) -> None:
    net.first.add(NAME, "TXT", f'"{VALUE}"')
    net.second.add(NAME, "TXT", f'"{STALE}"')

    reason = _say(await net.look())

    assert reason == f"The TXT record {NAME} is not visible everywhere yet: second.hosts.test does not have the value"


async def test_no_value_stands_in_the_reason(net: Net) -> None:
    """What others wrote into a zone is no business of who reads the status."""
    net.first.add(NAME, "TXT", f'"{STALE}"')

    reason = _say(await net.look())

    assert VALUE not in reason
    assert STALE not in reason


async def test_a_part_of_a_value_is_not_the_value(net: Net) -> None:
    for server in (net.first, net.second):
        server.add(NAME, "TXT", f'"{VALUE}x"')

    assert isinstance(await net.look(), NotYet)


async def test_a_nameserver_that_fails_is_told_with_its_answer(net: Net) -> None:
    net.first.add(NAME, "TXT", f'"{VALUE}"')
    net.second.failing[NAME] = dns.rcode.REFUSED

    assert f"second.hosts.test: {net.second.address} answered REFUSED for TXT" in _say(await net.look())


async def test_a_silent_nameserver_is_given_up(net: Net) -> None:
    net.first.add(NAME, "TXT", f'"{VALUE}"')
    net.second.silent.add(NAME)

    assert "did not answer within 0.2 s" in _say(await net.look())


async def test_a_nameserver_without_an_address_is_named(net: Net) -> None:
    net.recursive.add(ZONE, "NS", "nowhere.hosts.test.")

    reason = _say(await net.look())

    assert "nameserver nowhere.hosts.test. has no address: it has neither A nor AAAA records" in reason


async def test_one_kind_of_address_is_enough(net: Net) -> None:
    """Resolvers that fail for AAAA are common; loopback has no server on port 53 here, and that is what is told."""
    net.recursive.add(ZONE, "NS", "half.hosts.test.")
    net.recursive.add("half.hosts.test.", "A", "127.0.0.3")
    failing = net.recursive.failing

    class OnlyAaaa(dict[str, dns.rcode.Rcode]):
        def __contains__(self, name: object) -> bool:
            return name == "half.hosts.test." and net.recursive.asked[str(name), "AAAA"] > 0

        def __getitem__(self, name: str) -> dns.rcode.Rcode:
            return dns.rcode.SERVFAIL

    net.recursive.failing = OnlyAaaa(failing)

    assert "127.0.0.3:53" in _say(await net.look())


async def test_cnames_are_followed_as_the_ca_does(net: Net) -> None:
    net.recursive.add(NAME, "CNAME", "moved.alias.test.")
    for server in (net.first, net.second):
        server.add("moved.alias.test.", "TXT", f'"{VALUE}"')

    assert "second.hosts.test" in _say(await net.look()), "the second server does not know the zone alias.test"
    net.recursive.remove("alias.test.", "NS", "second.hosts.test.")
    assert await net.look() == Propagated()


async def test_a_zone_that_is_not_found_is_a_reason_to_wait(net: Net) -> None:
    net.recursive.failing[NAME] = dns.rcode.SERVFAIL

    assert _say(await net.look()).startswith(f"The TXT record {NAME} could not be looked up: ")


async def test_recursive_servers_alone_are_asked_where_that_is_wanted(net: Net, transport: Transport) -> None:
    other = WatchedDns([ZONE])
    async with served(other):
        servers = (net.recursive.address, other.address)
        options = DnsOptions(recursive_nameservers=servers, recursive_only=True)
        net.recursive.add(NAME, "TXT", f'"{VALUE}"')

        assert f"{other.address} does not have the value" in _say(await net.look(options=options))

        other.add(NAME, "TXT", f'"{VALUE}"')
        assert await net.look(options=options) == Propagated()
    assert not net.first.asked


async def test_recursive_servers_over_https(net: Net, tmp_path: Path) -> None:
    doh = DohServer(tmp_path, net.recursive)
    net.recursive.add(NAME, "TXT", f'"{VALUE}"')
    async with doh.served():
        options = DnsOptions(recursive_nameservers=(doh.url,), recursive_only=True, ca_bundle=doh.ca)

        assert await net.look(options=options) == Propagated()
