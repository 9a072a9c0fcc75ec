"""Orders, from the wish to the issued certificate (RFC 8555 section 7.4)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

import msgspec
from cryptography import x509
from msgspec import Struct

from certwright.acme.protocol import base64url, keys
from certwright.acme.protocol.messages import Identifier, NewOrder, Status
from certwright.acme.protocol.renewal_info import certificate_id
from certwright.acme.server import identifiers
from certwright.acme.server.authority import IssuingCa, Validity
from certwright.acme.server.authorizations import REMEMBERED, AuthorizationDesk
from certwright.acme.server.calls import Call, Parts, Reply, missing, owned
from certwright.acme.server.options import DEFAULT_PROFILE
from certwright.acme.server.rates import Meter
from certwright.acme.server.records import CertificateRecord, OrderRecord
from certwright.acme.server.refusals import malformed, rate_limited, refused
from certwright.acme.server.views import order_status, order_view
from certwright.pki import pem
from certwright.pki.certificate import parse_certificate_der
from certwright.pki.csr import Request, is_signed_by_its_key, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.keys import public_key_digest
from certwright.pki.signing import load_public_key

# Clocks of clients differ: what is asked for "from now on" may lie this much beside our now.
SLACK = timedelta(hours=1)
SWEEP_EACH = timedelta(hours=1)
OPEN = frozenset({Status.PENDING, Status.READY})


class _Finalize(Struct):
    csr: str


class OrderDesk:
    """Answers what concerns orders."""

    def __init__(self, parts: Parts, authorizations: AuthorizationDesk, ca: IssuingCa) -> None:
        self._parts = parts
        self._store = parts.store
        self._clock = parts.clock
        self._options = parts.options.orders
        self._authorizations = authorizations
        self._ca = ca
        self._new_orders = Meter(self._options.new_orders)
        self._duplicates = Meter(self._options.duplicates)
        self._swept = parts.clock.now()

    async def new_order(self, call: Call) -> Reply:
        """Take the wish; an equal one that is still open is the account's order already."""
        self._sweep()
        wanted = self._checked(call.read(NewOrder), call)
        lookup, now = _digest(wanted), self._clock.now()
        for kept in self._store.find(OrderRecord, lookup, call.by.id):
            if self._status(kept) in OPEN:
                return self._reply(kept, call, HTTPStatus.CREATED)
        self._refuse_too_many(wanted.identifiers, call.by.id, now)
        until = now + self._options.lifetime
        found = [self._authorizations.authorize(one, call.by.id, until) for one in wanted.identifiers]
        order = OrderRecord(
            id=secrets.token_urlsafe(12),
            account=call.by.id,
            lookup=lookup,
            expires=until + REMEMBERED,
            identifiers=wanted.identifiers,
            authorizations=tuple(one.id for one in found),
            until=until,
            not_before=wanted.not_before,
            not_after=wanted.not_after,
            profile=wanted.profile,
            replaces=wanted.replaces,
        )
        self._store.put(order, *found, *self._replaced(order))
        self._new_orders.count(call.by.id, now)
        return self._reply(order, call, HTTPStatus.CREATED)

    async def order(self, call: Call) -> Reply:
        """Show the order."""
        return self._reply(self._owned(call), call, HTTPStatus.OK)

    async def finalize(self, call: Call) -> Reply:
        """Issue the certificate for the request that comes along."""
        order = self._owned(call)
        status = self._status(order)
        if status != Status.READY:
            raise refused("orderNotReady", f"the order is {status}: only one that is ready can be finalized", 403)
        request = _certificate_request(call)
        self._check_request(request, order, call)
        record = self._issue(request, order)
        ready_from = self._clock.now() + self._parts.mischief.processing_for
        order = msgspec.structs.replace(
            order, certificate=record.id, ready_from=ready_from, expires=max(record.expires or ready_from, order.until)
        )
        self._store.put(record, order)
        self._duplicates.count(_names(order.identifiers), self._clock.now())
        return self._reply(order, call, HTTPStatus.OK)

    def _owned(self, call: Call) -> OrderRecord:
        order = self._store.get(OrderRecord, call.words[0])
        if order is None:
            raise missing("order")
        owned(order.account, call, "order")
        return order

    def _status(self, order: OrderRecord) -> str:
        return order_status(order, self._authorizations.of_order(order), self._clock.now())

    def _reply(self, order: OrderRecord, call: Call, status: int) -> Reply:
        state = self._status(order)
        headers = {"Location": f"{call.base}/order/{order.id}"}
        if state == Status.PROCESSING:
            headers["Retry-After"] = str(round(self._options.retry_after.total_seconds()))
        return Reply(status=status, view=order_view(order, state, call.base), headers=headers)

    def _checked(self, wanted: NewOrder, call: Call) -> NewOrder:
        named = identifiers.checked(wanted.identifiers, self._options.blocked)
        profile = wanted.profile or next(iter(self._options.profiles), DEFAULT_PROFILE)
        if profile not in self._options.profiles:
            offered = ", ".join(self._options.profiles)
            raise refused("invalidProfile", f"there is no profile {profile[:80]!r}: take one of {offered}")
        wanted = msgspec.structs.replace(wanted, identifiers=named, profile=profile)
        self._validity(wanted.not_before, wanted.not_after, profile)
        self._check_replaced(wanted, call)
        return wanted

    def _validity(self, not_before: datetime | None, not_after: datetime | None, profile: str) -> Validity:
        now, longest = self._clock.now(), self._options.profiles[profile].lifetime
        if any(moment is not None and moment.tzinfo is None for moment in (not_before, not_after)):
            raise malformed("notBefore and notAfter must name their time zone, as RFC 3339 wants it")
        start = not_before or now
        lifetime = not_after - start if not_after else longest
        if start < now - SLACK - self._options.lifetime or not timedelta(0) < lifetime <= longest + SLACK:
            raise malformed(f"notBefore and notAfter must lie ahead, at most {longest} apart")
        return Validity(start, lifetime)

    def _check_replaced(self, wanted: NewOrder, call: Call) -> None:
        if not wanted.replaces:
            return
        record = next(iter(self._store.find(CertificateRecord, wanted.replaces)), None)
        if record is None or record.account != call.by.id:
            raise malformed("the certificate to be replaced is none of this account", HTTPStatus.NOT_FOUND)
        if not set(record.identifiers) & set(wanted.identifiers):
            raise malformed("the certificate to be replaced shares no identifier with the order")
        other = self._store.get(OrderRecord, record.replaced_by)
        if other is None or self._status(other) == Status.INVALID:
            return
        # The same wish again, while its order is still open, is that order.
        if other.lookup != _digest(wanted) or self._status(other) not in OPEN:
            raise refused("alreadyReplaced", "another order replaces that certificate already", HTTPStatus.CONFLICT)

    def _replaced(self, order: OrderRecord) -> list[CertificateRecord]:
        found = self._store.find(CertificateRecord, order.replaces) if order.replaces else []
        return [msgspec.structs.replace(record, replaced_by=order.id) for record in found]

    def _refuse_too_many(self, wanted: Sequence[Identifier], account: str, now: datetime) -> None:
        wait = self._new_orders.wait_for(account, now)
        if wait is not None:
            raise rate_limited(f"too many new orders of this account: ask again in {wait}", wait)
        wait = self._duplicates.wait_for(_names(wanted), now)
        if wait is not None:
            raise rate_limited(f"too many certificates for the same names ({_names(wanted)}): ask in {wait}", wait)

    def _check_request(self, request: Request, order: OrderRecord, call: Call) -> None:
        others = (request.names.email_addresses, request.names.uris, request.names.other_names)
        if any(others) or identifiers.of_request(request) != order.identifiers:
            raise refused("badCSR", "the certificate request must be for exactly the identifiers of the order")
        if public_key_digest(keys.key_of(call.by.jwk)) == public_key_digest(load_public_key(request.public_key_info)):
            raise refused("badCSR", "the key of the certificate must be another one than the account's")

    def _issue(self, request: Request, order: OrderRecord) -> CertificateRecord:
        validity = self._validity(order.not_before, order.not_after, order.profile)
        der = self._ca.issue(request, order.identifiers, validity)
        return CertificateRecord(
            id=secrets.token_urlsafe(12),
            account=order.account,
            lookup=certificate_id(x509.load_der_x509_certificate(der)) or "",
            expires=parse_certificate_der(der).not_after,
            der=der,
            identifiers=order.identifiers,
        )

    def _sweep(self) -> None:
        now = self._clock.now()
        if now - self._swept >= SWEEP_EACH:
            self._swept = now
            self._store.forget(now)


def _certificate_request(call: Call) -> Request:
    try:
        der = base64url.decode(call.read(_Finalize).csr)
        request = parse_request(pem.write(pem.CERTIFICATE_REQUEST, der))
        if not is_signed_by_its_key(request):
            raise PkiError("the certificate request is not signed by its own key")
        # Through a JWK, so that the same weak keys are refused as for accounts.
        keys.key_of(keys.jwk_of(load_public_key(request.public_key_info)))
    except ValueError as error:
        raise refused("badCSR", str(error)) from error
    return request


def _names(wanted: Sequence[Identifier]) -> str:
    return ", ".join(identifier.value for identifier in wanted)


def _digest(wanted: NewOrder) -> str:
    return base64url.encode(hashlib.sha256(msgspec.json.encode(wanted)).digest())
