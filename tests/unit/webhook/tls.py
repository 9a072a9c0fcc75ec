"""A CA, servers and clients of its making, for tests of TLS."""

from __future__ import annotations

import asyncio
import io
import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp

from certwright.clock import SystemClock
from certwright.pki.authority import Authority, KeyPair, issue_client, issue_server, new_authority
from certwright.rest import show_certificate

LOOPBACK = [ip_address("127.0.0.1")]


def new_ca() -> Authority:
    """One that is valid now."""
    return new_authority("test CA", SystemClock().now(), timedelta(days=1))


def server_pair(ca: Authority) -> KeyPair:
    """For 127.0.0.1."""
    return issue_server(ca, [], LOOPBACK, SystemClock().now())


def client_pair(ca: Authority, name: str) -> KeyPair:
    """With that common name."""
    return issue_client(ca, name, [], SystemClock().now())


def trusting(ca: Authority, shown: KeyPair | None = None) -> ssl.SSLContext:
    """A client's TLS that trusts the CA, with a certificate of its own where one is given."""
    return trusting_pem(ca.cert_pem, shown)


def trusting_pem(bundle: bytes, shown: KeyPair | None = None) -> ssl.SSLContext:
    """The same for a bundle."""
    context = ssl.create_default_context(cadata=bundle.decode())
    if shown is not None:
        show_certificate(context, shown.cert_pem, shown.key_pem)
    return context


def write(folder: Path, pair: KeyPair) -> tuple[Path, Path]:
    """The files of a pair."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(pair.cert_pem)
    key.write_bytes(pair.key_pem)
    return certificate, key


async def post(port: int, path: str, body: bytes, context: ssl.SSLContext) -> tuple[int, str]:
    """Status and text of the answer, on a connection of its own."""
    connector = aiohttp.TCPConnector(ssl=context, force_close=True)
    url, data = f"https://127.0.0.1:{port}{path}", io.BytesIO(body)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(url, data=data, headers={"Content-Type": "application/json"}) as answer,
    ):
        return answer.status, await answer.text()


async def served_serial(port: int, context: ssl.SSLContext, name: str = "127.0.0.1") -> str:
    """The serial number of the certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    try:
        return str(writer.get_extra_info("peercert")["serialNumber"])
    finally:
        writer.close()
        await writer.wait_closed()
