"""Accounts (RFC 8555 section 7.3)."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from certwright.acme.protocol import base64url
from certwright.acme.protocol.jws import Jws, has_mac, read_jws
from certwright.acme.protocol.keys import Jwk, thumbprint
from certwright.acme.protocol.messages import Status
from certwright.acme.protocol.problems import acme_problem
from certwright.acme.server import door
from certwright.acme.server.calls import Call, Parts, Reply, owned
from certwright.acme.server.records import AccountRecord, OrderRecord
from certwright.acme.server.refusals import Refused, malformed, refused, unauthorized
from certwright.acme.server.views import account_view

MOST_CONTACTS = 10
ORDERS_ON_A_PAGE = 100

# RFC 8555 section 7.3: no hfields, one address.
_MAILTO = re.compile(r"mailto:[^@\s?,;]{1,64}@[^@\s?,;]{1,253}")


class _Wanted(Struct, rename="camel"):
    contact: tuple[str, ...] | None = None
    terms_of_service_agreed: bool = False
    only_return_existing: bool = False
    external_account_binding: Jws | None = None
    status: str = ""


class _KeyChange(Struct, rename="camel"):
    account: str
    old_key: dict[str, str]


class AccountDesk:
    """Answers what concerns accounts."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self._options = parts.options.accounts
        self._mischief = parts.mischief

    async def new_account(self, call: Call) -> Reply:
        """Make the account of the key, or find it."""
        wanted = call.read(_Wanted)
        print_ = thumbprint(_required(call.key))
        found = self._of_key(print_)
        if found is not None:
            return self._reply(found, call, HTTPStatus.OK)
        if wanted.only_return_existing:
            raise refused("accountDoesNotExist", "no account has this key: register one")
        self._check_terms(wanted)
        account = AccountRecord(
            id=secrets.token_urlsafe(12),
            lookup=print_,
            jwk=_required(call.key),
            contact=_checked_contact(wanted.contact or ()),
            terms_agreed=wanted.terms_of_service_agreed,
            external_key_id=self._external_key_id(wanted.external_account_binding, call),
        )
        self._store.put(account)
        return self._reply(account, call, HTTPStatus.CREATED)

    async def account(self, call: Call) -> Reply:
        """Show the account, change its contacts, or give it up."""
        owned(call.words[0], call, "account")
        wanted, account = call.read(_Wanted), call.by
        if call.is_reading:
            return self._reply(account, call, HTTPStatus.OK)
        if wanted.contact is not None:
            account = msgspec.structs.replace(account, contact=_checked_contact(wanted.contact))
        if wanted.status == Status.DEACTIVATED:
            account = msgspec.structs.replace(account, status=Status.DEACTIVATED)
        elif wanted.status not in {"", Status.VALID}:
            raise malformed(f"an account cannot be made {wanted.status[:40]!r}, only deactivated")
        self._store.put(account)
        reply = self._reply(account, call, HTTPStatus.OK)
        return msgspec.structs.replace(reply, headers={}) if self._mischief.omits_account_location else reply

    async def orders(self, call: Call) -> Reply:
        """The URLs of the account's orders, page by page."""
        owned(call.words[0], call, "account")
        start = int(call.cursor) if call.cursor.isdecimal() else 0
        found = self._store.of_account(OrderRecord, call.by.id)
        page = found[start : start + ORDERS_ON_A_PAGE]
        end = start + len(page)
        links = (f'<{call.base}/account/{call.by.id}/orders?cursor={end}>;rel="next"',) if end < len(found) else ()
        return Reply(view={"orders": [f"{call.base}/order/{order.id}" for order in page]}, links=links)

    async def key_change(self, call: Call) -> Reply:
        """Give the account another key (section 7.3.5)."""
        jws, protected = door.opened(call.payload)
        door.check_header(protected, call.url)
        if protected.jwk is None or protected.nonce or protected.kid:
            raise malformed("the inner JWS of a key change must have the new key as jwk, no kid and no nonce")
        door.check_signature(jws, protected, protected.jwk)
        change = msgspec.structs.replace(call, payload=door.payload_of(jws)).read(_KeyChange)
        is_same_key = call.by.jwk.items() <= change.old_key.items()
        if urlsplit(change.account).path != f"/account/{call.by.id}" or not is_same_key:
            raise malformed("the inner JWS of a key change must name the account and its present key")
        new_print = thumbprint(_required(protected.jwk))
        holder = next(iter(self._store.find(AccountRecord, new_print)), None)
        if holder is not None:
            problem = acme_problem("malformed", "the new key is an account's already", HTTPStatus.CONFLICT)
            raise Refused(problem, {"Location": f"{call.base}/account/{holder.id}"})
        account = msgspec.structs.replace(call.by, jwk=_required(protected.jwk), lookup=new_print)
        self._store.put(account)
        return self._reply(account, call, HTTPStatus.OK)

    def _of_key(self, print_: str) -> AccountRecord | None:
        found = next(iter(self._store.find(AccountRecord, print_)), None)
        if found is not None and found.status != Status.VALID:
            raise unauthorized(f"the account of this key is {found.status}", HTTPStatus.UNAUTHORIZED)
        return found

    def _check_terms(self, wanted: _Wanted) -> None:
        terms = self._options.terms_of_service
        if terms and not wanted.terms_of_service_agreed:
            problem = acme_problem("userActionRequired", f"agree to the terms of service at {terms}", 403)
            raise Refused(problem, {"Link": f'<{terms}>;rel="terms-of-service"'})

    def _external_key_id(self, binding: Jws | None, call: Call) -> str:
        if binding is None:
            if self._options.external_account_required:
                raise refused("externalAccountRequired", "this CA wants an external account binding", 403)
            return ""
        try:
            jws, protected = read_jws(msgspec.json.encode(binding))
            mac_key = self._options.external_accounts.get(protected.kid)
            if mac_key is None or not has_mac(jws, protected.alg, base64url.decode(mac_key.reveal().rstrip("="))):
                raise unauthorized(f"the external account binding of key id {protected.kid[:80]!r} is not right")
            bound = msgspec.json.decode(base64url.decode(jws.payload), type=dict[str, str])
        except (ValueError, msgspec.MsgspecError) as error:
            raise malformed(f"the external account binding cannot be read: {error}") from error
        if protected.url != call.url or protected.nonce or bound != call.key:
            raise malformed("the external account binding must be for this URL and this key, without a nonce")
        return protected.kid

    def _reply(self, account: AccountRecord, call: Call, status: int) -> Reply:
        headers = {"Location": f"{call.base}/account/{account.id}"}
        return Reply(status=status, view=account_view(account, call.base), headers=headers)


def _checked_contact(contact: tuple[str, ...]) -> tuple[str, ...]:
    if len(contact) > MOST_CONTACTS:
        raise refused("invalidContact", f"an account has at most {MOST_CONTACTS} contacts")
    for url in contact:
        if not url.startswith("mailto:"):
            raise refused("unsupportedContact", f"the contact {url[:80]!r} cannot be used: give a mailto: address")
        if not _MAILTO.fullmatch(url):
            raise refused("invalidContact", f"the contact {url[:80]!r} is not one mail address")
    return contact


def _required(jwk: Jwk) -> Jwk:
    # A JWK may have more members, as `alg` and `use`; the thumbprint covers the required ones only (RFC 7638 3.2).
    members = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}[jwk["kty"]]
    return {name: jwk[name] for name in members}
