"""The shared caches: one a kind, each holding only what passes ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.cluster.facts import RequestFacts, SecretFacts
from certwright.kube.runtime.cache import Cache
from certwright.rules.hub import HubIssuer, IssuerKey


class LegacyIssuers(Protocol):
    """The legacy issuers as hub issuers, where the legacy group is served."""

    def get(self, key: IssuerKey) -> HubIssuer | None:
        """The issuer of that key."""

    def all(self) -> Iterator[HubIssuer]:
        """Every one."""


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
    legacy: LegacyIssuers | None = None

    def legacy_issuer(self, key: IssuerKey) -> HubIssuer | None:
        """The legacy issuer of that key; None where there is none."""
        return None if self.legacy is None else self.legacy.get(key)

    def legacy_issuers_all(self) -> Iterator[HubIssuer]:
        """Every legacy issuer."""
        return iter(()) if self.legacy is None else self.legacy.all()

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
