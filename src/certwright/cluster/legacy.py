"""Certificates and issuers of certmanager.k8s.io, as the engine sees them; the group may be absent on a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from msgspec import Struct

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.kinds import LEGACY_CERTIFICATE, LEGACY_CLUSTER_ISSUER, LEGACY_ISSUER, Unreadable
from certwright.api.meta import ApiStruct, decode
from certwright.clock import Clock
from certwright.cluster.caches import BY_ISSUER, BY_SECRET, Caches, issuer_value, secret_value
from certwright.cluster.dialects import CertificateSource, IssuerSource
from certwright.cluster.modern import ModernCertificates, ModernIssuers
from certwright.cluster.settings import Settings
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.runtime.cache import Cache, Change, each
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate, HubIssuer, IssuerKey
from certwright.rules.legacy_hub import (
    FindIssuer,
    LegacyDefaults,
    chosen_issuer,
    issuer_keys,
    legacy_certificate,
    legacy_issuer,
    with_present_key,
)

CHECK_PERIOD = timedelta(minutes=1)
"""How often a cluster without the group is asked again."""

_PLURALS = {kind.resource.plural for kind in (LEGACY_CERTIFICATE, LEGACY_ISSUER, LEGACY_CLUSTER_ISSUER)}

LegacyCertificate = legacy.Certificate | Unreadable
LegacyIssuer = legacy.Issuer | legacy.ClusterIssuer | Unreadable


class LegacyCaches:
    """The objects of the legacy group, watched once the group is served."""

    def __init__(self, client: KubeClient, clock: Clock, settings: Settings) -> None:
        self._client, self._clock = client, clock
        self._served = asyncio.Event()
        self._asked = asyncio.Event()
        here = Selection(settings.namespace)
        indexes = {BY_SECRET: _targets, BY_ISSUER: _references}
        self.certificates: Cache[LegacyCertificate] = Cache(
            client, LEGACY_CERTIFICATE, each(_whole_certificate), clock=clock, selection=here, indexes=indexes
        )
        self.issuers: Cache[LegacyIssuer] = Cache(
            client, LEGACY_ISSUER, each(_whole_issuer), clock=clock, selection=here
        )
        self.cluster_issuers: Cache[LegacyIssuer] = Cache(
            client, LEGACY_CLUSTER_ISSUER, each(_whole_cluster_issuer), clock=clock
        )
        self._namespaced_only = bool(settings.namespace)

    @property
    def served(self) -> bool:
        """Whether the cluster has the group, as far as was seen."""
        return self._served.is_set()

    async def until_served(self) -> None:
        """Return once the cluster has the group."""
        await self._served.wait()

    async def synced(self) -> None:
        """Return once the first lists are in, or once it is known that the cluster has no such group."""
        await self._asked.wait()
        if self.served:
            await asyncio.gather(*(cache.synced() for cache in self._caches))

    async def run(self) -> None:
        """Wait for the group, then watch it, until cancelled."""
        while not await self._is_served():
            self._asked.set()
            await self._clock.wait(CHECK_PERIOD)
        self._served.set()
        self._asked.set()
        async with asyncio.TaskGroup() as group:
            for cache in self._caches:
                group.create_task(cache.run())

    @property
    def _caches(self) -> tuple[Cache[LegacyCertificate] | Cache[LegacyIssuer], ...]:
        found: tuple[Cache[LegacyCertificate] | Cache[LegacyIssuer], ...] = (self.certificates, self.issuers)
        return found if self._namespaced_only else (*found, self.cluster_issuers)

    async def _is_served(self) -> bool:
        try:
            found = decode(_Resources, await self._client.get_raw(LEGACY_CERTIFICATE.resource.root))
        except NotFound:
            return False
        return {resource.name for resource in found.resources} >= _PLURALS


class LegacyIssuers:
    """The source of certmanager.k8s.io Issuers and ClusterIssuers."""

    def __init__(self, caches: LegacyCaches) -> None:
        self._caches = caches
        self._decoded: dict[IssuerKey, _Decoded] = {}

    def get(self, key: IssuerKey) -> HubIssuer | None:
        """The issuer of that key; None where there is none."""
        cache = self._caches.issuers if key.kind == "Issuer" else self._caches.cluster_issuers
        found = cache.get(ObjectKey(key.namespace, key.name))
        if found is None:
            self._decoded.pop(key, None)
            return None
        known = self._decoded.get(key)
        if known is None or known.found is not found:
            known = self._decoded[key] = _Decoded(found, legacy_issuer(key, found))
        return known.issuer

    def all(self) -> Iterable[HubIssuer]:
        """Every one."""
        keys = [_issuer_key("Issuer", found) for found in self._caches.issuers.values()]
        keys += [_issuer_key("ClusterIssuer", found) for found in self._caches.cluster_issuers.values()]
        return filter(None, map(self.get, keys))

    def subscribe(self, listener: Callable[[IssuerKey], None]) -> None:
        """Call at each change, also for the first list, synchronously."""

        def tell(change: Change[LegacyIssuer]) -> None:
            listener(IssuerKey(Dialect.LEGACY, "Issuer", change.key.namespace, change.key.name))

        def tell_cluster(change: Change[LegacyIssuer]) -> None:
            listener(IssuerKey(Dialect.LEGACY, "ClusterIssuer", "", change.key.name))

        self._caches.issuers.subscribe(tell)
        self._caches.cluster_issuers.subscribe(tell_cluster)


class LegacyCertificates:
    """The source of certmanager.k8s.io Certificates; what they mean depends on their issuers, of either group."""

    def __init__(self, caches: LegacyCaches, issuers: LegacyIssuers, modern: Caches, settings: Settings) -> None:
        self._cache = caches.certificates
        self._secrets = modern.secrets
        self._issuers: dict[Dialect, IssuerSource] = {Dialect.LEGACY: issuers, Dialect.MODERN: ModernIssuers(modern)}
        self._defaults = LegacyDefaults(
            renew_before=settings.legacy_renew_before, own_ca_duration=settings.legacy_default_duration
        )

    def get(self, key: CertificateKey) -> HubCertificate | None:
        """The Certificate of that key; None where there is none."""
        found = self._cache.get(ObjectKey(key.namespace, key.name))
        return None if found is None else self._hub(found)

    def all(self) -> Iterable[HubCertificate]:
        """Every one."""
        return map(self._hub, self._cache.values())

    def using_secret(self, namespace: str, secret_name: str) -> tuple[CertificateKey, ...]:
        """Those whose target is that Secret."""
        users = self._cache.find(BY_SECRET, secret_value(namespace, secret_name))
        return tuple([CertificateKey(Dialect.LEGACY, namespace, found.metadata.name) for found in users])

    def using_issuer(self, key: IssuerKey) -> tuple[HubCertificate, ...]:
        """Those whose reference may mean that issuer."""
        return tuple(map(self._hub, self._cache.find(BY_ISSUER, issuer_value(key))))

    def subscribe(self, listener: Callable[[CertificateKey], None]) -> None:
        """Call at each change of a Certificate or of an issuer that it may mean, also for the first lists."""

        def tell(change: Change[LegacyCertificate]) -> None:
            listener(CertificateKey(Dialect.LEGACY, change.key.namespace, change.key.name))

        def tell_users(key: IssuerKey) -> None:
            for found in self._cache.find(BY_ISSUER, issuer_value(key)):
                listener(CertificateKey(Dialect.LEGACY, found.metadata.namespace, found.metadata.name))

        self._cache.subscribe(tell)
        for source in self._issuers.values():
            source.subscribe(tell_users)

    def _hub(self, found: LegacyCertificate) -> HubCertificate:
        issuer = None
        if isinstance(found, legacy.Certificate):
            find: FindIssuer = self._find_issuer
            issuer = chosen_issuer(found.spec, found.metadata.namespace, find)
        certificate = legacy_certificate(found, issuer, self._defaults)
        secret = self._secrets.get(ObjectKey(certificate.key.namespace, certificate.spec.secret_name))
        return with_present_key(certificate, secret.key.spec if secret is not None and secret.key is not None else None)

    def _find_issuer(self, key: IssuerKey) -> HubIssuer | None:
        return self._issuers[key.dialect].get(key)


class LegacySources(Struct, frozen=True, kw_only=True):
    """What there is of the legacy group, and the modern Certificates that may take a Secret over."""

    caches: LegacyCaches
    certificates: LegacyCertificates
    issuers: LegacyIssuers
    modern: CertificateSource

    def successor(self, certificate: HubCertificate) -> HubCertificate | None:
        """The modern Certificate of the same name that a legacy one has handed its Secret to."""
        key = certificate.key._replace(dialect=Dialect.MODERN)
        found = self.modern.get(key)
        return found if found is not None and found.spec.secret_name == certificate.spec.secret_name else None


def legacy_sources(client: KubeClient, clock: Clock, settings: Settings, modern: Caches) -> LegacySources:
    """The sources of one cluster; nothing is read before `caches.run`."""
    caches = LegacyCaches(client, clock, settings)
    issuers = LegacyIssuers(caches)
    certificates = LegacyCertificates(caches, issuers, modern, settings)
    return LegacySources(caches=caches, certificates=certificates, issuers=issuers, modern=ModernCertificates(modern))


class _Resource(ApiStruct, frozen=True):
    name: str


class _Resources(ApiStruct, frozen=True):
    """metav1.APIResourceList."""

    resources: tuple[_Resource, ...] = ()


class _Decoded(Struct, frozen=True):
    found: LegacyIssuer
    issuer: HubIssuer


def _whole_certificate(found: LegacyCertificate) -> LegacyCertificate:
    return found


def _whole_issuer(found: legacy.Issuer | Unreadable) -> LegacyIssuer:
    return found


def _whole_cluster_issuer(found: legacy.ClusterIssuer | Unreadable) -> LegacyIssuer:
    return found


def _issuer_key(kind: str, found: LegacyIssuer) -> IssuerKey:
    if kind == "Issuer":
        return IssuerKey(Dialect.LEGACY, "Issuer", found.metadata.namespace, found.metadata.name)
    return IssuerKey(Dialect.LEGACY, "ClusterIssuer", "", found.metadata.name)


def _targets(found: LegacyCertificate) -> Iterable[str]:
    if isinstance(found, Unreadable) or not found.spec.secret_name:
        return ()
    return (secret_value(found.metadata.namespace, found.spec.secret_name),)


def _references(found: LegacyCertificate) -> Iterable[str]:
    if isinstance(found, Unreadable):
        return ()
    return map(issuer_value, issuer_keys(found.spec, found.metadata.namespace))
