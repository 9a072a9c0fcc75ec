"""The controllers of the ACME line on a real API server, wired as the controller process wires them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.cluster import Cluster as ApiServer
from tests.integration.acme.world import World
from tests.integration.wiring import Controller, background, build_cluster, rest

from certwright.acme.client.transport import Request
from certwright.clock import Clock, SystemClock
from certwright.cluster.cluster import Cluster
from certwright.cluster.modern import ModernCertificates
from certwright.cluster.settings import Settings
from certwright.controllers.certificate.controller import CertificateController
from certwright.controllers.certificate.presenter import ModernCertificatePresenter
from certwright.controllers.certificate_request.controller import CertificateRequestController
from certwright.controllers.challenge.controller import ChallengeController
from certwright.controllers.challenge.solving import PodMode, Solving
from certwright.controllers.issuer.controller import IssuerController
from certwright.controllers.issuer.presenter import ModernIssuerPresenter
from certwright.controllers.order.controller import OrderController
from certwright.issuers.acme.clients import AcmeClients, AcmeOptions
from certwright.issuers.acme.issuer import AcmeIssuer
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.rest import Proxies, Transport
from certwright.rules.hub import Dialect
from certwright.solvers.dns01.client import DnsClient, DnsOptions
from certwright.solvers.dns01.solver import Dns01Options, Dns01Solver
from certwright.solvers.http01.pod import PodOptions
from certwright.solvers.http01.responder import Responder, ResponderOptions
from certwright.solvers.http01.self_check import SelfCheck, SelfCheckOptions
from certwright.solvers.http01.solver import Http01Options, Http01Solver

USER_AGENT = "acme-line-test"


@dataclass(frozen=True)
class Machinery:
    """What a test may look at."""

    cluster: Cluster
    clients: AcmeClients
    to_ca: list[Request]
    controllers: tuple[Controller, ...]

    async def rest(self) -> None:
        """Return when no pass is under way and every event is written."""
        await rest(self.cluster.recorder, *self.controllers)

    def asked(self, action: str) -> int:
        """How many signed requests of that kind the CA was sent."""
        return self.sent("POST", action)

    def sent(self, method: str, action: str) -> int:
        """How many requests of that kind the CA was sent."""
        return sum(each.method == method and each.action == action for each in self.to_ca)


@asynccontextmanager
async def machinery(
    server: ApiServer, world: World, clock: Clock | None = None, pods: PodMode = "shared", **settings: Any
) -> AsyncIterator[Machinery]:
    """Runs in the test's namespace until the block ends; `settings` are those of the cluster."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        options = ClientOptions(user_agent=f"{USER_AGENT}/{server.namespace}")
        client = KubeClient(find_connection({}, str(server.kubeconfig)), clock, options)
        stack.push_async_callback(client.close)
        cluster = build_cluster(client, clock, _settings(server, settings))
        to_ca: list[Request] = []
        clients = AcmeClients(cluster, AcmeOptions(trusted_ca_pem=world.trust_pem), to_ca.append)
        stack.push_async_callback(clients.close)
        types = {"acme": AcmeIssuer(cluster, clients)}
        issuers = IssuerController(cluster, types, {Dialect.MODERN: ModernIssuerPresenter(cluster)})
        challenges = ChallengeController(cluster, clients, await _solving(cluster, world, stack, pods))
        requests, orders = CertificateRequestController(cluster, types), OrderController(cluster, clients)
        sources = {Dialect.MODERN: ModernCertificates(cluster.caches)}
        presenters = {Dialect.MODERN: ModernCertificatePresenter(cluster)}
        certificates = CertificateController(cluster, sources, presenters, types)
        await stack.enter_async_context(background(cluster.caches.run(), cluster.recorder.run()))
        await cluster.caches.synced()
        controllers = (issuers, certificates, requests, orders, challenges)
        await stack.enter_async_context(background(*(each.run() for each in controllers)))
        yield Machinery(cluster, clients, to_ca, controllers)


def _settings(server: ApiServer, more: dict[str, Any]) -> Settings:
    usual: dict[str, Any] = {"namespace": server.namespace, "challenge_retry_period": timedelta(seconds=2)}
    return Settings(**usual | more)


async def _solving(cluster: Cluster, world: World, stack: AsyncExitStack, pods: PodMode) -> Solving:
    transport = Transport(cluster.clock, Proxies(), USER_AGENT)
    stack.push_async_callback(transport.close)
    names = DnsOptions(
        recursive_nameservers=(world.names_at,),
        authoritative_addresses={f"ns1.{zone}": world.names_at for zone in world.zones},
        timeout=timedelta(seconds=5),
    )
    dns = Dns01Solver(transport, cluster.clock, Dns01Options(dns=names, endpoints={"cloudflare": world.cloudflare.url}))
    responder = Responder(ResponderOptions(host="127.0.0.1", port=world.http_port))
    await responder.start()
    stack.push_async_callback(responder.stop)
    here = {f"www.{zone}:80": f"127.0.0.1:{responder.port}" for zone in world.zones}
    look = SelfCheck(SelfCheckOptions(connect_to=here), DnsClient(transport, names))
    stack.push_async_callback(look.close)
    # EndpointSlices take no loopback address: where there are objects, nothing is reached through them here.
    objects = (
        Http01Options() if pods == "shared" else Http01Options(addresses=("192.0.2.1",), pods=PodOptions(image="x"))
    )
    return Solving(cluster, dns, Http01Solver(cluster.client, responder, look, objects), pods)
