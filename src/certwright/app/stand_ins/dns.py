"""A small real DNS server (UDP and TCP), authoritative for zones that live in memory."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Iterable
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

MOST_CHAINED = 8
SMALLEST_UDP = 512
TTL = 60

Kept = dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dict[str, int]]


class DnsServer:
    """Listens on one port of one address; each zone has an SOA and the nameserver `ns1.<zone>` at that address."""

    def __init__(self, zones: Iterable[str], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self._zones = [dns.name.from_text(zone) for zone in zones]
        self._records: Kept = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        for zone in self._zones:
            self._found_zone(zone.to_text())

    @property
    def address(self) -> str:
        """`host:port`, once started."""
        return f"{self.host}:{self.port}"

    def add(self, name: str, kind: str, value: str, ttl: int = TTL) -> None:
        """Serve one more value, in the text form of zone files (TXT: quoted); an equal one is replaced."""
        key = (dns.name.from_text(name), dns.rdatatype.from_text(kind))
        dns.rrset.from_text(key[0], ttl, "IN", kind, value)  # ValueError or DNSException where it cannot be served
        self._records.setdefault(key, {})[value] = ttl

    def remove(self, name: str, kind: str, value: str | None = None) -> None:
        """Serve that value, or without one every value of the name and kind, no longer."""
        key = (dns.name.from_text(name), dns.rdatatype.from_text(kind))
        values = self._records.get(key, {})
        for gone in [value] if value is not None else list(values):
            values.pop(gone, None)
        if not values:
            self._records.pop(key, None)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """What the server says to a query; subclasses may say something else."""
        response = dns.message.make_response(query)
        if len(query.question) != 1 or query.opcode() != 0:
            response.set_rcode(dns.rcode.NOTIMP)
            return response
        asked = query.question[0]
        if self._zone_of(asked.name) is None:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        response.flags |= dns.flags.AA | (dns.flags.RA if query.flags & dns.flags.RD else 0)
        self._fill(response, asked.name, asked.rdtype)
        return response

    async def start(self) -> None:
        """Listen on UDP and TCP; with port 0 a free one is found and kept in `port`."""
        self._tcp = await asyncio.start_server(self._serve_stream, self.host, self.port)
        self.port = self._tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (self.host, self.port))

    async def stop(self) -> None:
        """Close the sockets."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()

    async def respond(self, wire: bytes, limit: int) -> bytes | None:
        """The response in wire form, truncated to `limit` or what EDNS allows; None where nothing is sent."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        try:
            return self.answer(query).to_wire(max_size=max(limit, query.payload if limit == SMALLEST_UDP else 0))
        except dns.exception.TooBig:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()

    def _found_zone(self, zone: str) -> None:
        self.add(zone, "SOA", f"ns1.{zone} hostmaster.{zone} 1 3600 600 86400 1")
        self.add(zone, "NS", f"ns1.{zone}")
        self.add(f"ns1.{zone}", "A" if ":" not in self.host else "AAAA", self.host)

    def _zone_of(self, name: dns.name.Name) -> dns.name.Name | None:
        return max((z for z in self._zones if name.is_subdomain(z)), key=lambda z: len(z.labels), default=None)

    def _fill(self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        for _ in range(MOST_CHAINED):
            found = self._rrset(name, kind)
            if found is not None:
                response.answer.append(found)
                return
            alias = self._rrset(name, dns.rdatatype.CNAME)
            if alias is None:
                self._deny(response, name)
                return
            response.answer.append(alias)
            name = alias[0].target
            if self._zone_of(name) is None:
                return

    def _deny(self, response: dns.message.Message, name: dns.name.Name) -> None:
        zone = self._zone_of(name)
        assert zone is not None
        soa = self._rrset(zone, dns.rdatatype.SOA)
        if soa is not None:
            response.authority.append(soa)
        if not any(kept.is_subdomain(name) for kept, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)

    def _rrset(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        values = self._records.get((name, kind))
        if not values:
            return None
        return dns.rrset.from_text_list(name, min(values.values()), dns.rdataclass.IN, kind, values)

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                wire = await self.respond(await reader.readexactly(size), 65535)
                if wire is None:
                    break
                writer.write(struct.pack("!H", len(wire)) + wire)
                await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Neither asyncio's nor uvloop's transport is an instance of the class that the protocol is promised.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str | object, int]) -> None:
        task = asyncio.create_task(self._respond(data, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(self, data: bytes, address: tuple[str | object, int]) -> None:
        wire = await self._server.respond(data, SMALLEST_UDP)
        if wire is not None and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(wire, address)
