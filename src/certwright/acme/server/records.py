"""What the CA remembers, as it is stored."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from certwright.acme.protocol.messages import Identifier, Status, Window
from certwright.acme.protocol.problems import Problem


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stored thing: `account` is whose it is, `lookup` what it is found by, `expires` when it may be forgotten."""

    id: str
    account: str = ""
    lookup: str = ""
    expires: datetime | None = None


class AccountRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An account; `lookup` is the thumbprint of its key."""

    jwk: dict[str, str]
    contact: tuple[str, ...] = ()
    status: str = Status.VALID
    terms_agreed: bool = False
    external_key_id: str = ""


class ChallengeRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way to prove control; an outcome counts from `shown_from` on."""

    type: str
    token: str
    status: str = Status.PENDING
    validated: datetime | None = None
    error: Problem | None = None
    shown_from: datetime | None = None


class AuthorizationRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The right to ask for one identifier; `lookup` is the identifier, `*.` included."""

    identifier: Identifier
    until: datetime
    challenges: tuple[ChallengeRecord, ...]
    wildcard: bool = False
    deactivated: bool = False


class OrderRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate in the making; `lookup` is what is asked for, the certificate is given out from `ready_from` on."""

    identifiers: tuple[Identifier, ...]
    authorizations: tuple[str, ...]
    until: datetime
    not_before: datetime | None = None
    not_after: datetime | None = None
    profile: str = ""
    replaces: str = ""
    error: Problem | None = None
    certificate: str = ""
    ready_from: datetime | None = None


class CertificateRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An issued certificate as DER; `lookup` is its name in renewal information, `window` an advice of the operator."""

    der: bytes
    identifiers: tuple[Identifier, ...]
    revoked: datetime | None = None
    reason: int = 0
    replaced_by: str = ""
    window: Window | None = None


class KeyPairRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A CA of ours with its private key, both as PEM."""

    cert_pem: bytes
    key_pem: bytes

    def __repr__(self) -> str:
        return f"KeyPairRecord(id={self.id!r}, key_pem=…)"
