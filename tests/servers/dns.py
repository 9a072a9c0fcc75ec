"""The DNS stand-in with what tests add to it: it counts, it fails where told to, and it answers over HTTPS."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from aiohttp import web
from tests.kubernetes.authority import Authority

from certwright.app.stand_ins.dns import DnsServer
from certwright.solvers.dns01.nameserver import parse_nameserver

DNS_MESSAGE = "application/dns-message"


class WatchedDns(DnsServer):
    """`asked` counts (name, kind); a name in `failing` is answered with that code, one in `silent` not at all."""

    def __init__(self, zones: Iterable[str], *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(zones, host=host, port=port)
        self.asked: Counter[tuple[str, str]] = Counter()
        self.recursion_desired: set[bool] = set()
        self.failing: dict[str, dns.rcode.Rcode] = {}
        self.silent: set[str] = set()

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked[name, kind] += 1
        self.recursion_desired.add(bool(query.flags & dns.flags.RD))
        if name in self.failing:
            response = dns.message.make_response(query)
            response.set_rcode(self.failing[name])
            return response
        return super().answer(query)

    async def respond(self, wire: bytes, limit: int) -> bytes | None:
        if dns.message.from_wire(wire).question[0].name.to_text() in self.silent:
            return None
        return await super().respond(wire, limit)


class ForwardingDns(DnsServer):
    """Asks another nameserver for the names of the zones that `nameservers` gives to it, as `zone: host:port`."""

    def __init__(self, zones: Iterable[str], nameservers: Mapping[str, str]) -> None:
        super().__init__(zones)
        self._nameservers = {dns.name.from_text(z): parse_nameserver(where) for z, where in nameservers.items()}

    async def respond(self, wire: bytes, limit: int) -> bytes | None:
        query = dns.message.from_wire(wire)
        for zone, where in self._nameservers.items():
            if query.question[0].name.is_subdomain(zone):
                return (await dns.asyncquery.udp(query, where.host, timeout=10, port=where.port)).to_wire()
        return await super().respond(wire, limit)


@asynccontextmanager
async def served(*servers: DnsServer) -> AsyncIterator[None]:
    """All of them listen meanwhile."""
    started: list[DnsServer] = []
    try:
        for server in servers:
            await server.start()
            started.append(server)
        yield
    finally:
        for server in started:
            await server.stop()


class DohServer:
    """DNS over HTTPS (RFC 8484) in front of a DNS server; `body`, where set, is given in the place of its answers."""

    def __init__(self, folder: Path, behind: DnsServer) -> None:
        self._behind = behind
        self._authority = Authority.new(folder, "DoH")
        self._pair = self._authority.server("doh", ["localhost", "127.0.0.1"])
        self.body: bytes | None = None
        self.status = 200
        self.url = ""

    @property
    def ca(self) -> bytes:
        """PEM to trust it by."""
        return self._authority.certificate.read_bytes()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Listens meanwhile, at `url`."""
        app = web.Application()
        app.router.add_post("/dns-query", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pair.certificate, self._pair.key)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        self.url = f"https://localhost:{runner.addresses[0][1]}/dns-query"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == request.headers["Accept"] == DNS_MESSAGE
        wire = await self._behind.respond(await request.read(), 65535) if self.body is None else self.body
        return web.Response(status=self.status, body=wire, content_type=DNS_MESSAGE)
