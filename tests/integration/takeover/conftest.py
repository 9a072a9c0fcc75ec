"""What the tests of the takeover are given."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.takeover.golden import Past
from tests.integration.takeover.rig import clear


@pytest.fixture
async def past(cluster: Cluster) -> AsyncIterator[Past]:
    """The definitions are installed, and nothing of other tests is about."""
    await cluster.install_crds()
    await clear(cluster)
    yield Past(cluster)
    await clear(cluster)
