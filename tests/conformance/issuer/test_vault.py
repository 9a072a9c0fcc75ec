"""The Vault issuer keeps what every issuer promises, with a strict stand-in and with the real Vault."""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conformance.issuer.suite import IssuerSuite
from tests.integration.certificate.rig import User
from tests.integration.vault.real import real_vault
from tests.servers.vault_api import SIGN_PATH, VaultApi
from tests.servers.vault_server import SIGN_PATH as REAL_PATH
from tests.servers.vault_server import Vault

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.issuer_types import VaultAuth, VaultIssuer
from certwright.api.meta import JSONObject, ObjectMeta, SecretKeySelector
from certwright.clock import SystemClock
from certwright.cluster.cluster import Cluster
from certwright.issuers.base import IssuerType
from certwright.issuers.vault.issuer import VaultIssuerType
from certwright.kube.wire.status import AlreadyExists
from certwright.rest import Proxies, Transport
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey

__all__ = ["real_vault"]


class VaultSuite(IssuerSuite):
    """Its role decides over usages, other names and CAs; what it signs begins half a minute before."""

    lacks = frozenset({"usages", "is_ca", "duration", "other_names", "ml_dsa"})

    @pytest.fixture(autouse=True)
    async def transport(self) -> AsyncIterator[None]:
        """The connections of the process."""
        async with Transport(SystemClock(), Proxies()) as self._transport:
            yield

    @abstractmethod
    def spec(self) -> VaultIssuer:
        """The issuer's spec; its token is in the Secret vault-token."""

    @abstractmethod
    def token(self) -> str:
        """What the Secret holds."""

    async def prepare(self, user: User) -> HubIssuer:
        data: JSONObject = {"token": base64.b64encode(self.token().encode()).decode()}
        body: JSONObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault-token"}, "data": data}
        try:
            await user.client.create(SECRET, body, user.namespace)
        except AlreadyExists:
            await user.client.merge_patch(SECRET, user.key("vault-token"), {"data": data})
        key = IssuerKey(Dialect.MODERN, "Issuer", user.namespace, "vault")
        metadata = ObjectMeta(name="vault", namespace=user.namespace, uid="uid-of-issuer")
        return HubIssuer(key=key, metadata=metadata, spec=cm.IssuerSpec(vault=self.spec()))

    def build(self, cluster: Cluster) -> IssuerType:
        return VaultIssuerType(cluster, self._transport)


class TestStrictVault(VaultSuite):
    @pytest.fixture(autouse=True)
    async def vault(self, tmp_path: Path) -> AsyncIterator[None]:
        """Nothing about our requests may displease it."""
        async with VaultApi(tmp_path) as self._vault:
            yield
            assert self._vault.violations == []

    def spec(self) -> VaultIssuer:
        return _spec(self._vault.url, SIGN_PATH, self._vault.ca)

    def token(self) -> str:
        return "hvs.static"


@pytest.mark.needs("vault")
class TestRealVault(VaultSuite):
    @pytest.fixture(autouse=True)
    def vault(self, real_vault: Vault) -> None:
        """One for all tests."""
        self._vault = real_vault

    def spec(self) -> VaultIssuer:
        return _spec(self._vault.url, REAL_PATH, self._vault.ca)

    def token(self) -> str:
        return self._vault.new_token("issuer")


def _spec(server: str, path: str, ca: bytes) -> VaultIssuer:
    auth = VaultAuth(token_secret_ref=SecretKeySelector(name="vault-token"))
    return VaultIssuer(auth=auth, server=server, path=path, ca_bundle=ca)
