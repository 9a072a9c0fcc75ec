"""The ACME issuer keeps what every issuer promises, as far as a CA leaves it the choice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.cluster import Cluster as Server
from tests.conformance.issuer.suite import IssuerSuite, leaf_of
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import CLOUDFLARE, Objects
from tests.integration.acme.world import World, own_world
from tests.integration.certificate.rig import User
from tests.unit.rules.sample import csr, key, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.acme_v1 import AcmeIssuer as AcmeSpec
from certwright.api.meta import ObjectMeta, SecretKeySelector
from certwright.cluster.cluster import Cluster
from certwright.issuers.acme.clients import AcmeClients, AcmeOptions
from certwright.issuers.acme.issuer import AcmeIssuer
from certwright.issuers.base import IssuerType, Outcome, Signed
from certwright.pki.keys import PrivateKey
from certwright.rules.hub import HubIssuer, modern_issuer


class TestAcme(IssuerSuite):
    """A request is answered by the whole line here: an Order alone signs nothing."""

    lacks = frozenset({"usages", "is_ca", "duration", "ca", "other_names", "ml_dsa"})

    @pytest.fixture(autouse=True)
    async def surroundings(self, cluster: Server) -> AsyncIterator[None]:
        """The CA and the API server."""
        async with own_world(clock=FastClock(SPEED)) as world:
            self.server, self.world, self.clients = cluster, world, list[AcmeClients]()
            yield
            for each in self.clients:
                await each.close()

    async def prepare(self, user: User) -> HubIssuer:
        account = SecretKeySelector(name="account")
        found = cm.IssuerSpec(acme=AcmeSpec(server=self.world.directory, private_key_secret_ref=account))
        return modern_issuer(cm.Issuer(metadata=ObjectMeta(name="acme", namespace=user.namespace), spec=found))

    def build(self, cluster: Cluster) -> IssuerType:
        self.clients.append(AcmeClients(cluster, AcmeOptions(trusted_ca_pem=self.world.trust_pem)))
        return AcmeIssuer(cluster, self.clients[-1])

    async def ask(self, parts: tuple[Cluster, User], private_key: PrivateKey, **fields: Any) -> Outcome:
        [answer] = await _answers(self.server, self.world, csr(spec(**fields), private_key))
        return answer

    async def test_serial_numbers_differ(self, parts: tuple[Cluster, User]) -> None:
        """Even where the CA gives both requests one order: whose key has lost orders anew."""
        requests = (csr(spec(), key(number=number)) for number in (1, 2))

        answers = await _answers(self.server, self.world, *requests)

        assert len({leaf_of(answer).serial for answer in answers}) == 2


async def _answers(server: Server, world: World, *requests: bytes) -> list[Signed]:
    objects = Objects(server)
    await objects.cloudflare_token()
    async with machinery(server, world, FastClock(SPEED)):
        await objects.issuer(world, CLOUDFLARE)
        for number, each in enumerate(requests):
            await objects.ask(f"web-{number}", each)
        return [Signed(await objects.issued(f"web-{number}")) for number in range(len(requests))]


del IssuerSuite  # it is no test class of this module
