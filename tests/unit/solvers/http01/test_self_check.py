"""One look whether an answer is found: what counts, what does not, and what is never repeated."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from tests.clock import MovableClock
from tests.kubernetes.authority import Authority
from tests.servers.dns import WatchedDns, served
from tests.unit.solvers.http01.samples import KEY, challenge

from certwright.rest import Proxies, Transport
from certwright.solvers.base import NotYet, Propagated, Visibility
from certwright.solvers.dns01.client import DnsClient, DnsOptions
from certwright.solvers.http01.self_check import SelfCheck, SelfCheckOptions

HOST = "www.check.test"
PATH = challenge().path
URL = f"http://{HOST}{PATH}"
FOREIGN = "words-of-an-internal-service"
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """An HTTP server and an HTTPS server with a certificate that nobody trusts; `answer` is what both say."""

    def __init__(self, folder: Path) -> None:
        self._pair = Authority.new(folder, "Nobody").server("site", ["other.test"])
        self._runners: list[web.AppRunner] = []
        self.requests: list[web.Request] = []
        self.answer: Answering = _key
        self.http = self.https = 0

    async def start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pair.certificate, self._pair.key)
        self.http = await self._listen(None)
        self.https = await self._listen(context)

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    async def _listen(self, context: ssl.SSLContext | None) -> int:
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", self._say)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return int(runner.addresses[0][1])

    async def _say(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answer(request)

    def connect_to(self, *hosts: str) -> dict[str, str]:
        """Ports 80 and 443 of those hosts are the site's."""
        ports = {80: self.http, 443: self.https}
        return {f"{host}:{port}": f"127.0.0.1:{here}" for host in hosts for port, here in ports.items()}


async def _key(_: web.Request) -> web.StreamResponse:
    return web.Response(text=KEY)


def _saying(**answer: object) -> Answering:
    async def say(_: web.Request) -> web.StreamResponse:
        return web.Response(**answer)  # type: ignore[arg-type] # a test's choice

    return say


def _redirecting(location: str, status: int = 302) -> Answering:
    """To there at first, then the key."""
    asked: list[web.Request] = []

    async def say(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        if len(asked) == 1:
            return web.Response(status=status, headers={"Location": location}, text=FOREIGN)
        return web.Response(text=KEY)

    return say


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    found = Site(tmp_path)
    await found.start()
    yield found
    await found.stop()


async def _look(site: Site, identifier: str = HOST, **options: object) -> Visibility:
    hosts = (HOST, "other.test", f"[{identifier}]" if ":" in identifier else identifier)
    chosen = {"connect_to": site.connect_to(*hosts), "timeout": timedelta(seconds=5), **options}
    check = SelfCheck(SelfCheckOptions(**chosen))  # type: ignore[arg-type] # a test's choice
    try:
        return await check.look(challenge(identifier))
    finally:
        await check.close()


def _reason(visibility: Visibility) -> str:
    assert isinstance(visibility, NotYet)
    assert KEY not in visibility.reason
    assert FOREIGN not in visibility.reason
    return visibility.reason


async def test_visible_where_the_key_is_the_answer(site: Site) -> None:
    assert await _look(site) == Propagated()

    [request] = site.requests
    assert (request.method, request.path, request.headers["Host"]) == ("GET", PATH, HOST)


@pytest.mark.parametrize(("identifier", "host"), [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "[2001:db8::7]")])
async def test_ip_addresses_are_asked_as_hosts(site: Site, identifier: str, host: str) -> None:
    assert await _look(site, identifier) == Propagated()

    assert site.requests[0].headers["Host"] == host


async def test_white_space_at_the_end_does_no_harm(site: Site) -> None:
    site.answer = _saying(text=f"{KEY}\r\n")

    assert await _look(site) == Propagated()


@pytest.mark.parametrize("body", ["", FOREIGN, f"x{KEY}", f"{KEY}x", KEY[:-1], KEY.upper()])
async def test_another_answer_is_not_repeated(site: Site, body: str) -> None:
    """An issuer's writer could otherwise read what only the controller can reach."""
    site.answer = _saying(text=body)

    assert _reason(await _look(site)) == (
        f"{URL} was answered, but not with the key of this challenge; let the path lead to the solver"
    )


@pytest.mark.parametrize("status", [201, 204, 400, 401, 404, 500, 503])
async def test_other_statuses_do_not_count(site: Site, status: int) -> None:
    site.answer = _saying(status=status, text=KEY if status != 204 else None)

    assert _reason(await _look(site)) == f"{URL} was answered with status {status} instead of 200"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["http://other.test/x?y=z", f"https://other.test{PATH}", "/elsewhere", "?again"])
