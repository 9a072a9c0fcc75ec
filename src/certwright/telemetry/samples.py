"""What metrics say of the objects of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct

Truth = Literal["True", "False", "Unknown"]

TRUTHS: tuple[Truth, ...] = ("True", "False", "Unknown")
CHALLENGE_STATES = ("", "pending", "processing", "ready", "valid", "invalid", "expired", "errored")
# A reason holds words of other servers: uncut, every new wording would be a long new series.
LONGEST_REASON = 120

CERTIFICATE_LABELS = ("name", "namespace", "issuer_name", "issuer_kind", "issuer_group")


class CertificateSample(Struct, frozen=True, kw_only=True):
    """What metrics say of one Certificate; the issuer's words are those of the spec, empty where it has none."""

    namespace: str
    name: str
    issuer_name: str
    issuer_kind: str = ""
    issuer_group: str = ""
    ready: Truth = "Unknown"
    not_before: datetime | None = None
    not_after: datetime | None = None
    renewal: datetime | None = None

    @property
    def labels(self) -> dict[str, str]:
        values = (self.name, self.namespace, self.issuer_name, self.issuer_kind, self.issuer_group)
        return dict(zip(CERTIFICATE_LABELS, values, strict=True))


class IssuerSample(Struct, frozen=True, kw_only=True):
    """What metrics say of one Issuer, or of one ClusterIssuer (no namespace)."""

    name: str
    namespace: str = ""
    ready: Truth = "Unknown"

    @property
    def labels(self) -> dict[str, str]:
        return {"name": self.name, "namespace": self.namespace} if self.namespace else {"name": self.name}


class ChallengeSample(Struct, frozen=True, kw_only=True):
    """What metrics say of one Challenge."""

    namespace: str
    name: str
    domain: str
    type: str
    state: str = ""
    reason: str = ""
    processing: bool = False

    @property
    def labels(self) -> dict[str, str]:
        return {
            "domain": self.domain,
            "reason": self.reason[:LONGEST_REASON],
            "processing": str(self.processing).lower(),
            "name": self.name,
            "namespace": self.namespace,
            "type": self.type,
        }


class Samples(Struct, kw_only=True):
    """Where the objects come from at each scrape; their series vanish with them. `app` sets these once."""

    certificates: Callable[[], Iterable[CertificateSample]] = tuple
    issuers: Callable[[], Iterable[IssuerSample]] = tuple
    cluster_issuers: Callable[[], Iterable[IssuerSample]] = tuple
    challenges: Callable[[], Iterable[ChallengeSample]] = tuple
