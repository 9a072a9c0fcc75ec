"""Questions over UDP, TCP and HTTPS, and what comes of servers that do not answer well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import dns.message
import dns.rcode
import pytest
from tests.servers.dns import DohServer, WatchedDns, served

from certwright.rest import Transport
from certwright.solvers.dns01.client import (
    PUBLIC_RESOLVERS,
    DnsClient,
    DnsFailure,
    DnsOptions,
    system_nameservers,
    targets,
    texts,
)

ZONE = "client.test."
SOON = timedelta(milliseconds=100)


@pytest.fixture
async def server() -> AsyncIterator[WatchedDns]:
    found = WatchedDns([ZONE])
    async with served(found):
        yield found


@pytest.fixture
async def doh(tmp_path: Path, server: WatchedDns) -> AsyncIterator[DohServer]:
    found = DohServer(tmp_path, server)
    async with found.served():
        yield found


def _over_https(transport: Transport, doh: DohServer) -> DnsClient:
    return DnsClient(transport, DnsOptions(recursive_nameservers=(doh.url,), ca_bundle=doh.ca))


async def test_the_strings_of_a_value_are_one_text(server: WatchedDns, transport: Transport) -> None:
    server.add(f"a.{ZONE}", "TXT", '"one " "value"')

    answer = await DnsClient(transport, DnsOptions()).ask(server.address, f"a.{ZONE}", "TXT")

    assert texts(answer, f"A.{ZONE}") == {"one value"}


async def test_an_answer_too_large_for_udp_comes_by_tcp(server: WatchedDns, transport: Transport) -> None:
    for number in range(40):
        server.add(f"many.{ZONE}", "TXT", f'"{number:03}-{"x" * 40}"')

    answer = await DnsClient(transport, DnsOptions()).ask(server.address, f"many.{ZONE}", "TXT")

    assert len(texts(answer, f"many.{ZONE}")) == 40
    assert server.asked[f"many.{ZONE}", "TXT"] == 2


async def test_a_name_that_is_not_there_is_an_answer(server: WatchedDns, transport: Transport) -> None:
    answer = await DnsClient(transport, DnsOptions()).ask(server.address, f"none.{ZONE}", "TXT")

    assert answer.rcode() == dns.rcode.NXDOMAIN


async def test_recursion_is_asked_of_recursive_servers_only(server: WatchedDns, transport: Transport) -> None:
    client = DnsClient(transport, DnsOptions(recursive_nameservers=(server.address,)))

    await client.ask(server.address, ZONE, "SOA", recursion=False)
    assert server.recursion_desired == {False}
    await client.recursive(ZONE, "SOA")
    assert server.recursion_desired == {False, True}


async def test_the_next_nameserver_is_asked_where_one_fails(server: WatchedDns, transport: Transport) -> None:
    failing = WatchedDns([ZONE])
    failing.failing[ZONE] = dns.rcode.SERVFAIL
    async with served(failing):
        client = DnsClient(transport, DnsOptions(recursive_nameservers=(failing.address, server.address)))

        answer = await client.recursive(ZONE, "NS")

    assert targets(answer, ZONE, "NS") == [f"ns1.{ZONE}"]


async def test_every_reason_is_told_where_all_fail(server: WatchedDns, transport: Transport) -> None:
    server.failing[ZONE] = dns.rcode.SERVFAIL
    client = DnsClient(transport, DnsOptions(recursive_nameservers=(server.address, "127.0.0.1:0")))

    with pytest.raises(DnsFailure, match=r"SERVFAIL for NS of client\.test\.; 127\.0\.0\.1:0 could not be asked"):
        await client.recursive(ZONE, "NS")


async def test_no_nameserver_is_said_so(transport: Transport) -> None:
    with pytest.raises(DnsFailure, match="no recursive nameserver is configured"):
        await DnsClient(transport, DnsOptions(recursive_nameservers=())).recursive(ZONE, "NS")


async def test_a_silent_server_is_given_up(server: WatchedDns, transport: Transport) -> None:
    server.silent.add(ZONE)
    client = DnsClient(transport, DnsOptions(timeout=SOON))

    with pytest.raises(DnsFailure, match=r"did not answer within 0\.1 s"):
        await client.ask(server.address, ZONE, "SOA")


def test_servers_have_ten_seconds() -> None:
    assert DnsOptions().timeout == timedelta(seconds=10)


async def test_https_gives_the_same_answers(doh: DohServer, server: WatchedDns, transport: Transport) -> None:
    server.add(f"a.{ZONE}", "TXT", '"over https"')

    answer = await _over_https(transport, doh).recursive(f"a.{ZONE}", "TXT")

    assert texts(answer, f"a.{ZONE}") == {"over https"}


async def test_https_of_an_unknown_authority_is_no_answer(doh: DohServer, transport: Transport) -> None:
    client = DnsClient(transport, DnsOptions(recursive_nameservers=(doh.url,)))

    with pytest.raises(DnsFailure, match="certificate verify failed"):
        await client.recursive(ZONE, "SOA")


async def test_an_https_answer_to_another_question_is_refused(doh: DohServer, transport: Transport) -> None:
    doh.body = dns.message.make_response(dns.message.make_query("other.test.", "TXT")).to_wire()

    with pytest.raises(DnsFailure, match="another question"):
        await _over_https(transport, doh).recursive(ZONE, "SOA")


@pytest.mark.parametrize(("body", "said"), [(b"no dns", "could not be asked"), (bytes(200_000), "larger than 131072")])
async def test_an_https_body_that_is_no_answer(doh: DohServer, transport: Transport, body: bytes, said: str) -> None:
    doh.body = body

    with pytest.raises(DnsFailure, match=said):
        await _over_https(transport, doh).recursive(ZONE, "SOA")


async def test_an_https_failure_is_told_by_its_status(doh: DohServer, transport: Transport) -> None:
    doh.status = 503

    with pytest.raises(DnsFailure, match="503"):
        await _over_https(transport, doh).recursive(ZONE, "SOA")


async def test_a_forged_datagram_does_not_count(transport: Transport) -> None:
    """Another id, as a blind attacker would send: the question stays open until its time is over."""

    class Forger(asyncio.DatagramProtocol):
        def connection_made(self, made: asyncio.BaseTransport) -> None:
            self.made = made

        def datagram_received(self, data: bytes, address: object) -> None:
            query = dns.message.from_wire(data)
            query.id ^= 1
            self.made.sendto(dns.message.make_response(query).to_wire(), address)  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    made, _ = await loop.create_datagram_endpoint(Forger, ("127.0.0.1", 0))
    address = f"127.0.0.1:{made.get_extra_info('sockname')[1]}"

    with pytest.raises(DnsFailure):
        await DnsClient(transport, DnsOptions(timeout=SOON)).ask(address, ZONE, "SOA")

    made.close()


def test_the_nameservers_of_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# by hand\nsearch a.b\nnameserver 10.0.0.1\nnameserver  fe80::1%eth0\noptions ndots:5\nnameserver\n"
    )

    assert system_nameservers(file) == ("10.0.0.1", "fe80::1%eth0")


def test_public_nameservers_where_the_machine_names_none(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("search a.b\n")

    assert system_nameservers(tmp_path / "resolv.conf") == PUBLIC_RESOLVERS
    assert system_nameservers(tmp_path / "absent") == PUBLIC_RESOLVERS
