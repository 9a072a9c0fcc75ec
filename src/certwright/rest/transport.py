"""Connections: shared by all clients, with proxies, a connect-to map, TLS trust and bounded bodies."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import IO, Protocol

import aiohttp
from aiohttp.abc import ResolveResult
from yarl import URL

from certwright.rest.connections import Connector
from certwright.rest.errors import RestError
from certwright.rest.proxies import Proxies


class Now(Protocol):
    """The part of a Clock that is needed to read a Retry-After that names a date."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""


class Transport:
    """The connections that all clients of a process share; an async context manager that closes them.

    Without `proxies` those of the process environment count. `connect_to` maps `name:port` to the `host:port` that is
    connected to, without a proxy, while URL, SNI and Host header stay the same.
    """

    def __init__(
        self,
        clock: Now,
        proxies: Proxies | None = None,
        user_agent: str = "certwright",
        connect_to: Mapping[str, str] | None = None,
    ) -> None:
        self.clock = clock
        self.proxies = Proxies.from_environment(os.environ) if proxies is None else proxies
        self.user_agent = user_agent
        self._targets = {source: _host_and_port(target) for source, target in (connect_to or {}).items()}
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened at the first use on the running loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=Connector(resolver=_Resolver(self._targets)),
                headers={"User-Agent": self.user_agent},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def proxy_for(self, url: URL) -> str | None:
        """The proxy that the URL is fetched through, None for a direct connection."""
        return None if f"{url.host}:{url.port}" in self._targets else self.proxies.for_url(url)

    async def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Transport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body; RestError where it is larger than `limit` bytes, without reading the rest."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(64 * 1024):
        size += len(part)
        if size > limit:
            response.close()
            raise RestError(response.status, f"the answer of {response.url.host} is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def tls_context(ca_bundle: bytes = b"", *, system_roots: bool = True, skip_verify: bool = False) -> ssl.SSLContext:
    """TLS that trusts the PEM bundle, and the system's roots unless told otherwise; `ValueError` for a bad bundle.

    Without a bundle the system's roots always count. As in Go, a path to a trusted certificate is enough: it need not
    be self-signed.
    """
    try:
        text = ca_bundle.decode("ascii")
        context = ssl.create_default_context(cadata=text if text and not system_roots else None)
        if text and system_roots:
            context.load_verify_locations(cadata=text)
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise ValueError("the CA bundle holds no certificate that can be read; give PEM certificates") from error
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def show_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Let the context show a certificate (PEM, with its key); `ValueError` where they cannot be used."""
    try:
        with _private_file() as (file, path):
            file.write(key.rstrip() + b"\n" + certificate)
            file.flush()
            # Without the callback an encrypted key would ask at the terminal.
            context.load_cert_chain(path, password=_no_password)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise ValueError("give a PEM certificate with the PEM key that fits it, and no password") from error


@contextmanager
def _private_file() -> Iterator[tuple[IO[bytes], str]]:
    """The ssl module reads key pairs from files only: one that lies in memory where the system has such files.

    A container may have no folder that can be written.
    """
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("certwright"), "wb") as file:
            yield file, f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(prefix="certwright-", suffix=".pem") as file:
            yield file, file.name


def _no_password() -> str:
    raise ValueError("the key is encrypted")


class _Resolver(aiohttp.ThreadedResolver):
    def __init__(self, targets: Mapping[str, tuple[str, int]]) -> None:
        super().__init__()
        self._targets = targets

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        target = self._targets.get(f"{host}:{port}", (host, port))
        return [ResolveResult({**found, "hostname": host}) for found in await super().resolve(*target, family)]


def _host_and_port(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"the connect-to target {target!r} must be host:port")
    return host.strip("[]"), int(port)
