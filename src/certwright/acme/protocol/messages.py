"""The objects of RFC 8555 section 7.1 and RFC 9773 section 4, as they travel."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from certwright.acme.protocol.problems import Problem


class Status(StrEnum):
    """States of orders, authorizations, challenges and accounts (RFC 8555 section 7.1.6)."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"
    EXPIRED = "expired"
    DEACTIVATED = "deactivated"
    REVOKED = "revoked"


class ChallengeType(StrEnum):
    """The challenge types that are understood; a CA may offer others."""

    HTTP_01 = "http-01"
    DNS_01 = "dns-01"
    TLS_ALPN_01 = "tls-alpn-01"


M = TypeVar("M", bound="Message")


class Message(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A JSON object of the protocol; unknown members are ignored."""


class Identifier(Message, frozen=True):
    """What a certificate is asked for: type `dns` or `ip` (RFC 8738), value without `*.` inside authorizations."""

    type: str
    value: str


class DirectoryMeta(Message, frozen=True):
    """What the CA says about itself."""

    terms_of_service: str = ""
    website: str = ""
    caa_identities: tuple[str, ...] = ()
    external_account_required: bool = False
    profiles: dict[str, str] = field(default_factory=dict)


class Directory(Message, frozen=True):
    """Where the CA's resources are; an empty URL means that the CA does not offer it."""

    new_nonce: str
    new_account: str
    new_order: str
    new_authz: str = ""
    revoke_cert: str = ""
    key_change: str = ""
    renewal_info: str = ""
    meta: DirectoryMeta = DirectoryMeta()


class Account(Message, frozen=True):
    """An account; `url` is its identity (`kid`), taken from the Location header."""

    status: str
    contact: tuple[str, ...] = ()
    terms_of_service_agreed: bool = False
    orders: str = ""
    url: str = ""


class Challenge(Message, frozen=True):
    """One way to prove control; `token` is empty for types that have none."""

    type: str
    url: str = ""
    status: str = Status.PENDING
    token: str = ""
    validated: datetime | None = None
    error: Problem | None = None


class Authorization(Message, frozen=True):
    """The right to ask for one identifier; `retry_after` is when the CA wants to be asked again."""

    identifier: Identifier
    status: str
    challenges: tuple[Challenge, ...] = ()
    expires: datetime | None = None
    wildcard: bool = False
    url: str = ""
    retry_after: timedelta | None = None


class Order(Message, frozen=True):
    """A certificate in the making; `retry_after` is when the CA wants to be asked again."""

    status: str
    identifiers: tuple[Identifier, ...]
    authorizations: tuple[str, ...]
    finalize: str
    expires: datetime | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    profile: str = ""
    replaces: str = ""
    error: Problem | None = None
    certificate: str = ""
    url: str = ""
    retry_after: timedelta | None = None


class OrderList(Message, frozen=True):
    """URLs of an account's orders (RFC 8555 section 7.1.2.1)."""

    orders: tuple[str, ...] = ()


class NewOrder(Message, frozen=True):
    """What `newOrder` is asked for; empty members are not sent."""

    identifiers: tuple[Identifier, ...]
    not_before: datetime | None = None
    not_after: datetime | None = None
    profile: str = ""
    replaces: str = ""


class Window(Message, frozen=True):
    """A span of time."""

    start: datetime
    end: datetime


class RenewalInfo(Message, frozen=True):
    """When the CA suggests to renew (RFC 9773 section 4.2), and when to ask again."""

    suggested_window: Window
    explanation_url: str = field(default="", name="explanationURL")
    retry_after: timedelta | None = None


def read_message(body: bytes, kind: type[M]) -> M:
    """The message in `body`; members that are null count as absent (Go servers write them); raises `ValueError`."""
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(body)), kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        name = kind.__name__.lower()
        raise ValueError(f"the server's answer is not an ACME {name}: {error}") from None


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
