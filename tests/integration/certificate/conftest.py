"""What the tests of the certificate line are given."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.certificate.rig import User
from tests.integration.wiring import client_of

from certwright.clock import SystemClock


@pytest.fixture
async def user(cluster: Cluster) -> AsyncIterator[User]:
    """A person with a client of their own."""
    await cluster.install_crds()
    async with client_of(cluster, SystemClock(), f"user/{cluster.namespace}") as client:
        yield User(client, cluster.namespace)
