"""One look whether an HTTP-01 answer is found where the CA will ask."""

from __future__ import annotations

import asyncio
import hmac
import os
import socket
from collections.abc import Mapping
from datetime import timedelta

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from yarl import URL

from certwright.rest import Proxies, RestError, read_bounded
from certwright.rest.connections import Connector
from certwright.solvers.base import NotYet, Propagated, Visibility
from certwright.solvers.dns01.client import DnsClient, DnsFailure
from certwright.solvers.dns01.nameserver import parse_nameserver
from certwright.solvers.http01.challenge import Http01Challenge

TIMEOUT = timedelta(seconds=10)
LARGEST_ANSWER = 1024 * 1024
MOST_REDIRECTS = 10
REDIRECTS = {301, 302, 303, 307, 308}
HEADERS = {"User-Agent": "certwright", "Accept": "*/*", "Accept-Encoding": "identity"}


class SelfCheckOptions(Struct, frozen=True, kw_only=True):
    """`connect_to` maps `host:port` to the `host:port` that is connected to; the Host header stays the same."""

    proxies: Proxies = Proxies()
    connect_to: Mapping[str, str] = msgspec.field(default_factory=dict)
    timeout: timedelta = TIMEOUT
    port: int = 80


class _Missed(Exception):
    """The answer was not found; the text follows the URL in a sentence, and holds nothing that others wrote."""


class SelfCheck:
    """Asks as a CA does: each look connects anew, follows redirects and takes any TLS certificate.

    `dns` resolves names in the place of the system's resolver (`--acme-http01-solver-nameservers`).
    """

    def __init__(self, options: SelfCheckOptions, dns: DnsClient | None = None) -> None:
        self._options = options
        self._dns = dns
        self._session: aiohttp.ClientSession | None = None

    async def look(self, challenge: Http01Challenge) -> Visibility:
        """Whether a GET gives the key authorization now; nothing of what else is found stands in the reason."""
        url = URL.build(scheme="http", host=challenge.identifier, port=self._options.port, path=challenge.path)
        try:
            async with asyncio.timeout(self._options.timeout.total_seconds()):
                body = await self._fetch(url)
        except TimeoutError:
            return NotYet(f"{url} was not answered within {self._options.timeout.total_seconds():g} s")
        except _Missed as missed:
            return NotYet(f"{url} {missed}")
        # RFC 8555 8.3: white space at the end does no harm.
        if hmac.compare_digest(body.rstrip(), challenge.key.encode()):
            return Propagated()
        return NotYet(f"{url} was answered, but not with the key of this challenge; let the path lead to the solver")

    async def close(self) -> None:
        """Close the connections; the next look opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _fetch(self, url: URL) -> bytes:
        for hop in range(MOST_REDIRECTS + 1):
            try:
                found = await self._get(url)
            except RestError as error:
                raise _Missed(f"was answered with more than {LARGEST_ANSWER} bytes") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                where = "led by redirects to where nothing could be fetched" if hop else "could not be fetched"
                raise _Missed(f"{where}: {_words(error)}") from error
            if isinstance(found, bytes):
                return found
            url = found
        raise _Missed(f"was redirected more than {MOST_REDIRECTS} times")

    async def _get(self, url: URL) -> bytes | URL:
        """The body of a 200, or where a redirect leads."""
        target = self._options.connect_to.get(_place(url))
        async with self._open().get(
            _moved(url, target) if target else url,
            headers={"Host": url.host_port_subcomponent or ""},
            allow_redirects=False,
            ssl=False,
            server_hostname=url.host if url.scheme == "https" and target else None,
            proxy=None if target else self._options.proxies.for_url(url),
        ) as response:
            if response.status in REDIRECTS:
                return _redirected(url, response.headers.get("Location", ""))
            if response.status != 200:
                raise _Missed(f"was answered with status {response.status} instead of 200")
            return await read_bounded(response, LARGEST_ANSWER)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = _Resolver(self._dns) if self._dns else None
            connector = Connector(resolver=resolver, force_close=True, use_dns_cache=False)
            self._session = aiohttp.ClientSession(
                connector=connector, headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session


class _Resolver(AbstractResolver):
    """Addresses from chosen nameservers."""

    def __init__(self, dns: DnsClient) -> None:
        self._dns = dns

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._addresses(host, "A") if family != socket.AF_INET6 else []
        if not found and family != socket.AF_INET:
            found = await self._addresses(host, "AAAA")
        if not found:
            raise OSError(f"no nameserver that was chosen has an address of {host}")
        return [_result(host, address, port) for address in found]

    async def close(self) -> None:
        """Nothing is held."""

    async def _addresses(self, host: str, kind: str) -> list[str]:
        from dns.rdatatype import RdataType

        try:
            answer = await self._dns.recursive(f"{host.rstrip('.')}.", kind)
        except DnsFailure as failure:
            raise OSError(str(failure)) from failure
        # The addresses stand at the end of the CNAMEs, which a recursive nameserver follows.
        return [rdata.to_text() for rrset in answer.answer if rrset.rdtype == RdataType[kind] for rdata in rrset]


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


def _place(url: URL) -> str:
    return f"[{url.host}]:{url.port}" if ":" in (url.host or "") else f"{url.host}:{url.port}"


def _moved(url: URL, target: str) -> URL:
    where = parse_nameserver(target)
    return url.with_host(where.host).with_port(where.port)


def _redirected(url: URL, location: str) -> URL:
    target = url.join(URL(location)) if location else None
    if target is None or target.scheme not in {"http", "https"} or not target.host:
        raise _Missed("was redirected to what is no http or https URL")
    return target.with_fragment(None)


def _words(error: Exception) -> str:
    """What went wrong without names and texts from outside, which a redirect or an answer may have chosen."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "its name has no address"
        case aiohttp.ClientConnectorError() if error.os_error.strerror:
            return _without_address(error.os_error)
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed without an answer"
        case _:
            return type(error).__name__


def _without_address(error: OSError) -> str:
    try:
        return os.strerror(error.errno) if error.errno and error.errno > 0 else "no connection"
    except ValueError:
        return "no connection"
