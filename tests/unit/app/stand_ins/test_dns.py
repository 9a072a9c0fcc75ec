"""The DNS stand-in answers as a real authoritative server does, over UDP and TCP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import dns.asyncquery
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest
from dns.exception import DNSException
from tests.servers.dns import served

from certwright.app.stand_ins.dns import DnsServer

SECONDS = 5
ZONE = "stand.test."


@pytest.fixture
async def server() -> AsyncIterator[DnsServer]:
    found = DnsServer([ZONE, "inner.stand.test.", "other.test."])
    async with served(found):
        yield found


async def _ask(server: DnsServer, name: str, kind: str, *, tcp: bool = False, edns: int = -1) -> dns.message.Message:
    query = dns.message.make_query(name, kind, use_edns=edns)
    ask = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await ask(query, server.host, SECONDS, server.port)


def _texts(answer: dns.message.Message) -> list[str]:
    return [rdata.to_text() for rrset in answer.answer for rdata in rrset]


@pytest.mark.parametrize("tcp", [False, True])
async def test_values_are_served_with_their_ttl(server: DnsServer, tcp: bool) -> None:
    server.add(f"a.{ZONE}", "TXT", '"one"', ttl=77)
    server.add(f"a.{ZONE}", "TXT", '"two"', ttl=90)

    answer = await _ask(server, f"A.{ZONE}", "TXT", tcp=tcp)

    assert sorted(_texts(answer)) == ['"one"', '"two"']
    assert answer.answer[0].ttl == 77
    assert answer.flags & dns.flags.AA


async def test_a_zone_has_an_apex(server: DnsServer) -> None:
    assert _texts(await _ask(server, ZONE, "NS")) == [f"ns1.{ZONE}"]
    assert _texts(await _ask(server, f"ns1.{ZONE}", "A")) == ["127.0.0.1"]
    assert (await _ask(server, ZONE, "SOA")).answer[0].rdtype == dns.rdatatype.SOA


async def test_what_is_removed_is_gone(server: DnsServer) -> None:
    server.add(f"a.{ZONE}", "TXT", '"one"')
    server.add(f"a.{ZONE}", "TXT", '"two"')

    server.remove(f"a.{ZONE}", "TXT", '"one"')
    assert _texts(await _ask(server, f"a.{ZONE}", "TXT")) == ['"two"']

    server.remove(f"a.{ZONE}", "TXT")
    server.remove(f"a.{ZONE}", "TXT", '"never"')
    assert (await _ask(server, f"a.{ZONE}", "TXT")).rcode() == dns.rcode.NXDOMAIN


async def test_a_denial_names_the_closest_zone(server: DnsServer) -> None:
    answer = await _ask(server, "x.inner.stand.test.", "TXT")

    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.authority[0].name.to_text() == "inner.stand.test."


async def test_a_name_with_other_records_or_names_below_exists(server: DnsServer) -> None:
    server.add(f"deep.below.{ZONE}", "A", "127.0.0.9")

    for name, kind in ((f"deep.below.{ZONE}", "TXT"), (f"below.{ZONE}", "A")):
        answer = await _ask(server, name, kind)
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


async def test_cnames_are_followed_within_its_zones(server: DnsServer) -> None:
    server.add(f"alias.{ZONE}", "CNAME", "target.other.test.")
    server.add("target.other.test.", "TXT", '"found"')

    answer = await _ask(server, f"alias.{ZONE}", "TXT")

    assert [rrset.rdtype for rrset in answer.answer] == [dns.rdatatype.CNAME, dns.rdatatype.TXT]


async def test_cnames_that_lead_out_or_round_end(server: DnsServer) -> None:
    server.add(f"out.{ZONE}", "CNAME", "elsewhere.example.")
    server.add(f"round.{ZONE}", "CNAME", f"round.{ZONE}")

    assert len((await _ask(server, f"out.{ZONE}", "TXT")).answer) == 1
    assert (await _ask(server, f"round.{ZONE}", "TXT")).answer


async def test_other_zones_are_refused(server: DnsServer) -> None:
    assert (await _ask(server, "elsewhere.example.", "A")).rcode() == dns.rcode.REFUSED


async def test_only_queries_are_implemented(server: DnsServer) -> None:
    query = dns.message.make_query(ZONE, "SOA")
    query.set_opcode(dns.opcode.NOTIFY)

    answer = await dns.asyncquery.udp(query, server.host, SECONDS, server.port)

    assert answer.rcode() == dns.rcode.NOTIMP


async def test_what_does_not_fit_is_cut(server: DnsServer) -> None:
    for number in range(12):
        server.add(f"many.{ZONE}", "TXT", f'"{number:02}{"x" * 50}"')

    assert (await _ask(server, f"many.{ZONE}", "TXT")).flags & dns.flags.TC
    assert len(_texts(await _ask(server, f"many.{ZONE}", "TXT", edns=0))) == 12
    assert len(_texts(await _ask(server, f"many.{ZONE}", "TXT", tcp=True))) == 12


async def test_garbage_is_not_answered(server: DnsServer) -> None:
    assert await server.respond(b"no dns", 512) is None


@pytest.mark.parametrize("value", ["no quotes at all", '"open', f'"{"x" * 256}"'])
def test_what_cannot_be_served_is_refused_at_once(value: str) -> None:
    server = DnsServer([ZONE])

    with pytest.raises(DNSException):
        server.add(f"a.{ZONE}", "A" if "quotes" in value else "TXT", value)


async def test_an_ipv6_server_says_so() -> None:
    server = DnsServer([ZONE], host="::1")
    async with served(server):
        answer = await _ask(server, f"ns1.{ZONE}", "AAAA")

    assert _texts(answer) == ["::1"]
