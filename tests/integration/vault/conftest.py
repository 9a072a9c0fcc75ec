"""What the tests of the Vault issuer are given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cluster import Cluster
from tests.integration.vault.rig import Rig, vault_rig
from tests.servers.vault_api import VaultApi


@pytest.fixture
async def rig(cluster: Cluster) -> AsyncIterator[Rig]:
    """With the Secret vault-token, whose token the strict Vault knows."""
    async with vault_rig(cluster) as opened:
        await opened.secret("vault-token", token="hvs.static\n")
        yield opened


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[VaultApi]:
    """Strict; nothing about our requests may displease it."""
    async with VaultApi(tmp_path) as started:
        yield started
        assert started.violations == []
