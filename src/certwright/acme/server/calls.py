"""Signed requests as the desks see them, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from msgspec import Struct

from certwright.acme.protocol.keys import Jwk
from certwright.acme.server.mischief import Mischief
from certwright.acme.server.options import AcmeServerOptions
from certwright.acme.server.records import AccountRecord
from certwright.acme.server.refusals import malformed, unauthorized
from certwright.acme.server.store import Store
from certwright.acme.server.views import View
from certwright.clock import Clock

P = TypeVar("P", bound=Struct)


class Parts(Struct, frozen=True):
    """What all desks share."""

    options: AcmeServerOptions
    clock: Clock
    store: Store
    mischief: Mischief


class Call(Struct, frozen=True, kw_only=True):
    """A request whose signature was verified: by an account (`kid`), or by a key that came along (`jwk`)."""

    base: str
    url: str
    words: tuple[str, ...]
    payload: bytes
    account: AccountRecord | None = None
    jwk: Jwk | None = None
    cursor: str = ""

    @property
    def by(self) -> AccountRecord:
        """The account; raises `Refused` where the request came with a key instead."""
        if self.account is None:
            raise malformed("this request must be signed in the name of an account, by the header member kid")
        return self.account

    @property
    def key(self) -> Jwk:
        """The key that came along; raises `Refused` where the request came from an account instead."""
        if self.jwk is None:
            raise malformed("this request must carry its key in the header member jwk")
        return self.jwk

    @property
    def is_reading(self) -> bool:
        """Whether this is a POST-as-GET (RFC 8555 section 6.3)."""
        return not self.payload

    def read(self, shape: type[P]) -> P:
        """The payload; raises `Refused` where it is something else."""
        try:
            return msgspec.json.decode(self.payload or b"{}", type=shape)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise malformed(f"the payload is not what this resource takes: {error}") from error


class Reply(Struct, frozen=True, kw_only=True):
    """An answer: a JSON object, or bytes of another type; `links` are Link headers."""

    status: int = HTTPStatus.OK
    view: View | None = None
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}
    links: tuple[str, ...] = ()


def owned(account: str, call: Call, what: str) -> None:
    """Raise `Refused` unless the thing belongs to the caller's account."""
    if account != call.by.id:
        raise unauthorized(f"this {what} belongs to another account")


def missing(what: str) -> Exception:
    """There is no such thing here."""
    return malformed(f"there is no such {what} at this CA (any more)", HTTPStatus.NOT_FOUND)
