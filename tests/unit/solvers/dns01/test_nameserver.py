"""Addresses of nameservers as users write them."""

from __future__ import annotations

import pytest

from certwright.solvers.dns01.nameserver import Nameserver, addresses, parse_nameserver


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.53", "10.0.0.53", 53),
        ("10.0.0.53:5353", "10.0.0.53", 5353),
        ("10.0.0.53:", "10.0.0.53", 53),
        ("ns1.example.com", "ns1.example.com", 53),
        (" ns1.example.com:54 ", "ns1.example.com", 54),
        ("2001:db8::53", "2001:db8::53", 53),
        ("[2001:db8::53]", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("[fe80::1%eth0]:53", "fe80::1%eth0", 53),
    ],
)
def test_reads_host_and_port(text: str, host: str, port: int) -> None:
    assert parse_nameserver(text) == Nameserver(host, port)


@pytest.mark.parametrize(
    "text", ["", ":53", "http://a", "a b", "[a]:53", "[]:53", "[::1", "a:b", "a:1:2", "10.0.0.1:0", "10.0.0.1:65536"]
)
def test_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_nameserver(text)


@pytest.mark.parametrize(("server", "shown"), [(Nameserver("a"), "a:53"), (Nameserver("::1", 54), "[::1]:54")])
def test_shows_itself_as_it_is_written(server: Nameserver, shown: str) -> None:
    assert str(server) == shown


async def test_an_address_needs_no_resolver() -> None:
    assert await addresses(Nameserver("2001:DB8::53")) == ["2001:db8::53"]


async def test_a_name_is_resolved_by_the_system() -> None:
    assert "127.0.0.1" in await addresses(Nameserver("localhost"))
