"""What the tests of the policies are given."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.policies.rig import in_force


@pytest.fixture
async def guarded(cluster: Cluster) -> AsyncIterator[Cluster]:
    """A cluster on which the policies are in force."""
    async with in_force(cluster):
        yield cluster
