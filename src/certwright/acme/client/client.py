"""The ACME client: one method for each request of RFC 8555 and RFC 9773."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from certwright.acme.client.errors import AcmeProblem, AcmeUnreachable
from certwright.acme.client.signing import FIRST_ERROR, SignedRequests
from certwright.acme.client.transport import Answer, Transport
from certwright.acme.protocol import base64url, chains, headers, jws
from certwright.acme.protocol.jws import ExternalAccount
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import (
    Account,
    Authorization,
    Challenge,
    Directory,
    Message,
    NewOrder,
    Order,
    OrderList,
    RenewalInfo,
    Status,
    read_message,
)
from certwright.acme.protocol.problems import Problem
from certwright.clock import Clock

if TYPE_CHECKING:
    from cryptography import x509

M = TypeVar("M", bound=Message)

POST_AS_GET = b""
ONLY_EXISTING: dict[str, object] = {"onlyReturnExisting": True}
# No CA offers as many chains; the number bounds what one download can cost.
MOST_ALTERNATES = 10
# RFC 9773 section 5 names the first alone. For a certificate that is not known, or is another account's, CAs say any.
REFUSALS_OF_REPLACES = {"alreadyReplaced", "malformed", "unauthorized", "serverInternal"}
# The newest orders come first or last as the CA likes; whoever has more pages than this is not searching a lost order.
MOST_ORDER_PAGES = 20


class CertificateAnswer(Struct, frozen=True):
    """A chain as PEM, leaf first, and the URLs of the same certificate's other chains."""

    chain_pem: bytes
    alternates: tuple[str, ...] = ()


