"""Fixtures of the legacy group's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.legacy.rig import Rig, legacy_rig


@pytest.fixture
async def rig(cluster: Cluster) -> AsyncIterator[Rig]:
    """The legacy group with mirrors."""
    async with legacy_rig(cluster) as found:
        yield found
