"""Checks control of identifiers: HTTP-01, DNS-01 (RFC 8555 section 8) and TLS-ALPN-01 (RFC 8737)."""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus

import aiohttp
import dns.exception
import dns.resolver
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier
from msgspec import Struct
from yarl import URL

from certwright.acme.protocol import challenges
from certwright.acme.protocol.messages import ChallengeType, Identifier
from certwright.acme.protocol.problems import Problem, acme_problem
from certwright.acme.server.finding import Finder
from certwright.acme.server.options import ValidationOptions
from certwright.pki import der
from certwright.pki.errors import PkiError
from certwright.rest import RestError, read_bounded

LARGEST_PROOF = 64 * 1024
MOST_REDIRECTS = 10
MOST_AT_ONCE = 64
ACME_IDENTIFIER = ObjectIdentifier("1.3.6.1.5.5.7.1.31")
# What a proof says may end in a condition of somebody else: it is quoted only in part.
LONGEST_QUOTE = 80


class Claim(Struct, frozen=True):
    """Somebody says to control an identifier (without `*.`)."""

    type: str
    identifier: Identifier
    token: str
    key_authorization: str


class Disproved(Exception):
    """The claim does not hold: `problem` says what was seen."""

    def __init__(self, kind: str, detail: str, status: int = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(detail)
        self.problem = acme_problem(kind, detail, status)


class Validator:
    """Looks where the proof must be; every check is bounded in time and size."""

    def __init__(self, options: ValidationOptions) -> None:
        self._options = options
        self._finder = Finder(options.dns_server, options.timeout)
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def problem_with(self, claim: Claim) -> Problem | None:
        """What is wrong with the claim; None where it holds."""
        if self._options.is_skipped:
            return None
        seconds = self._options.timeout.total_seconds()
        try:
            async with self._places, asyncio.timeout(seconds):
                await self._check(claim)
        except Disproved as disproved:
            return disproved.problem
        except TimeoutError:
            detail = f"{claim.identifier.value} gave no proof within {seconds:g} s: check that it can be reached"
            return acme_problem("connection", detail, HTTPStatus.BAD_REQUEST)
        return None

    async def _check(self, claim: Claim) -> None:
        match claim.type:
            case ChallengeType.DNS_01:
                await self._check_dns(claim)
            case ChallengeType.HTTP_01:
                await self._check_http(claim)
            case ChallengeType.TLS_ALPN_01:
                await self._check_tls(claim)

    async def _check_dns(self, claim: Claim) -> None:
        name = challenges.dns01_name(claim.identifier.value)
        wanted = challenges.dns01_value(claim.key_authorization)
        try:
            found = await self._finder.texts(name)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            found = ()
        except dns.exception.DNSException as error:
            raise Disproved("dns", f"DNS problem: looking up TXT for {name}: {error}", 400) from error
        if not found:
            raise Disproved("unauthorized", f"No TXT record found at {name}")
        if wanted not in found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            quoted = found[0][:LONGEST_QUOTE]
            raise Disproved("unauthorized", f'Incorrect TXT record "{quoted}"{more} found at {name}')

    async def _check_http(self, claim: Claim) -> None:
        host, port = claim.identifier.value, self._options.http_port
        url = URL.build(scheme="http", host=host, port=port, path=challenges.http01_path(claim.token))
        connector = aiohttp.TCPConnector(resolver=self._finder, ssl=False)
        try:
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.get(url, max_redirects=MOST_REDIRECTS) as answer,
            ):
                body = await read_bounded(answer, LARGEST_PROOF)
        except RestError as error:
            raise Disproved("unauthorized", f"Invalid response from {url}: {error.message}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Disproved("connection", f"Fetching {url}: {str(error) or type(error).__name__}", 400) from error
        if answer.status != HTTPStatus.OK:
            raise Disproved("unauthorized", f"Invalid response from {url}: {answer.status}")
        if body.rstrip().decode(errors="replace") != claim.key_authorization:
            raise Disproved("unauthorized", f"The key authorization at {url} is not the one of this challenge")

    async def _check_tls(self, claim: Claim) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([challenges.ALPN_PROTOCOL])
        name = challenges.tls_alpn01_server_name(claim.identifier.value)
        where = f"{claim.identifier.value}, port {self._options.tls_port}"
        try:
            address = await self._finder.address_of(claim.identifier.value)
            _, writer = await asyncio.open_connection(
                address, self._options.tls_port, ssl=context, server_hostname=name
            )
        except (OSError, dns.exception.DNSException) as error:
            raise Disproved("connection", f"Connecting to {where}: {error}", 400) from error
        shown = writer.get_extra_info("ssl_object")
        certificate, protocol = shown.getpeercert(binary_form=True), shown.selected_alpn_protocol()
        writer.close()
        if protocol != challenges.ALPN_PROTOCOL:
            raise Disproved("tls", f"{where} does not speak {challenges.ALPN_PROTOCOL}", 400)
        _check_proof(certificate, claim, where)


def _check_proof(certificate: bytes, claim: Claim, where: str) -> None:
    wanted = der.octets(challenges.tls_alpn01_digest(claim.key_authorization))
    try:
        shown = x509.load_der_x509_certificate(certificate)
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        proof = shown.extensions.get_extension_for_oid(ACME_IDENTIFIER)
    except (ValueError, PkiError, x509.ExtensionNotFound) as error:
        raise Disproved("unauthorized", f"The certificate of {where} is no proof: {error}") from error
    texts = [str(name.value).lower() for name in names]
    is_proof = isinstance(proof.value, x509.UnrecognizedExtension) and proof.value.value == wanted
    if texts != [claim.identifier.value] or not proof.critical or not is_proof:
        raise Disproved("unauthorized", f"The certificate of {where} does not prove this challenge")
