"""Fixtures of the HTTP-01 tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.unit.solvers.http01.rig import Rig, rig_on


@pytest.fixture
async def rig(cluster: Cluster) -> AsyncIterator[Rig]:
    async with rig_on(cluster) as found:
        yield found
