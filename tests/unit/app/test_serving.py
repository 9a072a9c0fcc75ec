"""Metrics and health over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from tests.clock import MovableClock

from certwright.app.serving import ClockHealth, Endpoint, ServeError, health_page, split_address


async def get(endpoint: Endpoint, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{endpoint.port}{path}") as answer:
        return answer.status, await answer.text()


def page(text: str) -> Callable[[], web.Response]:
    return lambda: web.Response(text=text)


async def test_pages_are_served_and_others_are_not_found() -> None:
    endpoint = Endpoint("127.0.0.1:0", {"/metrics": page("certmanager_up 1\n")})
    await endpoint.start()

    found, missing = await get(endpoint, "/metrics"), await get(endpoint, "/")
    await endpoint.stop()

    assert found == (200, "certmanager_up 1\n")
    assert missing[0] == 404


async def test_a_port_in_use_is_a_sentence() -> None:
    first = Endpoint("127.0.0.1:0", {})
    await first.start()

    with pytest.raises(ServeError, match=r"cannot be listened on: .*Stop what uses it, or give another address"):
        await Endpoint(f"127.0.0.1:{first.port}", {}).start()
    await first.stop()


async def test_zero_switches_an_endpoint_off() -> None:
    endpoint = Endpoint("0", {})

    await endpoint.start()
    await endpoint.stop()

    assert endpoint.port == 0


@pytest.mark.parametrize("address", ["here", "127.0.0.1", "127.0.0.1:http"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ServeError, match="is no address to listen on; write host:port"):
        split_address(address)


def test_addresses_of_ipv6_stand_in_brackets() -> None:
    assert split_address("[::1]:9402") == ("::1", 9402)


def test_health_names_what_fails() -> None:
    shown = health_page({"clockHealth": lambda: "", "leaderElection": lambda: "the lease was not renewed"})()

    assert shown.status == 500
    assert shown.text == ("[+]clockHealth ok\n[-]leaderElection the lease was not renewed\nlivez check failed\n")


async def test_a_clock_that_was_set_is_noticed() -> None:
    class SetClock(MovableClock):
        """One whose wall clock was set, which the monotonic clock does not follow."""

        def monotonic(self) -> float:
            return 0.0

    clock = SetClock()
    health = ClockHealth(clock)

    clock.advance(timedelta(minutes=4))
    fine = health()
    clock.advance(timedelta(minutes=2))

    assert fine == ""
    assert "away from where it should be" in health()
