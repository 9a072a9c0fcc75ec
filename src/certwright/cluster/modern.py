"""Certificates and issuers of cert-manager.io, mirrors left out, as the engine sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from certwright.api import certmanager_v1 as cm
from certwright.cluster.caches import BY_ISSUER, BY_SECRET, Caches, issuer_value, secret_value
from certwright.kube.runtime.cache import Change
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.gates import DEFAULTS, ROTATE_ALWAYS, Gates
from certwright.rules.hub import (
    CertificateKey,
    Dialect,
    HubCertificate,
    HubIssuer,
    IssuerKey,
    modern_certificate,
    modern_issuer,
)
from certwright.rules.key_choice import KEY_ALGORITHM, with_key_choices
from certwright.rules.mirrors import is_mirror


class ModernCertificates:
    """The source of cert-manager.io Certificates."""

    def __init__(self, caches: Caches, gates: Gates = DEFAULTS) -> None:
        self._cache = caches.certificates
        self._gates = gates
        self._keys_stay = ROTATE_ALWAYS not in gates

    def get(self, key: CertificateKey) -> HubCertificate | None:
        """The Certificate of that key; None where there is none."""
        found = self._cache.get(ObjectKey(key.namespace, key.name))
        return None if found is None or is_mirror(found.metadata) else self._seen(found)

    def all(self) -> Iterable[HubCertificate]:
        """Every one."""
        return (self._seen(found) for found in self._cache.values() if not is_mirror(found.metadata))

    def using_secret(self, namespace: str, secret_name: str) -> tuple[CertificateKey, ...]:
        """Those whose target is that Secret."""
        users = [found.metadata for found in self._cache.find(BY_SECRET, secret_value(namespace, secret_name))]
        return tuple([CertificateKey(Dialect.MODERN, namespace, user.name) for user in users if not is_mirror(user)])

    def using_issuer(self, key: IssuerKey) -> tuple[HubCertificate, ...]:
        """Those whose reference means that issuer."""
        users = self._cache.find(BY_ISSUER, issuer_value(key))
        return tuple(self._seen(found) for found in users if not is_mirror(found.metadata))

    def subscribe(self, listener: Callable[[CertificateKey], None]) -> None:
        """Call at each change, also for the first list, synchronously."""

        def tell(change: Change[cm.Certificate]) -> None:
            listener(CertificateKey(Dialect.MODERN, change.key.namespace, change.key.name))

        self._cache.subscribe(tell)

    def _seen(self, found: cm.Certificate) -> HubCertificate:
        certificate = modern_certificate(found)
        # Each pass comes here: most Certificates are left as they are.
        if self._keys_stay or KEY_ALGORITHM in found.metadata.annotations:
            return with_key_choices(certificate, self._gates)
        return certificate


class ModernIssuers:
    """The source of cert-manager.io Issuers and ClusterIssuers."""

    def __init__(self, caches: Caches) -> None:
        self._issuers = caches.issuers
        self._cluster_issuers = caches.cluster_issuers

    def get(self, key: IssuerKey) -> HubIssuer | None:
        """The issuer of that key; None where there is none."""
        found: cm.Issuer | cm.ClusterIssuer | None
        if key.kind == "Issuer":
            found = self._issuers.get(ObjectKey(key.namespace, key.name))
        else:
            found = self._cluster_issuers.get(ObjectKey("", key.name))
        return None if found is None or is_mirror(found.metadata) else modern_issuer(found)

    def all(self) -> Iterable[HubIssuer]:
        """Every one."""
        every: Iterable[cm.Issuer | cm.ClusterIssuer] = chain(self._issuers.values(), self._cluster_issuers.values())
        for found in every:
            if not is_mirror(found.metadata):
                yield modern_issuer(found)

    def subscribe(self, listener: Callable[[IssuerKey], None]) -> None:
        """Call at each change, also for the first list, synchronously."""

        def tell(change: Change[cm.Issuer]) -> None:
            listener(IssuerKey(Dialect.MODERN, "Issuer", change.key.namespace, change.key.name))

        def tell_cluster(change: Change[cm.ClusterIssuer]) -> None:
            listener(IssuerKey(Dialect.MODERN, "ClusterIssuer", "", change.key.name))

        self._issuers.subscribe(tell)
        self._cluster_issuers.subscribe(tell_cluster)
