from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.unit.rest.service import Service

from certwright.acme.protocol import challenges
from certwright.acme.protocol.messages import ChallengeType, Identifier
from certwright.acme.protocol.problems import Problem
from certwright.acme.server.options import ValidationOptions
from certwright.acme.server.validation import ACME_IDENTIFIER, LARGEST_PROOF, Claim, Validator
from certwright.app.stand_ins.dns import DnsServer
from certwright.pki import der

NAME = "www.a.test"
WWW = Identifier("dns", NAME)
PROOF = "token.thumbprint"
DNS, HTTP, TLS = ChallengeType.DNS_01, ChallengeType.HTTP_01, ChallengeType.TLS_ALPN_01


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    server = DnsServer(["a.test", "b.test"])
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def site(dns: DnsServer) -> AsyncIterator[Service]:
    dns.add(NAME, "A", "127.0.0.1")
    async with Service() as service:
        yield service


async def problem(dns: DnsServer, kind: str, identifier: Identifier = WWW, **options: object) -> Problem:
    """What is wrong; an empty problem where nothing is."""
    made = ValidationOptions(dns_server=dns.address, timeout=timedelta(seconds=5))
    validator = Validator(msgspec.structs.replace(made, **options))
    return await validator.problem_with(Claim(kind, identifier, "token", PROOF)) or Problem("", "")


def saying(body: str, status: int = 200) -> web.Response:
    return web.Response(text=body, status=status)


# ---- dns-01


async def test_the_right_txt_proves(dns: DnsServer) -> None:
    dns.add(f"_acme-challenge.{NAME}", "TXT", '"other"')
    dns.add(f"_acme-challenge.{NAME}", "TXT", f'"{challenges.dns01_value(PROOF)}"')

    assert (await problem(dns, DNS)).type == ""


async def test_an_alias_is_followed(dns: DnsServer) -> None:
    dns.add(f"_acme-challenge.{NAME}", "CNAME", "challenge.b.test.")
    dns.add("challenge.b.test", "TXT", f'"{challenges.dns01_value(PROOF)}"')

    assert (await problem(dns, DNS)).type == ""


async def test_no_txt_is_said(dns: DnsServer) -> None:
    found = await problem(dns, DNS)

    assert (found.kind, found.status) == ("unauthorized", 403)
    assert found.detail == f"No TXT record found at _acme-challenge.{NAME}"


async def test_a_wrong_txt_is_quoted_in_part(dns: DnsServer) -> None:
    dns.add(f"_acme-challenge.{NAME}", "TXT", f'"{"x" * 200}"')

    found = await problem(dns, DNS)

    assert found.detail == f'Incorrect TXT record "{"x" * 80}" found at _acme-challenge.{NAME}'


async def test_a_dns_that_refuses_is_a_dns_problem(dns: DnsServer) -> None:
    found = await problem(dns, DNS, Identifier("dns", "c.test"), timeout=timedelta(seconds=1))

    assert (found.kind, found.status) == ("dns", 400)


# ---- http-01


async def test_the_right_page_proves(dns: DnsServer, site: Service) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return saying(f"{PROOF}\n \t")

    site.answer = answer

    assert (await problem(dns, HTTP, http_port=site.port)).type == ""
    assert site.seen[0].path == "/.well-known/acme-challenge/token"
    assert site.seen[0].headers["host"] == f"{NAME}:{site.port}"


async def test_an_address_is_asked_without_dns(dns: DnsServer, site: Service) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return saying(PROOF)

    site.answer = answer

    assert (await problem(dns, HTTP, Identifier("ip", "127.0.0.1"), http_port=site.port)).type == ""


async def test_a_redirect_is_followed(dns: DnsServer, site: Service) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/elsewhere":
            return saying(PROOF)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    site.answer = answer

    assert (await problem(dns, HTTP, http_port=site.port)).type == ""


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, "", "404"),
        (200, "wrong", "is not the one of this challenge"),
        (200, "x" * (LARGEST_PROOF + 1), "larger than"),
        (200, f"{PROOF}.more", "is not the one of this challenge"),
    ],
)
async def test_a_wrong_page_is_said_without_quoting_it(
    dns: DnsServer, site: Service, status: int, body: str, words: str
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return saying(body, status)

    site.answer = answer
    found = await problem(dns, HTTP, http_port=site.port)

    assert found.kind == "unauthorized"
    assert words in found.detail
    assert "wrong" not in found.detail


async def test_redirects_without_end_fail(dns: DnsServer, site: Service) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": request.path + "x"})

    site.answer = answer

    assert (await problem(dns, HTTP, http_port=site.port)).kind == "connection"


async def test_a_silent_site_is_given_up(dns: DnsServer, site: Service) -> None:
    site.answer = site.hang

    found = await problem(dns, HTTP, http_port=site.port, timeout=timedelta(milliseconds=100))

    assert found.kind == "connection"
    assert "within 0.1 s" in found.detail


async def test_a_name_without_address_is_said(dns: DnsServer) -> None:
    found = await problem(dns, HTTP)

    assert found.kind == "connection"
    assert f"looking up A for {NAME}" in found.detail


# ---- tls-alpn-01


class TlsSite:
    """Shows one certificate to whoever speaks a protocol."""

    def __init__(self, folder: Path, name: str, digest: bytes, protocol: str = challenges.ALPN_PROTOCOL) -> None:
        self.port = 0
        self.names: list[str | None] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (folder / "site.pem").write_bytes(_certificate(name, digest))
        self._context.load_cert_chain(folder / "site.pem")
        self._context.set_alpn_protocols([protocol])
        self._context.sni_callback = lambda _, name, __: self.names.append(name)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> TlsSite:
        self._server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()


def _certificate(name: str, digest: bytes) -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime(2026, 1, 1, tzinfo=UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "challenge")])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = builder.add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, der.octets(digest)), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("name", "proof", "protocol", "kind"),
    [
        (NAME, PROOF, challenges.ALPN_PROTOCOL, ""),
        (NAME, "other.proof", challenges.ALPN_PROTOCOL, "unauthorized"),
        ("other.a.test", PROOF, challenges.ALPN_PROTOCOL, "unauthorized"),
        (NAME, PROOF, "http/1.1", "tls"),
    ],
)
async def test_the_certificate_of_the_acme_protocol_proves(
    dns: DnsServer, tmp_path: Path, name: str, proof: str, protocol: str, kind: str
) -> None:
    dns.add(NAME, "A", "127.0.0.1")
    async with TlsSite(tmp_path, name, challenges.tls_alpn01_digest(proof), protocol) as site:
        found = await problem(dns, TLS, tls_port=site.port)

    assert found.kind == kind
    assert site.names == [NAME]


async def test_a_closed_port_is_a_connection_problem(dns: DnsServer) -> None:
    dns.add(NAME, "A", "127.0.0.1")

    assert (await problem(dns, TLS, tls_port=1)).kind == "connection"


async def test_skipping_believes_everything(dns: DnsServer) -> None:
    assert (await problem(dns, DNS, is_skipped=True)).type == ""
