"""What the tests of the takeover are given."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.takeover.golden import Past
from tests.integration.takeover.rig import remove_cluster_issuers


@pytest.fixture
async def past(cluster: Cluster) -> AsyncIterator[Past]:
    """The definitions are installed, and no issuers of other tests are about."""
    await cluster.install_crds()
    await remove_cluster_issuers(cluster)
    yield Past(cluster)
    await remove_cluster_issuers(cluster)
