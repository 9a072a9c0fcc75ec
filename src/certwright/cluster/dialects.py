"""What the engine asks of each API group: where its objects come from, and who words what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.api.meta import Condition
from certwright.rules.hub import CertificateKey, HubCertificate, HubIssuer, IssuerKey
from certwright.rules.milestones import Milestone


class CertificateSource(Protocol):
    """The Certificates of one group, mirrors left out, as hub Certificates."""

    def get(self, key: CertificateKey) -> HubCertificate | None:
        """The Certificate of that key; None where there is none."""

    def all(self) -> Iterable[HubCertificate]:
        """Every one."""

    def using_secret(self, namespace: str, secret_name: str) -> tuple[CertificateKey, ...]:
        """Those whose target is that Secret."""

    def using_issuer(self, key: IssuerKey) -> tuple[HubCertificate, ...]:
        """Those whose reference means that issuer."""

    def subscribe(self, listener: Callable[[CertificateKey], None]) -> None:
        """Call at each change, also for the first list, synchronously."""


class IssuerSource(Protocol):
    """The issuers of one group, mirrors left out, as hub issuers."""

    def get(self, key: IssuerKey) -> HubIssuer | None:
        """The issuer of that key; None where there is none."""

    def all(self) -> Iterable[HubIssuer]:
        """Every one."""

    def subscribe(self, listener: Callable[[IssuerKey], None]) -> None:
        """Call at each change, also for the first list, synchronously."""


class Report(Struct, frozen=True, kw_only=True):
    """What a pass over a Certificate came to: the whole status that is wanted, in v1 terms, and what happened."""

    status: cm.CertificateStatus
    milestones: tuple[Milestone, ...] = ()


class CertificatePresenter(Protocol):
    """Words a report in one group's terms: at most one status write (none where nothing changed), then the events."""

    async def report(self, certificate: HubCertificate, report: Report) -> None:
        """Write it. A status write is refused (`Conflict`) where the view was stale."""


class IssuerReport(Struct, frozen=True, kw_only=True):
    """What a check came to."""

    ready: Condition
    acme: AcmeIssuerStatus | None = None


class IssuerPresenter(Protocol):
    """Writes an issuer's status in one group's terms; nothing where nothing changed."""

    async def report(self, issuer: HubIssuer, report: IssuerReport) -> None:
        """Write it."""
