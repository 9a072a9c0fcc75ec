"""Fixtures of the DNS-01 tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.clock import MovableClock

from certwright.rest import Proxies, Transport


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def transport(clock: MovableClock) -> AsyncIterator[Transport]:
    async with Transport(clock, Proxies()) as transport:
        yield transport
