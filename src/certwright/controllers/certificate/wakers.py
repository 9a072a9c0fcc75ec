"""What wakes a pass over a Certificate. The reason of a wake-up never decides anything."""

from __future__ import annotations

from collections.abc import Mapping

from certwright.api.meta import ObjectMeta
from certwright.api.wellknown import ConditionType
from certwright.cluster.caches import BY_PASSWORD, secret_value
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import CertificateSource
from certwright.controllers.certificate.authorities import Authorities
from certwright.kube.runtime.cache import Change
from certwright.kube.runtime.loop import Loop
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.conditions import is_true
from certwright.rules.facts import RequestFacts, SecretFacts, controller_of
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate, IssuerKey


class Wakers:
    """Listeners of the caches.

    Until the loop has begun, every Certificate that there is waits for its first pass: whatever belongs to it need not
    wake it, and a hundred thousand Secrets and requests are not looked up.
    """

    def __init__(
        self,
        cluster: Cluster,
        sources: Mapping[Dialect, CertificateSource],
        loop: Loop[CertificateKey],
        authorities: Authorities,
    ) -> None:
        self._certificates = cluster.caches.certificates
        self._pending = cluster.pending
        self._sources = sources
        self._loop = loop
        self._authorities = authorities
        self._waiting: dict[CertificateKey, set[CertificateKey]] = {}

    def wait_for(self, owner: CertificateKey, loser: CertificateKey) -> None:
        """Wake `loser`, which wants the same Secret, when something happens to `owner`."""
        self._waiting.setdefault(owner, set()).add(loser)

    def certificate_changed(self, key: CertificateKey) -> None:
        """It, and those that have or had the same target."""
        self._loop.add(key)
        for loser in self._waiting.pop(key, ()):
            self._loop.add(loser)
        found = self._sources[key.dialect].get(key) if self._loop.has_begun else None
        if found is not None:
            self._wake_claimants(ObjectKey(key.namespace, found.spec.secret_name))

    def request_changed(self, change: Change[RequestFacts]) -> None:
        """The Certificate that owns it; nobody waits any more for one that is gone."""
        if change.new is None:
            self._pending.drop(change.key)
        elif change.old is None and not change.new.status.conditions and self._pending.get(change.key) is not None:
            # Its owner has just made it, and has nothing to do before it is answered.
            return
        found = change.new or change.old
        self._wake_owner(change.key.namespace, None if found is None else found.metadata)

    def secret_changed(self, change: Change[SecretFacts]) -> None:
        """Those whose target or password it holds, and the one whose key it holds."""
        self._wake_users(change.key)
        found = change.new or change.old
        if found is not None and found.is_next_key:
            self._wake_owner(change.key.namespace, found.metadata)

    def foreign_secret_changed(self, change: Change[str]) -> None:
        """Those whose target it is or was, and those whose key stores have their password from it."""
        self._wake_users(change.key)

    def issuer_changed(self, key: IssuerKey) -> None:
        """Those that may wait for it: thousands of others need not be looked at, unless they follow its key."""
        self._wake_signed(key, all_of_them=self._authorities.note(key))

    def _wake_signed(self, issuer: IssuerKey, *, all_of_them: bool) -> None:
        for source in self._sources.values():
            for found in source.using_issuer(issuer):
                if all_of_them or _may_wait(found):
                    self._loop.add(found.key)

    def _wake_users(self, secret: ObjectKey) -> None:
        if not self._loop.has_begun:
            return
        for issuer in self._authorities.using_secret(secret):
            for dialect in Dialect:  # a modern reference may mean a legacy issuer
                self._wake_signed(issuer._replace(dialect=dialect), all_of_them=True)
        for certificate in self._certificates.find(BY_PASSWORD, secret_value(*secret)):
            where = certificate.metadata
            self._loop.add(CertificateKey(Dialect.MODERN, where.namespace, where.name))
        self._wake_claimants(secret)

    def _wake_claimants(self, secret: ObjectKey) -> None:
        for source in self._sources.values():
            for key in source.using_secret(*secret):
                self._loop.add(key)

    def _wake_owner(self, namespace: str, metadata: ObjectMeta | None) -> None:
        owner = controller_of(metadata) if metadata is not None and self._loop.has_begun else None
        if owner is None or owner.kind != "Certificate":
            return
        group = owner.api_version.partition("/")[0]
        if group in _GROUPS:
            self._loop.add(CertificateKey(Dialect(group), namespace, owner.name))


_GROUPS = {dialect.value for dialect in Dialect}


def subscribe(
    cluster: Cluster,
    sources: Mapping[Dialect, CertificateSource],
    loop: Loop[CertificateKey],
    authorities: Authorities,
) -> Wakers:
    """Let every change that may matter wake a pass."""
    wakers, caches = Wakers(cluster, sources, loop, authorities), cluster.caches
    for source in sources.values():
        source.subscribe(wakers.certificate_changed)
    caches.requests.subscribe(wakers.request_changed)
    caches.secrets.subscribe(wakers.secret_changed)
    caches.foreign_secrets.subscribe(wakers.foreign_secret_changed)
    cluster.issuers.subscribe(wakers.issuer_changed)
    return wakers


def _may_wait(certificate: HubCertificate) -> bool:
    conditions = certificate.status.conditions
    return not is_true(conditions, ConditionType.READY) or is_true(conditions, ConditionType.ISSUING)
