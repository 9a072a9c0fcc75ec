"""The CA issuers that ask for re-issues when their key changes, and the key that each of them signs with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import CertificateSource
from certwright.issuers.base import IssuerType
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.ca_change import Authority, is_asked_for, reissue_time, window_for
from certwright.rules.facts import SecretFacts
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey


class Authorities:
    """What is known is lost with the process: the leaves say themselves which of them are still to be issued anew."""

    def __init__(
        self, cluster: Cluster, sources: Mapping[Dialect, CertificateSource], types: Mapping[str, IssuerType]
    ) -> None:
        self._cluster = cluster
        self._sources = sources
        self._types = types
        self._secrets: dict[IssuerKey, ObjectKey] = {}
        self._known: dict[IssuerKey, Authority] = {}

    def note(self, key: IssuerKey) -> bool:
        """Look at an issuer that has changed; whether it asks for re-issues."""
        issuer = self._cluster.issuers.get(key)
        if issuer is None or issuer.spec.ca is None or not is_asked_for(issuer):
            self._secrets.pop(key, None)
            self._known.pop(key, None)
            return False
        namespace = issuer.secrets_namespace(self._cluster.settings.cluster_resource_namespace)
        self._secrets[key] = ObjectKey(namespace, issuer.spec.ca.secret_name)
        return True

    def using_secret(self, secret: ObjectKey) -> tuple[IssuerKey, ...]:
        """The issuers that ask for re-issues and have their key there."""
        return tuple([key for key, found in self._secrets.items() if found == secret])

    async def reissue_time(self, issuer: HubIssuer | None, secret: SecretFacts | None) -> datetime | None:
        """When the certificate in a Secret is issued again because its issuer has another key now; None: it is not."""
        if issuer is None or secret is None or secret.leaf is None or not is_asked_for(issuer):
            return None
        authority = await self._authority(issuer)
        return None if authority is None else reissue_time(secret.leaf, authority)

    async def _authority(self, issuer: HubIssuer) -> Authority | None:
        served = self._types.get("ca")
        key_id = b"" if served is None else await served.signing_key(issuer)
        if not key_id:
            return None
        known = self._known.get(issuer.key)
        if known is None or known.key_id != key_id:
            users = sum(len(source.using_issuer(issuer.key)) for source in self._sources.values())
            known = Authority(key_id, self._cluster.clock.now(), window_for(users))
            self._known[issuer.key] = known
        return known