class AcmeClient:
    """Speaks for one account at one CA.

    Every method raises `AcmeProblem` when the server refuses, and `AcmeUnreachable` when no usable answer comes.
    Nothing here waits for a state to change: `retry_after` on orders and authorizations is for the caller's timer.
    """

    def __init__(
        self, transport: Transport, directory_url: str, key: AccountKey, clock: Clock, account_url: str = ""
    ) -> None:
        self._transport = transport
        self._directory_url = directory_url
        self._key = key
        self._account_url = account_url
        self._requests = SignedRequests(transport, clock)
        self._directory: Directory | None = None

    @property
    def account_url(self) -> str:
        """The account's identity at the CA; empty until it is registered, found or given."""
        return self._account_url

    async def directory(self, action: str = "get_directory") -> Directory:
        """The CA's directory, fetched once."""
        if self._directory is None:
            answer = await self._transport.get(self._directory_url, action)
            if answer.status >= FIRST_ERROR:
                raise self._requests.problem_of(answer)
            self._directory = _decode(answer, Directory)
            self._requests.new_nonce_url = self._directory.new_nonce
        return self._directory

    async def register(self, contact: tuple[str, ...], external_account: ExternalAccount | None = None) -> Account:
        """Make the account, agreeing to the terms; an account that the key has already is returned as it is."""
        url = (await self.directory("register_account")).new_account
        payload: dict[str, object] = {"termsOfServiceAgreed": True}
        if contact:
            payload["contact"] = contact
        if external_account:
            payload["externalAccountBinding"] = jws.sign_external_account(external_account, self._key.jwk, url)
        return await self._account(url, payload, "register_account")

    async def find_account(self) -> Account:
        """The account of the key; a problem `accountDoesNotExist` where there is none."""
        url = (await self.directory("get_registration")).new_account
        return await self._account(url, ONLY_EXISTING, "get_registration")

    async def update_contact(self, contact: tuple[str, ...]) -> Account:
        """Replace the account's contacts."""
        return await self._update_account({"contact": contact})

    async def deactivate_account(self) -> Account:
        """Give the account up for good."""
        return await self._update_account({"status": "deactivated"})

    async def change_key(self, new_key: AccountKey) -> None:
        """Let the account be `new_key`'s from now on; a repeated change that had succeeded succeeds again."""
        directory = await self.directory("change_key")
        url = _offered(directory.key_change, "keyChange")
        kid = await self._kid()
        try:
            await self._post(url, jws.sign_key_change(new_key, kid, self._key.jwk, url), "change_key")
        except AcmeProblem:
            # The answer to an earlier try may have been lost: then the account is the new key's already.
            if await self._account_url_of(new_key) != kid:
                raise
        self._key = new_key

    async def list_orders(self) -> tuple[str, ...]:
        """The URLs of the account's orders (RFC 8555 section 7.1.2.1); none where the CA does not tell them."""
        kid = await self._kid()
        url = _decode(await self._post(kid, POST_AS_GET, "get_registration"), Account).orders
        found: list[str] = []
        for _ in range(MOST_ORDER_PAGES):
            if not url:
                break
            answer = await self._post(headers.absolute(url, kid), POST_AS_GET, "list_orders")
            found += _decode(answer, OrderList).orders
            url = next(iter(headers.links(answer.links, "next", answer.url)), "")
        return tuple(found)

    async def new_order(self, wanted: NewOrder) -> Order:
        """Ask for a certificate; `replaces` is left out in a second try where the CA takes offence at it.

        It was replaced before, or another account or CA made it: a wish that makes the order a renewal never fails it.

        The request has no identity: after `AcmeUnreachable` the order may exist. Asking again is safe (most CAs hand
        out an order that is still pending again); `list_orders` shows what exists where the CA tells it.
        """
        url = (await self.directory("authorize_order")).new_order
        try:
            answer = await self._post(url, msgspec.json.encode(wanted), "authorize_order")
        except AcmeProblem as problem:
            if not wanted.replaces or not _may_be_about_replaces(problem):
                raise
            without = msgspec.structs.replace(wanted, replaces="")
            answer = await self._post(url, msgspec.json.encode(without), "authorize_order")
        return self._order(answer, _location(answer))

    async def get_order(self, url: str) -> Order:
        """The order as it is now."""
        return self._order(await self._post(url, POST_AS_GET, "get_order"), url)

    async def get_authorization(self, url: str, action: str = "get_authorization") -> Authorization:
        """The authorization as it is now; `action` may be `wait_authorization` for the metrics."""
        answer = await self._post(url, POST_AS_GET, action)
        authorization = _decode(answer, Authorization)
        retry_after = self._requests.retry_after_of(answer)
        return msgspec.structs.replace(authorization, url=url, retry_after=retry_after)

    async def accept_challenge(self, url: str) -> Challenge:
        """Say that the challenge is ready to be checked."""
        # RFC 8555 7.5.1: an empty object says so.
        return _decode(await self._post(url, b"{}", "accept_challenge"), Challenge)

    async def finalize(self, order: Order, csr_der: bytes) -> Order:
        """Send the certificate request; an order that is not ready (any more) is returned as it is now."""
        payload = msgspec.json.encode({"csr": base64url.encode(csr_der)})
        try:
            answer = await self._post(order.finalize, payload, "create_order_cert")
        except AcmeProblem as problem:
            if problem.status != HTTPStatus.FORBIDDEN:
                raise
            now = await self.get_order(order.url)
            if now.status == Status.READY:
                raise
            return now
        return self._order(answer, order.url)

    async def fetch_certificate(self, url: str) -> CertificateAnswer:
        """The default chain; refuses what is no PEM chain or larger than the limits of `pki.pem`."""
        answer = await self._post(url, POST_AS_GET, "fetch_cert")
        try:
            chains.read_chain(answer.body)
        except ValueError as error:
            raise AcmeUnreachable(f'Post "{url}": {error}') from error
        return CertificateAnswer(answer.body, headers.links(answer.links, "alternate", answer.url))

    async def fetch_preferred(self, url: str, issuer_name: str) -> bytes:
        """The first chain whose top certificate's issuer has the common name `issuer_name`, else the default chain."""
        default = await self.fetch_certificate(url)
        if not issuer_name or _is_under(default, issuer_name):
            return default.chain_pem
        for alternate in default.alternates[:MOST_ALTERNATES]:
            other = await self.fetch_certificate(alternate)
            if _is_under(other, issuer_name):
                return other.chain_pem
        return default.chain_pem

    async def get_renewal_info(self, certificate_id: str) -> RenewalInfo | None:
        """When to renew the certificate (RFC 9773); None where the CA does not say such things."""
        directory = await self.directory("get_renewal_info")
        if not directory.renewal_info:
            return None
        url = f"{directory.renewal_info.rstrip('/')}/{certificate_id}"
        answer = await self._transport.get(url, "get_renewal_info")
        if answer.status >= FIRST_ERROR:
            raise self._requests.problem_of(answer)
        found = _decode(answer, RenewalInfo)
        return msgspec.structs.replace(found, retry_after=self._requests.retry_after_of(answer))

    async def revoke(self, certificate: x509.Certificate, reason: int = 0, key: AccountKey | None = None) -> None:
        """Revoke for a CRL reason code, in the account's name or, with `key`, in that of the certificate's own key.

        A certificate that is revoked already stays so, and nothing is raised.
        """
        directory = await self.directory("revoke_cert")
        url = _offered(directory.revoke_cert, "revokeCert")
        der = certificate.public_bytes(Encoding.DER)
        payload = msgspec.json.encode({"certificate": base64url.encode(der), "reason": reason})
        try:
            if key is None:
                await self._post(url, payload, "revoke_cert")
            else:
                await self._requests.post(url, payload, key, "", "revoke_cert")
        except AcmeProblem as problem:
            if problem.kind != "alreadyRevoked":
                raise

    async def _post(self, url: str, payload: bytes, action: str) -> Answer:
        await self.directory(action)
        return await self._requests.post(url, payload, self._key, await self._kid(), action)

    async def _kid(self) -> str:
        if not self._account_url:
            await self.find_account()
        return self._account_url

    async def _account_url_of(self, key: AccountKey) -> str:
        url = (await self.directory("get_registration")).new_account
        try:
            answer = await self._requests.post(url, msgspec.json.encode(ONLY_EXISTING), key, "", "get_registration")
        except AcmeProblem:
            return ""
        return _location(answer)

    async def _account(self, url: str, payload: dict[str, object], action: str) -> Account:
        answer = await self._requests.post(url, msgspec.json.encode(payload), self._key, "", action)
        self._account_url = _location(answer)
        return msgspec.structs.replace(_decode(answer, Account), url=self._account_url)

    async def _update_account(self, payload: dict[str, object]) -> Account:
        kid = await self._kid()
        # The answer may lack Location (Pebble's does): the known URL stays.
        answer = await self._post(kid, msgspec.json.encode(payload), "update_registration")
        return msgspec.structs.replace(_decode(answer, Account), url=kid)

    def _order(self, answer: Answer, url: str) -> Order:
        retry_after = self._requests.retry_after_of(answer)
        return msgspec.structs.replace(_decode(answer, Order), url=url, retry_after=retry_after)


def _decode(answer: Answer, kind: type[M]) -> M:
    try:
        return read_message(answer.body, kind)
    except ValueError as error:
        raise AcmeUnreachable(f'"{answer.url}": {error}') from error


def _location(answer: Answer) -> str:
    location = answer.headers.get("location", "")
    if not location:
        raise AcmeUnreachable(f'Post "{answer.url}": the answer {answer.status} lacks the Location header')
    return headers.absolute(location, answer.url)


def _offered(url: str, what: str) -> str:
    if not url:
        raise AcmeProblem(Problem(detail=f"the CA's directory does not offer {what}"), HTTPStatus.NOT_FOUND)
    return url


def _may_be_about_replaces(problem: AcmeProblem) -> bool:
    is_unknown = problem.status in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
    return is_unknown or (problem.kind in REFUSALS_OF_REPLACES and not problem.is_rate_limited)


def _is_under(answer: CertificateAnswer, issuer_name: str) -> bool:
    return chains.top_issuer_name(chains.read_chain(answer.chain_pem)) == issuer_name
