"""What the tests of the webhook are given."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.webhook.rig import Guarded, guarded_by_webhook


@pytest.fixture
async def guarded(cluster: Cluster) -> AsyncIterator[Guarded]:
    """A server that asks the webhook."""
    async with guarded_by_webhook(cluster) as found:
        yield found