async def test_redirects_are_followed_also_to_https_that_nobody_trusts(site: Site, status: int, location: str) -> None:
    site.answer = _redirecting(location, status)

    assert await _look(site) == Propagated()

    assert [request.headers["Host"] for request in site.requests] == [HOST, "other.test" if ":" in location else HOST]


async def test_endless_redirects_are_given_up(site: Site) -> None:
    site.answer = _saying(status=302, headers={"Location": "/again"})

    assert _reason(await _look(site)) == f"{URL} was redirected more than 10 times"
    assert len(site.requests) == 11


@pytest.mark.parametrize("location", ["", "ftp://other.test/", "file:///etc/passwd", "http://[", "data:,x"])
async def test_redirects_to_nowhere_are_not_followed(site: Site, location: str) -> None:
    site.answer = _redirecting(location)

    assert _reason(await _look(site)).startswith(f"{URL} ")
    assert len(site.requests) == 1


async def test_where_a_redirect_led_is_not_told(site: Site) -> None:
    site.answer = _redirecting(f"http://127.0.0.1:1/{FOREIGN}")

    assert _reason(await _look(site)) == (
        f"{URL} led by redirects to where nothing could be fetched: Connection refused"
    )


async def test_a_large_answer_is_not_read_to_its_end(site: Site) -> None:
    site.answer = _saying(body=bytes(2 * 1024 * 1024))

    assert _reason(await _look(site)) == f"{URL} was answered with more than 1048576 bytes"


async def test_a_packed_answer_is_not_unpacked(site: Site) -> None:
    site.answer = _saying(body=bytes(100), headers={"Content-Encoding": "gzip"})

    assert "not with the key" in _reason(await _look(site))


async def test_silence_is_given_up(site: Site) -> None:
    forever = asyncio.Event()

    async def say(_: web.Request) -> web.StreamResponse:
        await forever.wait()
        return web.Response()

    site.answer = say

    assert _reason(await _look(site, timeout=timedelta(milliseconds=100))) == f"{URL} was not answered within 0.1 s"
    forever.set()


def test_a_look_has_ten_seconds() -> None:
    assert SelfCheckOptions().timeout == timedelta(seconds=10)


async def test_a_closed_port_is_told(site: Site) -> None:
    assert _reason(await _look(site, connect_to={f"{HOST}:80": "127.0.0.1:1"})) == (
        f"{URL} could not be fetched: Connection refused"
    )


async def test_an_answer_that_is_no_http_is_told(site: Site) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"SSH-2.0-{FOREIGN}\r\n".encode())
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    reason = _reason(await _look(site, connect_to={f"{HOST}:80": f"127.0.0.1:{port}"}))

    assert reason.startswith(f"{URL} could not be fetched: ")
    server.close()
    await server.wait_closed()


async def test_the_proxy_of_the_environment_is_asked(site: Site) -> None:
    proxies = Proxies(http=f"http://127.0.0.1:{site.http}")

    assert await _look(site, connect_to={}, proxies=proxies) == Propagated()

    assert site.requests[0].headers["Host"] == HOST


async def test_names_outside_of_the_proxy_are_asked_directly(site: Site) -> None:
    proxies = Proxies(http="http://127.0.0.1:1", exceptions=("check.test",))

    assert await _look(site, proxies=proxies) == Propagated()


async def test_chosen_nameservers_resolve_the_name(site: Site) -> None:
    """The CNAME and the address are known to that nameserver only; port 80 of the address has no server here."""
    dns = WatchedDns(["check.test."])
    dns.add(f"{HOST}.", "CNAME", "web.check.test.")
    dns.add("web.check.test.", "A", "127.0.0.1")
    async with served(dns), Transport(MovableClock(), Proxies()) as transport:
        client = DnsClient(transport, DnsOptions(recursive_nameservers=(dns.address,)))
        check = SelfCheck(SelfCheckOptions(), client)

        site.answer = _redirecting(f"http://web.check.test:{site.http}/")
        check_at = SelfCheck(SelfCheckOptions(connect_to={f"{HOST}:80": f"127.0.0.1:{site.http}"}), client)
        followed = await check_at.look(challenge(HOST))
        missing = await check.look(challenge("absent.check.test"))
        await check.close()
        await check_at.close()

    assert followed == Propagated()
    assert dns.asked["web.check.test.", "A"] == 1
    assert _reason(missing).endswith("could not be fetched: its name has no address")


async def test_each_look_connects_anew(site: Site) -> None:
    """A kept connection would go on to show what the name led to earlier."""
    check = SelfCheck(SelfCheckOptions(connect_to=site.connect_to(HOST)))

    await check.look(challenge(HOST))
    await check.look(challenge(HOST))
    await check.close()

    first, second = (request.headers.get("Connection", "") for request in site.requests)
    assert first == second == "close"
