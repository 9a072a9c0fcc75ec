from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.clock import MovableClock
from tests.servers.proxy import Proxy
from tests.unit.rest.service import Service

from certwright.pki.authority import Authority, issue_server, new_authority
from certwright.rest import Proxies, RestClient, RestError, RestOptions, RestRequest, Transport, tls_context

GET = RestRequest(method="GET", path="x")
# TLS libraries read the machine's clock: the dates only need to hold for long.
MADE = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority("test root", MADE)


@pytest.fixture
async def service(authority: Authority, tmp_path: Path) -> AsyncIterator[Service]:
    pair = issue_server(authority, ["service.test"], [], MADE, timedelta(days=36500))
    (tmp_path / "pair.pem").write_bytes(pair.cert_pem + pair.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    async with Service(context) as started:
        yield started


def client(transport: Transport, authority: Authority, base_url: str = "https://service.test") -> RestClient:
    return RestClient(
        transport, RestOptions(base_url=base_url, ca_bundle=authority.cert_pem, timeout=timedelta(seconds=5))
    )


async def test_a_tunnel_goes_through_the_proxy_of_the_environment(
    authority: Authority, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Proxy(service.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with Transport(MovableClock()) as transport:
            await client(transport, authority).send(GET)

    assert proxy.asked == ["CONNECT service.test:443"]
    assert service.seen[0].headers["host"] == "service.test"


async def test_no_proxy_keeps_a_host_away_from_the_proxy(
    authority: Authority, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Proxy(service.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", ".test")
        async with Transport(MovableClock()) as transport:
            with pytest.raises(RestError, match="got no answer"):
                await client(transport, authority).send(GET)

    assert proxy.asked == []


async def test_plain_http_goes_through_the_proxy(authority: Authority) -> None:
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(Service())
        proxy = await stack.enter_async_context(Proxy(plain.port))
        transport = await stack.enter_async_context(Transport(MovableClock(), Proxies(http=proxy.url)))
        await client(transport, authority, "http://service.test").send(GET)

    assert proxy.asked == ["GET http://service.test/x"]


async def test_the_credentials_of_a_proxy_are_sent(authority: Authority, service: Service) -> None:
    async with (
        Proxy(service.port, base64.b64encode(b"user:hunter22").decode()) as proxy,
        Transport(MovableClock(), Proxies(https=f"http://user:hunter22@127.0.0.1:{proxy.port}")) as transport,
    ):
        await client(transport, authority).send(GET)

    assert len(service.seen) == 1


async def test_a_proxy_that_refuses_is_named_without_the_password(authority: Authority, service: Service) -> None:
    async with (
        Proxy(service.port, base64.b64encode(b"user:hunter22").decode()) as proxy,
        Transport(MovableClock(), Proxies(https=f"http://user:hunter33@127.0.0.1:{proxy.port}")) as transport,
    ):
        with pytest.raises(RestError, match=f"407.*127.0.0.1:{proxy.port}") as caught:
            await client(transport, authority).send(GET)

    assert "hunter" not in repr(caught.value) + caught.value.message


async def test_a_proxy_that_is_not_there_reveals_no_password(authority: Authority) -> None:
    async with Transport(MovableClock(), Proxies(https="http://user:hunter22@127.0.0.1:1")) as transport:
        with pytest.raises(RestError) as caught:
            await client(transport, authority).send(GET)

    assert "hunter22" not in caught.value.message


async def test_connect_to_changes_the_connection_alone(authority: Authority, service: Service) -> None:
    target = {"service.test:443": f"127.0.0.1:{service.port}"}
    async with Transport(MovableClock(), Proxies(https="http://127.0.0.1:1"), connect_to=target) as transport:
        await client(transport, authority).send(GET)

    assert service.seen[0].headers["host"] == "service.test"


async def test_another_port_of_the_same_name_is_not_mapped(authority: Authority, service: Service) -> None:
    target = {"service.test:8443": f"127.0.0.1:{service.port}"}
    async with Transport(MovableClock(), Proxies(), connect_to=target) as transport:
        with pytest.raises(RestError, match="got no answer"):
            await client(transport, authority).send(GET)


@pytest.mark.parametrize("target", ["", "host", ":443", "host:https"])
def test_a_target_that_is_no_address_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="must be host:port"):
        Transport(MovableClock(), connect_to={"a.test:443": target})


async def test_a_server_of_an_unknown_authority_is_refused_unless_told_to_skip(service: Service) -> None:
    target = {"service.test:443": f"127.0.0.1:{service.port}"}
    async with Transport(MovableClock(), Proxies(), connect_to=target) as transport:
        with pytest.raises(RestError, match="certificate verify failed"):
            await RestClient(transport, RestOptions(base_url="https://service.test")).send(GET)
        await RestClient(transport, RestOptions(base_url="https://service.test", skip_tls_verify=True)).send(GET)


async def test_the_name_of_the_certificate_counts(authority: Authority, service: Service) -> None:
    target = {"other.test:443": f"127.0.0.1:{service.port}"}
    async with Transport(MovableClock(), Proxies(), connect_to=target) as transport:
        with pytest.raises(RestError, match=r"other\.test"):
            await client(transport, authority, "https://other.test").send(GET)


def test_the_systems_roots_stay_unless_told_otherwise(authority: Authority) -> None:
    alone = tls_context(authority.cert_pem, system_roots=False)
    both = tls_context(authority.cert_pem)

    assert [root["subject"] for root in alone.get_ca_certs()] == [((("commonName", "test root"),),)]
    assert len(both.get_ca_certs()) >= 1
    assert alone.verify_mode is both.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    "bundle", [b"nothing", "ä".encode(), b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"]
)
def test_a_bundle_without_certificates_is_refused(bundle: bytes) -> None:
    with pytest.raises(ValueError, match="holds no certificate"):
        tls_context(bundle)
    with pytest.raises(RestError, match="holds no certificate"):
        RestClient(Transport(MovableClock()), RestOptions(base_url="https://a.test", ca_bundle=bundle))


async def test_a_closed_transport_opens_again(authority: Authority, service: Service) -> None:
    target = {"service.test:443": f"127.0.0.1:{service.port}"}
    transport = Transport(MovableClock(), Proxies(), connect_to=target)
    speaker = client(transport, authority)
    await speaker.send(GET)
    await transport.close()
    await transport.close()

    await speaker.send(GET)
    await transport.close()

    assert len(service.seen) == 2
