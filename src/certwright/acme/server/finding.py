"""Where the validator finds names: one DNS server that it is told, or the system's resolver."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from datetime import timedelta
from ipaddress import ip_address

import dns.asyncresolver
import dns.resolver
from aiohttp.abc import AbstractResolver, ResolveResult


class Finder(AbstractResolver):
    """Asks for TXT records and addresses."""

    def __init__(self, dns_server: str, timeout: timedelta) -> None:
        self._resolver = _resolver(dns_server)
        self._resolver.lifetime = timeout.total_seconds()
        # A name that was just made must not be hidden by an answer of a moment ago.
        self._resolver.cache = None
        self._uses_system = not dns_server

    async def texts(self, name: str) -> tuple[str, ...]:
        """The TXT values of a name, aliases followed; raises `DNSException`."""
        answer = await self._resolver.resolve(f"{name}.", "TXT")
        return tuple(b"".join(record.strings).decode(errors="replace") for record in answer)

    async def address_of(self, host: str) -> str:
        """One address of a host name; an address is its own. Raises `OSError` where there is none."""
        return (await self.resolve(host))[0]["host"]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """As aiohttp wants it; IPv6 only where there is no IPv4 address."""
        if self._uses_system:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
            addresses = [str(address[0]) for *_, address in found]
        else:
            addresses = await self._addresses(host)
        if not addresses:
            raise OSError(socket.EAI_NONAME, f"no A or AAAA records found for {host}")
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Nothing is held open."""

    async def _addresses(self, host: str) -> list[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        for kind in ("A", "AAAA"):
            try:
                answer = await self._resolver.resolve(f"{host}.", kind)
            except dns.resolver.NoAnswer:
                continue
            except dns.exception.DNSException as error:
                raise OSError(socket.EAI_FAIL, f"looking up {kind} for {host}: {error}") from error
            return [record.address for record in answer]
        return []


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


def _resolver(dns_server: str) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=False)
    if not dns_server:
        # Without nameservers every question fails, which says more than a server that does not start.
        with contextlib.suppress(dns.resolver.NoResolverConfiguration):
            resolver.read_resolv_conf("/etc/resolv.conf")
        return resolver
    host, _, port = dns_server.rpartition(":")
    resolver.nameservers = [host.strip("[]")]
    resolver.port = int(port)
    return resolver
