"""What a client shows and expects in TLS, where its options say so."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.clock import MovableClock
from tests.kubernetes.authority import Authority
from tests.unit.rest.service import Service

from certwright.rest import (
    Proxies,
    RestClient,
    RestError,
    RestOptions,
    RestRequest,
    Transport,
    show_certificate,
    tls_context,
)

HEALTH = RestRequest(method="GET", path="health")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path)


@pytest.fixture
async def service(authority: Authority) -> AsyncIterator[Service]:
    """Calls itself vault.internal, and wants a client certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.certificate)
    context.load_cert_chain(*authority.server("server", ["vault.internal"]))
    context.verify_mode = ssl.CERT_REQUIRED
    async with Service(context) as started:
        yield started


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport(MovableClock(), Proxies()) as opened:
        yield opened


def context_with_pair(authority: Authority) -> ssl.SSLContext:
    pair = authority.client("client", "certwright")
    context = tls_context(authority.certificate.read_bytes(), system_roots=False)
    show_certificate(context, pair.certificate.read_bytes(), pair.key.read_bytes())
    return context


async def test_the_certificate_is_shown_and_the_name_expected(
    authority: Authority, service: Service, transport: Transport
) -> None:
    context = context_with_pair(authority)
    options = RestOptions(base_url=service.url, tls=context, server_name="vault.internal")

    assert (await RestClient(transport, options).send(HEALTH)).status == 200


async def test_another_name_is_refused(authority: Authority, service: Service, transport: Transport) -> None:
    context = context_with_pair(authority)
    options = RestOptions(base_url=service.url, tls=context, server_name="other.internal")

    with pytest.raises(RestError, match=r"other\.internal"):
        await RestClient(transport, options).send(HEALTH)


def test_a_pair_that_does_not_fit_is_refused(authority: Authority) -> None:
    one, other = authority.client("one", "one"), authority.client("other", "other")

    with pytest.raises(ValueError, match="the PEM key that fits it"):
        show_certificate(tls_context(), one.certificate.read_bytes(), other.key.read_bytes())
