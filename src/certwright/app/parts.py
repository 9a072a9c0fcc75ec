"""Builds what a controller process is made of: the cluster as we see it, the issuer types, the controllers."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from msgspec import Struct

from certwright.app.addresses import own_addresses
from certwright.app.choice import chosen
from certwright.app.options import ControllerOptions, Outside
from certwright.app.samples import samples_of
from certwright.app.serving import split_address
from certwright.clock import Clock
from certwright.cluster.caches import Caches, build_caches
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import CertificatePresenter, CertificateSource, IssuerPresenter, IssuerSource
from certwright.cluster.issuers import IssuerDirectory
from certwright.cluster.legacy import LegacySources, legacy_sources
from certwright.cluster.modern import ModernCertificates, ModernIssuers
from certwright.cluster.pending import PendingKeys
from certwright.cluster.secrets import SecretReader
from certwright.controllers.certificate.controller import CertificateController
from certwright.controllers.certificate.presenter import ModernCertificatePresenter
from certwright.controllers.certificate_request.controller import CertificateRequestController
from certwright.controllers.challenge.controller import ChallengeController
from certwright.controllers.challenge.solving import Solving
from certwright.controllers.issuer.controller import IssuerController
from certwright.controllers.issuer.presenter import ModernIssuerPresenter
from certwright.controllers.issuer_kinds.controller import IssuerKindController
from certwright.controllers.legacy.legacy import LegacyGroup
from certwright.controllers.order.controller import OrderController
from certwright.issuers.acme.clients import AcmeClients, AcmeOptions
from certwright.issuers.acme.issuer import AcmeIssuer
from certwright.issuers.base import IssuerType
from certwright.issuers.ca import CA
from certwright.issuers.selfsigned import SelfSigned
from certwright.issuers.vault.issuer import VaultIssuerType
from certwright.issuers.vault.options import VaultOptions
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import Connection
from certwright.kube.runtime.recorder import Recorder
from certwright.rest import Transport
from certwright.rest.proxies import Proxies
from certwright.rules.hub import Dialect
from certwright.solvers.dns01.client import DnsClient, DnsOptions, system_nameservers
from certwright.solvers.dns01.solver import Dns01Options, Dns01Solver
from certwright.solvers.http01.responder import Responder, ResponderOptions
from certwright.solvers.http01.self_check import SelfCheck, SelfCheckOptions
from certwright.solvers.http01.solver import Http01Options, Http01Solver
from certwright.telemetry.metrics import Metrics

Part = Callable[[], Awaitable[None]]
"""Runs until it is cancelled."""


class Parts(Struct, frozen=True, kw_only=True):
    """What runs: `watching` always, `controllers` while we lead; `closing` is called at the end."""

    cluster: Cluster
    metrics: Metrics
    watching: tuple[Part, ...]
    controllers: tuple[Part, ...]
    responder: Responder
    synced: Part
    closing: tuple[Part, ...]


def build_parts(options: ControllerOptions, connection: Connection, client: KubeClient, clock: Clock) -> Parts:
    """Nothing is read or written before the parts run."""
    settings = options.settings
    caches = build_caches(client, clock, settings)
    legacy = None if settings.legacy_mode == "off" else legacy_sources(client, clock, settings, caches)
    issuer_sources: dict[Dialect, IssuerSource] = {Dialect.MODERN: ModernIssuers(caches)}
    if legacy is not None:
        issuer_sources[Dialect.LEGACY] = legacy.issuers
    cluster = Cluster(
        client=client,
        clock=clock,
        recorder=Recorder(client, clock),
        caches=caches,
        issuers=IssuerDirectory(issuer_sources, mirrored=settings.legacy_mode == "mirror"),
        secrets=SecretReader(client),
        pending=PendingKeys(),
        settings=settings,
    )
    metrics = Metrics(clock, samples_of(caches, legacy))
    responder = _responder(options.outside)
    world = _World(cluster, legacy, metrics, options, connection.server)
    outside = _outside(world, responder)
    return Parts(
        cluster=cluster,
        metrics=metrics,
        watching=(caches.run, cluster.recorder.run, *((legacy.caches.run,) if legacy else ())),
        controllers=_controllers(world, outside),
        responder=responder,
        synced=partial(_synced, caches, legacy),
        closing=(outside.acme.close, outside.self_check.close, outside.transport.close),
    )


async def _synced(caches: Caches, legacy: LegacySources | None) -> None:
    await caches.synced()
    if legacy is not None:
        await legacy.caches.synced()


class _World(Struct, frozen=True):
    cluster: Cluster
    legacy: LegacySources | None
    metrics: Metrics
    options: ControllerOptions
    server: str


class _Outside(Struct, frozen=True):
    transport: Transport
    acme: AcmeClients
    self_check: SelfCheck
    solving: Solving


def _controllers(world: _World, outside: _Outside) -> tuple[Part, ...]:
    cluster, metrics, acme = world.cluster, world.metrics, outside.acme
    trusted = world.options.outside.trusted_ca_pem
    vault = VaultOptions(trusted_ca_pem=trusted, environment=os.environ)
    types: Mapping[str, IssuerType] = {
        "self_signed": SelfSigned(cluster),
        "ca": CA(cluster),
        "acme": AcmeIssuer(cluster, acme),
        "vault": VaultIssuerType(cluster, outside.transport, vault),
    }
    sources: dict[Dialect, CertificateSource] = {
        Dialect.MODERN: ModernCertificates(cluster.caches, cluster.settings.gates)
    }
    presenters: dict[Dialect, CertificatePresenter] = {Dialect.MODERN: ModernCertificatePresenter(cluster)}
    issuer_presenters: dict[Dialect, IssuerPresenter] = {Dialect.MODERN: ModernIssuerPresenter(cluster)}
    parts: dict[str, Part] = {}
    if world.legacy is not None:
        group = LegacyGroup(cluster, world.legacy, metrics)
        sources[Dialect.LEGACY] = world.legacy.certificates
        presenters[Dialect.LEGACY] = group.certificates
        issuer_presenters[Dialect.LEGACY] = group.issuers
        parts["legacy"] = group.run
    parts["issuers"] = IssuerController(cluster, types, issuer_presenters, metrics).run
    parts["certificates"] = CertificateController(cluster, sources, presenters, types, metrics).run
    parts["certificaterequests"] = CertificateRequestController(cluster, types, metrics).run
    parts["issuer-kinds"] = IssuerKindController(cluster, metrics).run
    parts["orders"] = OrderController(cluster, acme, metrics).run
    parts["challenges"] = ChallengeController(cluster, acme, outside.solving, metrics).run
    return tuple(parts[name] for name in parts if name in chosen(world.options.controllers))


def _acme_options(outside: Outside) -> AcmeOptions:
    return AcmeOptions(trusted_ca_pem=outside.trusted_ca_pem, connect_to=outside.connect_to)


def _responder(outside: Outside) -> Responder:
    host, port = split_address(outside.http01_listen_address)
    return Responder(ResponderOptions(host=host, port=port))


def _self_check(outside: Outside, transport: Transport) -> SelfCheck:
    proxies = Proxies.from_environment(os.environ)
    options = SelfCheckOptions(proxies=proxies, connect_to=outside.connect_to, port=outside.http01_port)
    if not outside.http01_nameservers:
        return SelfCheck(options)
    return SelfCheck(options, DnsClient(transport, DnsOptions(recursive_nameservers=outside.http01_nameservers)))


def _outside(world: _World, responder: Responder) -> _Outside:
    cluster, outside = world.cluster, world.options.outside
    dns = DnsOptions(
        recursive_nameservers=outside.recursive_nameservers or system_nameservers(),
        recursive_only=outside.recursive_nameservers_only,
        authoritative_addresses=outside.authoritative_addresses,
        ca_bundle=outside.trusted_ca_pem,
    )
    transport = Transport(cluster.clock)
    addresses = outside.http01_addresses
    if addresses is None:
        addresses = own_addresses(os.environ, world.server)
    self_check = _self_check(outside, transport)
    http01 = Http01Options(
        addresses=addresses,
        port=responder.port,
        extra_labels=outside.http01_labels,
        pods=None if outside.http01_mode == "shared" else outside.http01_pods,
    )
    solving = Solving(
        cluster,
        Dns01Solver(transport, cluster.clock, Dns01Options(dns=dns, endpoints=outside.provider_endpoints)),
        Http01Solver(cluster.client, responder, self_check, http01),
        outside.http01_mode,
    )
    acme = AcmeClients(cluster, _acme_options(outside), world.metrics.acme_request)
    return _Outside(transport, acme, self_check, solving)
