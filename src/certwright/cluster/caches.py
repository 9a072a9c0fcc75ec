"""The shared caches: one a kind, each holding only what passes ask of it."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.cluster.facts import RequestFacts, SecretFacts
from certwright.kube.runtime.cache import Cache


class Caches(Struct, kw_only=True):
    """Built by `app`. `foreign_secrets` keeps the resource version alone, of Secrets that are not marked as ours.

    `secrets` holds the Secrets with the label `controller.cert-manager.io/fao`: targets and temporary keys.
    """

    certificates: Cache[cm.Certificate]
    requests: Cache[RequestFacts]
    issuers: Cache[cm.Issuer]
    cluster_issuers: Cache[cm.ClusterIssuer]
    orders: Cache[acme.Order]
    challenges: Cache[acme.Challenge]
    secrets: Cache[SecretFacts]
    foreign_secrets: Cache[str]

    async def synced(self) -> None:
        """Return once every cache of the modern groups has its first list."""
        await asyncio.gather(
            self.certificates.synced(),
            self.requests.synced(),
            self.issuers.synced(),
            self.cluster_issuers.synced(),
            self.orders.synced(),
            self.challenges.synced(),
            self.secrets.synced(),
            self.foreign_secrets.synced(),
        )
