"""What a CA asks to pause is not asked for meanwhile, and everything else is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from tests.clock import MovableClock

from certwright.acme.client.errors import AcmeProblem
from certwright.acme.client.options import TransportOptions
from certwright.issuers.acme.pacing import LONGEST_SHARED_PAUSE, USUAL_PAUSE, PacedTransport


class Moody:
    """A server that answers as it is told, and counts."""

    def __init__(self) -> None:
        self.status = 200
        self.retry_after = ""
        self.asked = 0
        self.url = ""

    async def answer(self, _request: web.BaseRequest) -> web.Response:
        self.asked += 1
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        return web.Response(status=self.status, headers=headers)


@pytest.fixture
async def moody() -> AsyncIterator[Moody]:
    found = Moody()
    runner = web.ServerRunner(web.Server(found.answer, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield found
    await runner.cleanup()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def transport(clock: MovableClock) -> AsyncIterator[PacedTransport]:
    found = PacedTransport(TransportOptions(), clock)
    yield found
    await found.close()


async def paused(transport: PacedTransport, moody: Moody, action: str) -> timedelta | None:
    """How long the transport itself refuses that kind of request; None where it lets it through."""
    before = moody.asked
    refused: AcmeProblem | None = None
    try:
        await transport.post(moody.url, b"", action)
    except AcmeProblem as problem:
        refused = problem
    assert moody.asked == before + (refused is None)
    if refused is None:
        return None
    assert refused.is_rate_limited
    assert not refused.is_terminal
    return refused.retry_after


async def test_a_limit_pauses_its_kind_of_request(transport: PacedTransport, moody: Moody, clock: MovableClock) -> None:
    moody.status, moody.retry_after = 429, "30"
    await transport.post(moody.url, b"", "authorize_order")
    moody.status = 200

    assert await paused(transport, moody, "authorize_order") == timedelta(seconds=30)
    assert await paused(transport, moody, "get_order") is None
    clock.advance(timedelta(seconds=30))
    assert await paused(transport, moody, "authorize_order") is None


async def test_a_limit_of_days_may_be_for_one_name_only(transport: PacedTransport, moody: Moody) -> None:
    moody.status, moody.retry_after = 429, "200000"
    await transport.post(moody.url, b"", "authorize_order")

    assert await paused(transport, moody, "authorize_order") == LONGEST_SHARED_PAUSE


async def test_a_limit_without_a_time_is_a_short_pause(transport: PacedTransport, moody: Moody) -> None:
    moody.status = 429
    await transport.get(moody.url, "register_account")

    assert await paused(transport, moody, "register_account") == USUAL_PAUSE


async def test_a_ca_that_is_down_for_a_time_is_left_alone(transport: PacedTransport, moody: Moody) -> None:
    moody.status, moody.retry_after = 503, "20"
    await transport.head(moody.url, "get_order")

    assert await paused(transport, moody, "authorize_order") == timedelta(seconds=20)


async def test_a_fault_of_the_ca_pauses_nothing(transport: PacedTransport, moody: Moody) -> None:
    moody.status = 503
    await transport.get(moody.url, "get_order")

    assert await paused(transport, moody, "get_order") is None
