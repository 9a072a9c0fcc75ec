from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web
from tests.clock import MovableClock
from tests.servers.proxy import Proxy
from tests.unit.acme.rig import BELIEVING, running
from tests.unit.rest.service import Service

from certwright.acme.client.errors import AcmeUnreachable
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import LARGEST_BODY, NO_ANSWER, Request, Transport
from certwright.acme.server.server import AcmeServer

PUBLIC = "acme-staging-v02.api.letsencrypt.org"


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service() as started:
        yield started


@pytest.fixture
async def public() -> AsyncIterator[AcmeServer]:
    """A CA that has the name of a public one."""
    async with running(msgspec.structs.replace(BELIEVING, host_names=(PUBLIC,))) as rig:
        yield rig.server


def transport(**options: object) -> Transport:
    return Transport(msgspec.structs.replace(TransportOptions(), **options), MovableClock())


def mapped(server: AcmeServer, **options: object) -> Transport:
    to = {f"{PUBLIC}:443": server.address}
    return transport(**{"ca_bundle_pem": server.endpoint_root_pem, "connect_to": to, **options})


async def test_connect_to_reaches_a_server_by_a_public_name(public: AcmeServer) -> None:
    speaker = mapped(public)

    answer = await speaker.get(f"https://{PUBLIC}/directory", "get_directory")
    await speaker.close()

    assert answer.status == 200
    assert f'"newOrder":"https://{PUBLIC}/new-order"'.encode() in answer.body


async def test_the_bundle_is_trusted_instead_of_the_systems_certificates(public: AcmeServer) -> None:
    speaker = mapped(public, ca_bundle_pem=b"")

    with pytest.raises(AcmeUnreachable, match="certificate verify failed"):
        await speaker.get(f"https://{PUBLIC}/directory", "get_directory")
    await speaker.close()


async def test_verification_can_be_skipped(public: AcmeServer) -> None:
    speaker = mapped(public, ca_bundle_pem=b"", skip_tls_verify=True)

    assert (await speaker.get(f"https://{PUBLIC}/directory", "get_directory")).status == 200
    await speaker.close()


def test_an_unusable_bundle_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="holds no certificate"):
        transport(ca_bundle_pem=b"nothing")


async def test_the_proxy_of_the_environment_is_used(public: AcmeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Proxy(int(public.address.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        speaker = transport(ca_bundle_pem=public.endpoint_root_pem)
        answer = await speaker.get(f"https://{PUBLIC}/directory", "get_directory")
        await speaker.close()

    assert answer.status == 200
    assert proxy.asked == [f"CONNECT {PUBLIC}:443"]


async def test_the_environment_can_be_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Service() as plain, Proxy(plain.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        speaker = transport(proxies_from_environment=False)
        with pytest.raises(AcmeUnreachable):
            await speaker.get("http://ca.test/directory", "get_directory")
        await speaker.close()

    assert proxy.asked == []


async def test_a_body_that_is_too_large_is_refused(service: Service) -> None:
    async def large(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x" * (LARGEST_BODY + 1))

    service.answer = large
    speaker = transport()

    with pytest.raises(AcmeUnreachable, match=f"larger than {LARGEST_BODY} bytes"):
        await speaker.get(f"{service.url}/directory", "get_directory")
    await speaker.close()


@pytest.mark.parametrize("method", ["get", "head", "post"])
async def test_a_silent_server_is_given_up(service: Service, method: str) -> None:
    service.answer = service.hang
    speaker = transport(timeout=timedelta(milliseconds=50))
    url = f"{service.url}/x"

    with pytest.raises(AcmeUnreachable, match=f'{method.capitalize()} "{url}": no answer in time'):
        await (speaker.post(url, b"{}", "a") if method == "post" else getattr(speaker, method)(url, "a"))
    await speaker.close()


async def test_a_get_follows_redirects_and_a_post_does_not(service: Service) -> None:
    async def moved(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/new":
            return web.Response(body=b"here")
        return web.Response(status=301, headers={"Location": "/new"})

    service.answer = moved
    speaker = transport()

    followed = await speaker.get(f"{service.url}/old", "get_directory")
    posted = await speaker.post(f"{service.url}/old", b"{}", "authorize_order")
    await speaker.close()

    assert (followed.body, followed.url) == (b"here", f"{service.url}/new")
    assert posted.status == 301


async def test_redirects_without_end_are_unreachable(service: Service) -> None:
    async def round_and_round(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": request.path + "x"})

    service.answer = round_and_round
    speaker = transport()

    with pytest.raises(AcmeUnreachable):
        await speaker.get(f"{service.url}/x", "get_directory")
    await speaker.close()

    assert len(service.seen) < 10


@pytest.mark.parametrize("url", ["", "/directory", "ftp://ca.test/", "https://", "file:///etc/passwd", "http://[half"])
async def test_what_is_no_web_address_is_unreachable(url: str) -> None:
    with pytest.raises(AcmeUnreachable, match="must start with https://"):
        await transport().get(url, "get_directory")


async def test_every_request_is_counted(service: Service) -> None:
    counted: list[Request] = []
    speaker = Transport(TransportOptions(timeout=timedelta(milliseconds=50)), MovableClock(), counted.append)
    await speaker.head(f"{service.url}/nonce", "get_nonce")
    service.answer = service.hang
    with pytest.raises(AcmeUnreachable):
        await speaker.post(f"{service.url}/new-order", b"{}", "authorize_order")
    await speaker.close()

    host = service.url.removeprefix("http://")
    assert counted == [
        Request("http", host, "get_nonce", "HEAD", 200, 0.0),
        Request("http", host, "authorize_order", "POST", NO_ANSWER, 0.0),
    ]


async def test_requests_say_who_asks_and_what_they_carry(service: Service) -> None:
    speaker = transport(user_agent="certwright-test/1")
    await speaker.post(f"{service.url}/x", b"body", "a")
    await speaker.close()
    await speaker.close()

    assert service.seen[0].headers["user-agent"] == "certwright-test/1"
    assert service.seen[0].headers["content-type"] == "application/jose+json"
    assert service.seen[0].body == b"body"
