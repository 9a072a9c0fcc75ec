"""Finds the issuer that a reference means, in both groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectReference
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP
from certwright.cluster.caches import Caches
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey, modern_issuer

IssuerKind = Literal["Issuer", "ClusterIssuer"]
KINDS: tuple[IssuerKind, ...] = ("Issuer", "ClusterIssuer")


class IssuerDirectory:
    """The issuers in the caches, as hub issuers."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def get(self, key: IssuerKey) -> HubIssuer | None:
        """The issuer of that key; None where there is none."""
        where = ObjectKey(key.namespace, key.name)
        if key.dialect is Dialect.LEGACY:
            return self._caches.legacy_issuer(key)
        found: cm.Issuer | cm.ClusterIssuer | None
        found = self._caches.issuers.get(where) if key.kind == "Issuer" else self._caches.cluster_issuers.get(where)
        return None if found is None else modern_issuer(found)

    def referred(self, ref: ObjectReference, namespace: str) -> HubIssuer | None:
        """The issuer that a CertificateRequest, Order or Challenge of `namespace` names; None where it is not there.

        An empty group is cert-manager.io; references to other groups are never ours.
        """
        key = key_of(ref, namespace)
        return None if key is None else self.get(key)

    def all(self) -> Iterator[HubIssuer]:
        """Every issuer of both groups."""
        for issuer in self._caches.issuers.values():
            yield modern_issuer(issuer)
        for cluster_issuer in self._caches.cluster_issuers.values():
            yield modern_issuer(cluster_issuer)
        yield from self._caches.legacy_issuers_all()


def key_of(ref: ObjectReference, namespace: str) -> IssuerKey | None:
    """The key that a reference means; None where it means no issuer of ours."""
    kind = ref.kind or "Issuer"
    group = ref.group or CERT_MANAGER_GROUP
    if group not in {CERT_MANAGER_GROUP, LEGACY_GROUP} or kind not in KINDS:
        return None
    narrowed: IssuerKind = "Issuer" if kind == "Issuer" else "ClusterIssuer"
    return IssuerKey(Dialect(group), narrowed, namespace if narrowed == "Issuer" else "", ref.name)
