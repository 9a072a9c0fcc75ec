"""Which issuers name which Secrets."""

from __future__ import annotations

from certwright.kube.wire.keys import ObjectKey
from certwright.rules.hub import HubIssuer, IssuerKey
from certwright.rules.secret_references import secret_references


class SecretUses:
    """Kept as issuers change, so that a change of a Secret finds those that it concerns."""

    def __init__(self) -> None:
        self._by_issuer: dict[IssuerKey, frozenset[ObjectKey]] = {}
        self._by_secret: dict[ObjectKey, set[IssuerKey]] = {}

    def note(self, issuer: HubIssuer, cluster_resource_namespace: str) -> None:
        """The issuer names these Secrets now, whatever it named before."""
        self.forget(issuer.key)
        namespace = issuer.secrets_namespace(cluster_resource_namespace)
        named = frozenset(ObjectKey(namespace, found.name) for found in secret_references(issuer.spec))
        self._by_issuer[issuer.key] = named
        for secret in named:
            self._by_secret.setdefault(secret, set()).add(issuer.key)

    def forget(self, key: IssuerKey) -> None:
        """The issuer is gone."""
        for secret in self._by_issuer.pop(key, frozenset()):
            users = self._by_secret[secret]
            users.discard(key)
            if not users:
                del self._by_secret[secret]

    def of(self, secret: ObjectKey) -> tuple[IssuerKey, ...]:
        """The issuers that name the Secret."""
        return tuple(self._by_secret.get(secret, ()))
