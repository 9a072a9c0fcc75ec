"""The ACME issuer type: an approved request becomes an Order, whose end is the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

import msgspec

from certwright.acme.client.errors import AcmeProblem, AcmeUnreachable
from certwright.acme.protocol.messages import RenewalInfo
from certwright.api import acme_v1 as acme
from certwright.api.acme_v1 import AcmeIssuer as AcmeSpec
from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.api.kinds import ORDER
from certwright.api.wellknown import CertificateEvent, IssuerReason, RequestEvent
from certwright.cluster.cluster import Cluster
from certwright.errors import Blocked, Retry
from certwright.issuers.acme.clients import AcmeClients
from certwright.issuers.acme.pacing import USUAL_PAUSE
from certwright.issuers.acme.registration import REGISTERED, Registration, Unready
from certwright.issuers.acme.replacing import replaced_by
from certwright.issuers.base import IssuerType, Outcome, Pending, Refused, RequestToSign, Signed, Verdict
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, Conflict, NotFound
from certwright.pki.certificate import parse_certificate
from certwright.pki.errors import PkiError
from certwright.rules.acme_orders import FAILED_STATES, REQUEST_VERSION, Unorderable, order_for, order_spec
from certwright.rules.facts import controller_of
from certwright.rules.hub import HubIssuer, IssuerKey

MANAGER = "cert-manager-certificaterequests-issuer-acme"
# The garbage collector removes the Order of a request that is gone within seconds.
PREDECESSOR_WAIT = timedelta(seconds=1)


class AcmeIssuer(IssuerType):
    """Signs through a CA that speaks ACME (RFC 8555): here the Order is made, its controller does the rest."""

    def __init__(self, cluster: Cluster, clients: AcmeClients) -> None:
        self._cluster = cluster
        self._clients = clients
        self._registration = Registration(cluster, clients)

    async def check(self, issuer: HubIssuer) -> Verdict:
        """Whether the account is registered as the spec asks, after registering it where it is not."""
        known = issuer.status.acme or AcmeIssuerStatus()
        try:
            status = await self._registration.check(issuer, _spec(issuer))
        except Unready as unready:
            return msgspec.structs.replace(unready.verdict, acme=known)
        return Verdict(ready=True, reason=IssuerReason.ACME_ACCOUNT_REGISTERED, message=REGISTERED, acme=status)

    def on_doubt(self, listener: Callable[[IssuerKey], None]) -> None:
        """Call when a CA says that it does not know an issuer's account."""
        self._clients.on_doubt(listener)

    async def sign(self, issuer: HubIssuer, request: RequestToSign) -> Outcome:
        """What the request's Order has come to; it is made where there is none."""
        spec = order_spec(request.spec, request.csr, _spec(issuer))
        if isinstance(spec, Unorderable):
            return Refused(spec.message, RequestEvent.INVALID_ORDER)
        spec = msgspec.structs.replace(spec, replaces=replaced_by(self._cluster, issuer, request, spec))
        wanted = order_for(request.metadata, spec)
        key = ObjectKey(request.namespace, wanted.metadata.name)
        order = self._cluster.caches.orders.get(key)
        if order is None:
            return await self._create(wanted, key)
        if order.metadata.deletion_timestamp is not None:
            raise Retry(f"Order {key} is being removed, and is made again then", PREDECESSOR_WAIT)
        if not _is_owned(order, request):
            await self._remove_predecessor(order, request)
        return await self._outcome(order, key, request)

    async def renewal_info(self, issuer: HubIssuer, certificate: str) -> RenewalInfo | None:
        """When the CA wants a certificate renewed; None where it does not say such things."""
        account = await self._clients.account(issuer)
        try:
            return await account.client.get_renewal_info(certificate)
        except AcmeUnreachable as error:
            raise Retry(str(error)) from error
        except AcmeProblem as problem:
            if problem.is_terminal:
                raise Blocked(CertificateEvent.ARI_ERROR, str(problem)) from problem
            usual = USUAL_PAUSE if problem.is_rate_limited else None
            raise Retry(str(problem), problem.retry_after or usual) from problem

    async def _create(self, wanted: acme.Order, key: ObjectKey) -> Outcome:
        try:
            made = await self._cluster.client.create(ORDER, wanted, key.namespace, MANAGER)
        except AlreadyExists:
            # Made by an earlier try, and not in the cache yet: its arrival there leads back here.
            raise Retry(f"Order {key} is there already and not known yet", PREDECESSOR_WAIT) from None
        self._cluster.caches.orders.remember(made)
        return Pending(f"Created Order resource {key}", RequestEvent.ORDER_CREATED)

    async def _remove_predecessor(self, order: acme.Order, request: RequestToSign) -> None:
        """An Order of an earlier request of the same name goes with it; any other is not ours to touch."""
        owner, key = controller_of(order.metadata), ObjectKey(order.metadata.namespace, order.metadata.name)
        of_predecessor = owner is not None and (owner.api_version, owner.kind, owner.name) == (
            REQUEST_VERSION,
            "CertificateRequest",
            request.metadata.name,
        )
        if of_predecessor:
            await self._delete(order, key)
            raise Retry(f"Order {key} of an earlier request of this name is being removed", PREDECESSOR_WAIT)
        raise Retry(f"Order {key} is there, but does not belong to this request; delete it, or rename the Certificate")

    async def _outcome(self, order: acme.Order, key: ObjectKey, request: RequestToSign) -> Outcome:
        status = order.status
        if status.state in FAILED_STATES:
            return Refused(
                f'Failed to wait for order resource "{key.name}" to become ready: '
                f'order is in "{status.state}" state: {status.reason}',
                RequestEvent.ORDER_FAILED,
            )
        if status.state != "valid" or not status.certificate:
            why = f" ({status.reason})" if status.reason else ""
            # An order that is not placed yet is pending as well: each other text would be written to the request.
            text = f'Waiting on certificate issuance from order {key}: "{status.state or "pending"}"{why}'
            return Pending(text, RequestEvent.ORDER_PENDING)
        if _has_key(status.certificate, request.csr.public_key_info):
            return Signed(status.certificate)
        await self._delete(order, key)
        raise Retry(f"Order {key} has a certificate for another key, and is made again")

    async def _delete(self, order: acme.Order, key: ObjectKey) -> None:
        try:
            await self._cluster.client.delete(ORDER, key, uid=order.metadata.uid)
        except (NotFound, Conflict):
            return
        self._cluster.caches.orders.forget(key, order.metadata.uid)


def _spec(issuer: HubIssuer) -> AcmeSpec:
    assert issuer.spec.acme is not None, "the issuer is of another type"
    return issuer.spec.acme


def _is_owned(order: acme.Order, request: RequestToSign) -> bool:
    owner = controller_of(order.metadata)
    return owner is not None and owner.uid == request.metadata.uid


def _has_key(chain: bytes, public_key_info: bytes) -> bool:
    try:
        return parse_certificate(chain).public_key_digest == hashlib.sha256(public_key_info).digest()
    except PkiError:
        return False
