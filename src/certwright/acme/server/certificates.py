"""Issued certificates: download, revocation (RFC 8555 sections 7.4.2 and 7.6) and renewal information (RFC 9773)."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import msgspec
from cryptography import x509
from msgspec import Struct

from certwright.acme.protocol import base64url, keys
from certwright.acme.protocol.messages import Status, Window
from certwright.acme.protocol.renewal_info import certificate_id
from certwright.acme.server.authority import IssuingCa
from certwright.acme.server.calls import Call, Parts, Reply, missing, owned
from certwright.acme.server.records import AuthorizationRecord, CertificateRecord
from certwright.acme.server.refusals import malformed, refused, unauthorized
from certwright.acme.server.views import authorization_status, moment
from certwright.pki.certificate import parse_certificate_der, public_key_of
from certwright.pki.keys import same_public_key

CHAIN_TYPE = "application/pem-certificate-chain"
# RFC 5280 section 5.3.1, those that a subscriber may give.
REASONS = frozenset({0, 1, 2, 3, 4, 5, 6, 8, 9, 10})
# A window around two thirds of the life, a day to each side for 90 days.
RENEWAL_POINT = 2 / 3
HALF_WINDOW = 1 / 90


class _Revocation(Struct):
    certificate: str
    reason: int = 0


class CertificateDesk:
    """Answers what concerns issued certificates."""

    def __init__(self, parts: Parts, ca: IssuingCa) -> None:
        self._store = parts.store
        self._clock = parts.clock
        self._options = parts.options.orders
        self._ca = ca

    async def certificate(self, call: Call) -> Reply:
        """One chain; the others are linked."""
        record = self._store.get(CertificateRecord, call.words[0])
        if record is None:
            raise missing("certificate")
        owned(record.account, call, "certificate")
        chains = self._ca.chains(record.der)
        number = int(call.words[1]) if len(call.words) > 1 and call.words[1].isdecimal() else 0
        if number >= len(chains):
            raise missing("chain")
        urls = [f"{call.base}/certificate/{record.id}" + (f"/{other}" if other else "") for other in range(len(chains))]
        links = tuple(f'<{url}>;rel="alternate"' for other, url in enumerate(urls) if other != number)
        return Reply(body=chains[number], content_type=CHAIN_TYPE, links=links)

    async def revoke(self, call: Call) -> Reply:
        """Revoke for the account that ordered, for one that controls all names, or for the certificate's own key."""
        asked = call.read(_Revocation)
        record = self._presented(asked.certificate)
        self._check_right(record, call)
        if asked.reason not in REASONS:
            raise refused("badRevocationReason", f"the reason code {asked.reason} is not one that may be given")
        if record.revoked is not None:
            raise refused("alreadyRevoked", "the certificate is revoked already")
        self._store.put(msgspec.structs.replace(record, revoked=self._clock.now(), reason=asked.reason))
        return Reply(status=HTTPStatus.OK)

    def renewal_info(self, name: str) -> Reply:
        """When the certificate of that name should be renewed."""
        record = next(iter(self._store.find(CertificateRecord, name)), None)
        if record is None:
            raise missing("certificate")
        window = self._window(record)
        retry_after = round(self._options.renewal_retry_after.total_seconds())
        view = {"suggestedWindow": {"start": moment(window.start), "end": moment(window.end)}}
        return Reply(view={**view}, headers={"Retry-After": str(retry_after)})

    def advise(self, name: str, window: Window | None) -> None:
        """Suggest this window for the certificate of that name, or the usual one again; `KeyError` without one."""
        for record in self._store.find(CertificateRecord, name):
            self._store.put(msgspec.structs.replace(record, window=window))
            return
        raise KeyError(name)

    def _window(self, record: CertificateRecord) -> Window:
        if record.window is not None:
            return record.window
        if record.revoked is not None:
            # RFC 9773 section 4.2: a window in the past says "now".
            return Window(record.revoked - timedelta(hours=1), record.revoked - timedelta(seconds=1))
        facts = parse_certificate_der(record.der)
        life = facts.not_after - facts.not_before
        middle = facts.not_before + life * RENEWAL_POINT
        return Window(middle - life * HALF_WINDOW, middle + life * HALF_WINDOW)

    def _presented(self, text: str) -> CertificateRecord:
        try:
            der = base64url.decode(text)
            name = certificate_id(x509.load_der_x509_certificate(der)) or ""
        except ValueError as error:
            raise malformed(f"what shall be revoked is no certificate: {error}") from error
        found = next((record for record in self._store.find(CertificateRecord, name) if record.der == der), None)
        if found is None:
            raise missing("certificate")
        return found

    def _check_right(self, record: CertificateRecord, call: Call) -> None:
        if call.account is None:
            if not same_public_key(public_key_of(record.der), keys.key_of(call.key)):
                raise unauthorized("the key that signed is not the certificate's")
        elif call.account.id != record.account and not self._controls(call.account.id, record):
            raise unauthorized("the account neither ordered the certificate nor controls all its names")

    def _controls(self, account: str, record: CertificateRecord) -> bool:
        now = self._clock.now()
        for identifier in record.identifiers:
            lookup = f"{identifier.type}:{identifier.value}"
            found = self._store.find(AuthorizationRecord, lookup, account)
            if not any(authorization_status(one, now) == Status.VALID for one in found):
                return False
        return True
