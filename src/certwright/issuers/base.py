"""What every issuer type implements, and the closed types of its answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from certwright.acme.protocol.messages import RenewalInfo
from certwright.api import certmanager_v1 as cm
from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.api.meta import ObjectMeta
from certwright.api.wellknown import RequestEvent
from certwright.pki.csr import Request
from certwright.rules.hub import HubIssuer, IssuerKey


class EventText(Struct, frozen=True):
    """An event that an answer brings with it."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether an issuer can sign: its Ready condition, its ACME status, and when to ask again.

    `look_again` None means: only when the issuer or one of its Secrets changes. `retry` asks for back-off.
    """

    ready: bool
    reason: str
    message: str
    acme: AcmeIssuerStatus | None = None
    """The new `status.acme`; None keeps what is there."""
    events: tuple[EventText, ...] = ()
    look_again: datetime | None = None
    retry: bool = False


class RequestToSign(Struct, frozen=True, kw_only=True):
    """A CertificateRequest (or CertificateSigningRequest) as an issuer type sees it; `csr` is the decoded request."""

    metadata: ObjectMeta
    spec: cm.CertificateRequestSpec
    csr: Request

    @property
    def namespace(self) -> str:
        """Where the request lives."""
        return self.metadata.namespace


class Signed(Struct, frozen=True):
    """The chain as PEM, leaf first, and the CA as PEM where it is known."""

    chain_pem: bytes
    ca_pem: bytes = b""
    events: tuple[EventText, ...] = ()


class Pending(Struct, frozen=True):
    """Nothing yet: `message` goes into the condition, `event` (a reason) into an event at the first time.

    `after` None means: when something the issuer type watches changes.
    """

    message: str
    event: str = ""
    after: timedelta | None = None


class Refused(Struct, frozen=True):
    """Never: `message` goes into the condition, `event` is the event's reason."""

    message: str
    event: str = RequestEvent.SIGNING_ERROR


Outcome = Signed | Pending | Refused


class IssuerType(ABC):
    """One way to sign. Both calls may be repeated at any time, also by a process that was killed in between.

    They raise `Retry` for passing faults of others, which the caller backs off from.
    """

    @abstractmethod
    async def check(self, issuer: HubIssuer) -> Verdict:
        """Whether the issuer can sign now."""

    @abstractmethod
    async def sign(self, issuer: HubIssuer, request: RequestToSign) -> Outcome:
        """The certificate for an approved request, or why there is none."""

    def on_doubt(self, listener: Callable[[IssuerKey], None]) -> None:  # noqa: B027 - most types have nothing to tell
        """Call when an issuer is to be checked again for a reason that no object shows; by default there is none."""

    async def signing_key(self, issuer: HubIssuer) -> bytes:
        """The identifier of the key that signs now, as leaves have it; no bytes where that cannot be known."""
        del issuer
        return b""

    async def renewal_info(self, issuer: HubIssuer, certificate: str) -> RenewalInfo | None:
        """When the CA wants a certificate (by its RFC 9773 name) renewed; None where it does not say such things.

        `Blocked` where the CA has nothing to say of this one. A `Retry` says how long the CA wants to be left alone.
        """
        del issuer, certificate
        return None

    @property
    def in_process(self) -> bool:
        """Whether it signs here, with nothing outside that could keep a certificate whose key was lost."""
        return False
