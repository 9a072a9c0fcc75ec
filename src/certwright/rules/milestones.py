"""What a pass over a Certificate did or found that is worth an event: a closed union, worded by each dialect."""

from __future__ import annotations

from msgspec import Struct


class IssuanceStarted(Struct, frozen=True):
    """An issuance cannot finish in this pass, so its start is told; `reason` and `message` say what is wrong or due."""

    reason: str
    message: str


class KeyGenerated(Struct, frozen=True):
    """A new key lies in the temporary Secret."""

    secret_name: str


class KeyReused(Struct, frozen=True):
    """The key of the target Secret lies in the temporary Secret too."""

    secret_name: str


class KeyUnreadable(Struct, frozen=True):
    """The existing key could not be read, so a new one was made."""

    message: str


class KeyCannotChange(Struct, frozen=True):
    """The existing key does not fit the spec and may not be replaced: a person must act."""

    message: str


class Requested(Struct, frozen=True):
    """A CertificateRequest was made; `renewal` where the Secret held a usable certificate before."""

    request_name: str
    renewal: bool


class RequestNotMade(Struct, frozen=True):
    """The CertificateRequest could not be made."""

    message: str


class Waiting(Struct, frozen=True):
    """The issuance waits for somebody: `reason` is IssuerNotFound, IssuerNotReady or the request's own."""

    reason: str
    message: str


class TemporaryStored(Struct, frozen=True):
    """A temporary self-signed certificate lies in the target Secret."""


class Stored(Struct, frozen=True):
    """The certificate lies in the target Secret; `issuance` names it for good (uid of its CertificateRequest)."""

    request_name: str
    issuance: str
    renewal: bool


class IssuanceFailed(Struct, frozen=True):
    """The issuance failed; the next try is after the back-off that the status says."""

    reason: str
    message: str


class SecretNotWritable(Struct, frozen=True):
    """The target Secret could not be written; `reason` is an event reason."""

    reason: str
    message: str


class WindowUnusable(Struct, frozen=True):
    """No renewal window fits."""

    message: str


class RenewalNotAdvised(Struct, frozen=True):
    """The CA was asked when it wants the certificate renewed, and gave no answer that can be used."""

    message: str


Milestone = (
    IssuanceStarted
    | KeyGenerated
    | KeyReused
    | KeyUnreadable
    | KeyCannotChange
    | Requested
    | RequestNotMade
    | Waiting
    | TemporaryStored
    | Stored
    | IssuanceFailed
    | SecretNotWritable
    | WindowUnusable
    | RenewalNotAdvised
)
