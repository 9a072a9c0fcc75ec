"""Finds the issuer that a reference means, in both groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from certwright.api.meta import ObjectReference
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP
from certwright.cluster.dialects import IssuerSource
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey


class IssuerDirectory:
    """All issuers that are served, whichever group they are in.

    Where the legacy group is `mirrored`, a modern reference to a twin means the legacy original.
    """

    def __init__(self, sources: Mapping[Dialect, IssuerSource], *, mirrored: bool = False) -> None:
        self._sources = sources
        self._mirrored = mirrored

    def get(self, key: IssuerKey) -> HubIssuer | None:
        """The issuer of that key; None where there is none."""
        source = self._sources.get(key.dialect)
        return None if source is None else source.get(key)

    def referred(self, ref: ObjectReference, namespace: str) -> HubIssuer | None:
        """The issuer that a CertificateRequest, Order or Challenge of `namespace` names; None where it is not there.

        An empty group is cert-manager.io; references to other groups are never ours.
        """
        key = key_of(ref, namespace)
        found = None if key is None else self.get(key)
        if found is None and key is not None and self._mirrored and key.dialect is Dialect.MODERN:
            return self.get(key._replace(dialect=Dialect.LEGACY))
        return found

    def all(self) -> Iterator[HubIssuer]:
        """Every issuer."""
        for source in self._sources.values():
            yield from source.all()

    def subscribe(self, listener: Callable[[IssuerKey], None]) -> None:
        """Call at each change of any issuer, also for the first lists; a legacy one changes its twin too."""

        def tell_both(key: IssuerKey) -> None:
            listener(key)
            listener(key._replace(dialect=Dialect.MODERN))

        for dialect, source in self._sources.items():
            source.subscribe(tell_both if self._mirrored and dialect is Dialect.LEGACY else listener)


def key_of(ref: ObjectReference, namespace: str) -> IssuerKey | None:
    """The key that a reference means; None where it means no issuer of ours."""
    kind, dialect = _KINDS.get(ref.kind), _DIALECTS.get(ref.group)
    if kind is None or dialect is None:
        return None
    return IssuerKey(dialect, kind, namespace if kind == "Issuer" else "", ref.name)


_KINDS: Mapping[str, Literal["Issuer", "ClusterIssuer"]] = {
    "": "Issuer",
    "Issuer": "Issuer",
    "ClusterIssuer": "ClusterIssuer",
}
_DIALECTS = {"": Dialect.MODERN, CERT_MANAGER_GROUP: Dialect.MODERN, LEGACY_GROUP: Dialect.LEGACY}
