"""Everything that a pass over one Certificate looks at, as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition
from certwright.api.wellknown import ConditionType
from certwright.cluster.caches import BY_OWNER, password_secrets
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import CertificateSource
from certwright.cluster.facts import TARGET_SECRET, secret_facts
from certwright.cluster.settings import Settings
from certwright.controllers.certificate.asking import Advice, Asking
from certwright.controllers.certificate.authorities import Authorities
from certwright.issuers.base import IssuerType
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.rules import defaults
from certwright.rules.conditions import find_condition
from certwright.rules.facts import LeafFacts, RequestFacts, SecretFacts
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate, HubIssuer
from certwright.rules.key_choice import unfit_issuer
from certwright.rules.owner import owner_among, superseding
from certwright.rules.private_key import next_key_secret
from certwright.rules.reissue import Subjects
from certwright.rules.renewal_information import advised_renewal
from certwright.rules.renewal_time import Renewal, planned_renewal
from certwright.rules.request_content import request_name

StoreVersions = tuple[object, ...]
"""What the key stores in a Secret were found to be right for: versions of the Secrets, and the spec."""


class CertificateView(Struct, frozen=True, kw_only=True):
    """One Certificate with all that belongs to it.

    `signs_here` says that its issuer is ready and signs in this process, and that the approver is ours too.
    `held_key` is the digest of the key that waits in this process for the next request.
    `ca_reissue` is when the certificate is issued again because its CA has a new key.
    `stores_unchecked` says that nobody has looked whether the key stores open with the passwords of now.
    """

    certificate: HubCertificate
    now: datetime
    owner: HubCertificate
    is_superseded: bool
    secret: SecretFacts | None
    requests: tuple[RequestFacts, ...]
    key_secrets: tuple[SecretFacts, ...]
    issuer: HubIssuer | None
    signs_here: bool
    held_key: bytes | None
    stores_unchecked: bool
    backoff: tuple[timedelta, timedelta]
    owner_reference: bool
    renewal_spread: float = 0
    ca_reissue: datetime | None = None
    advice: Advice | None = None

    @property
    def spec(self) -> cm.CertificateSpec:
        """What is wanted."""
        return self.certificate.spec

    @property
    def status(self) -> cm.CertificateStatus:
        """What was said last."""
        return self.certificate.status

    @property
    def unissuable(self) -> str:
        """Why no certificate is made now, whatever is due; no text where one is."""
        found, issuer = self.certificate.unissuable, self.issuer
        return found or ("" if issuer is None else unfit_issuer(issuer, defaults.key_spec(self.spec).algorithm))

    @property
    def owns(self) -> bool:
        """Whether it may write its target Secret."""
        return self.owner.key == self.certificate.key

    @property
    def revision(self) -> int:
        """The number of the last issuance; 0 before the first."""
        return self.status.revision or 0

    @property
    def current(self) -> RequestFacts | None:
        """The request of the present revision."""
        return self._request(self.status.revision)

    @property
    def next(self) -> RequestFacts | None:
        """The request of the issuance that is under way."""
        return self._request(self.revision + 1)

    @property
    def issuing(self) -> Condition | None:
        """The condition Issuing."""
        return find_condition(self.status.conditions, ConditionType.ISSUING)

    @property
    def is_issuing(self) -> bool:
        """Whether the status, or a client, says that an issuance is under way."""
        return self.issuing is not None and self.issuing.status == "True"

    @property
    def key_secret(self) -> SecretFacts | None:
        """The temporary Secret that counts."""
        return next_key_secret(self.key_secrets, self.status.next_private_key_secret_name)

    @property
    def subjects(self) -> Subjects:
        """For the rules of re-issue."""
        return Subjects(certificate=self.certificate, secret=self.secret, current=self.current)

    def planned(self, leaf: LeafFacts, found: cm.RenewalInformation | None) -> Renewal:
        """When that certificate is renewed, where its CA has said that."""
        share = self.renewal_spread
        if found is None:
            return planned_renewal(self.certificate, leaf, share)
        issued = None if self.current is None else self.current.metadata.creation_timestamp
        return advised_renewal(self.certificate, leaf, share, found, issued)

    def _request(self, revision: int | None) -> RequestFacts | None:
        if not revision:
            return None
        found = [request for request in self.requests if request.revision == revision]
        if len(found) < 2:
            return found[0] if found else None
        stable = request_name(self.certificate, revision)
        return min(found, key=lambda request: (request.metadata.name != stable, request.metadata.name))


class Gatherer:
    """Reads the caches; the API server only for a target Secret that is not marked as ours."""

    def __init__(
        self,
        cluster: Cluster,
        sources: Mapping[Dialect, CertificateSource],
        types: Mapping[str, IssuerType],
    ) -> None:
        self._cluster = cluster
        self._sources = sources
        self._types = types
        self._checked: dict[CertificateKey, StoreVersions] = {}
        self.authorities = Authorities(cluster, sources, types)
        self.asking = Asking(cluster, types)

    async def gather(self, key: CertificateKey) -> CertificateView | None:
        """The view; None where there is no such Certificate, or it is on its way out."""
        cluster, certificate = self._cluster, self._sources[key.dialect].get(key)
        if certificate is None or certificate.metadata.deletion_timestamp is not None:
            self._checked.pop(key, None)
            self.asking.forget(key)
            return None
        caches, settings = cluster.caches, cluster.settings
        secret = await self._target(certificate)
        claimants = self._claimants(certificate)
        owner = owner_among(claimants, secret.metadata if secret else None)
        issuer = cluster.issuers.referred(certificate.spec.issuer_ref, key.namespace)
        uid = certificate.metadata.uid
        view = CertificateView(
            certificate=certificate,
            now=cluster.clock.now(),
            owner=owner or certificate,
            is_superseded=superseding(certificate, claimants) is not None,
            secret=secret,
            requests=_alive(caches.requests.find(BY_OWNER, uid)),
            key_secrets=tuple([found for found in caches.secrets.find(BY_OWNER, uid) if found.is_next_key]),
            issuer=issuer,
            signs_here=self._signs_here(issuer),
            held_key=None,
            stores_unchecked=self._are_stores_unchecked(certificate, secret),
            backoff=_backoff(settings, key.dialect),
            owner_reference=settings.enable_certificate_owner_ref and key.dialect is Dialect.MODERN,
            renewal_spread=settings.renewal_spread,
            ca_reissue=await self.authorities.reissue_time(issuer, secret),
            advice=self.asking.advice(certificate, secret, issuer),
        )
        following = view.next if cluster.pending else None
        held = None if following is None else cluster.pending.digest(following.key)
        return view if held is None else msgspec.structs.replace(view, held_key=held)

    def stores_checked(self, certificate: HubCertificate, secret: SecretFacts) -> None:
        """The key stores in that form of the Secret open with the passwords of now."""
        if password_secrets(certificate.spec) or certificate.spec.keystores:
            self._checked[certificate.key] = self._store_versions(certificate, secret)

    def is_in_process(self, issuer: HubIssuer) -> bool:
        """Whether the issuer's type signs in this process."""
        found = type_of(issuer, self._types)
        return found is not None and found.in_process

    async def _target(self, certificate: HubCertificate) -> SecretFacts | None:
        key = ObjectKey(certificate.key.namespace, certificate.spec.secret_name)
        found = self._cluster.caches.secrets.get(key)
        if found is not None or self._cluster.caches.foreign_secrets.get(key) is None:
            return found
        try:
            return secret_facts(await self._cluster.client.get(TARGET_SECRET, key))
        except NotFound:
            return None

    def _claimants(self, certificate: HubCertificate) -> tuple[HubCertificate, ...]:
        namespace, name = certificate.key.namespace, certificate.spec.secret_name
        keys = [key for source in self._sources.values() for key in source.using_secret(namespace, name)]
        if keys == [certificate.key]:
            return (certificate,)
        found = (self._sources[key.dialect].get(key) for key in keys)
        return tuple(each for each in found if each is not None and each.metadata.deletion_timestamp is None)

    def _signs_here(self, issuer: HubIssuer | None) -> bool:
        if issuer is None or not issuer.is_ready or issuer.problem or not self._cluster.settings.approve:
            return False
        return self.is_in_process(issuer)

    def _are_stores_unchecked(self, certificate: HubCertificate, secret: SecretFacts | None) -> bool:
        stores = certificate.spec.keystores
        if secret is None or stores is None or not has_stores(stores):
            return False
        return self._checked.get(certificate.key) != self._store_versions(certificate, secret)

    def _store_versions(self, certificate: HubCertificate, secret: SecretFacts) -> StoreVersions:
        caches, namespace = self._cluster.caches, certificate.key.namespace
        passwords = (caches.secret_version(namespace, name) for name in password_secrets(certificate.spec))
        return (secret.metadata.resource_version, certificate.spec.keystores, *passwords)


def _backoff(settings: Settings, dialect: Dialect) -> tuple[timedelta, timedelta]:
    least = settings.minimum_backoff if dialect is Dialect.MODERN else settings.legacy_minimum_backoff
    return least, settings.maximum_backoff


def has_stores(stores: cm.Keystores) -> bool:
    """Whether any key store is to be made."""
    return any(store is not None and store.create for store in (stores.jks, stores.pkcs12))


def type_of(issuer: HubIssuer, types: Mapping[str, IssuerType]) -> IssuerType | None:
    """The type of an issuer; None where it is of none that is served."""
    for name in cm.IssuerSpec.__struct_fields__:
        if getattr(issuer.spec, name):
            return types.get(name)
    return None


def _alive(requests: Iterable[RequestFacts]) -> tuple[RequestFacts, ...]:
    return tuple([request for request in requests if request.metadata.deletion_timestamp is None])
