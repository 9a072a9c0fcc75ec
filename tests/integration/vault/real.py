"""The real Vault of a test process, set up once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.vault_server import Vault


@pytest.fixture(scope="session")
def real_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """Initialized and unsealed, with its PKI; skips where Vault cannot be had."""
    vault = Vault(tmp_path_factory.mktemp("vault"))
    vault.start()
    try:
        vault.initialize()
        vault.unseal()
        vault.set_up_pki()
        yield vault
    finally:
        vault.stop()
