"""A world that runs ten times as fast as ours, with our own CA in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.objects import Objects
from tests.integration.acme.world import World, own_world


@pytest.fixture
async def own() -> AsyncIterator[World]:
    """Our own CA."""
    async with own_world(clock=FastClock(SPEED)) as found:
        yield found


@pytest.fixture
async def objects(cluster: Cluster) -> Objects:
    """The definitions are installed, the namespace is empty."""
    await cluster.install_crds()
    return Objects(cluster)
