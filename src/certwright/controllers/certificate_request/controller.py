"""The loop over CertificateRequests: our approver and all issuers of ours in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.core import InvolvedObject
from certwright.api.kinds import CERTIFICATE_REQUEST
from certwright.api.wellknown import CERT_MANAGER_GROUP, ConditionType, RequestEvent
from certwright.cluster.caches import BY_ISSUER, BY_SECRET, issuer_value, secret_value
from certwright.cluster.cluster import Cluster
from certwright.cluster.facts import parsed_request
from certwright.cluster.pending import Answer as Delivered
from certwright.controllers.certificate_request import answers
from certwright.controllers.certificate_request.answers import Answer
from certwright.errors import Retry
from certwright.issuers.base import EventText, IssuerType, Outcome, Pending, Refused, RequestToSign, Signed
from certwright.kube.runtime.cache import Change
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Forbidden, NotFound
from certwright.pki.csr import Request
from certwright.pki.errors import PkiError
from certwright.pki.keys import ml_dsa_algorithm
from certwright.rules.approval import APPROVED, Approval, approval_of, is_ours, request_problems
from certwright.rules.facts import RequestFacts, SecretFacts, controller_of
from certwright.rules.hub import HubIssuer, IssuerKey
from certwright.rules.key_choice import unfit_issuer, ungated

APPROVER = "cert-manager-certificaterequests-approver"
REFUSED_APPROVAL = timedelta(minutes=1)
WAITING = "Not signing CertificateRequest until it is Approved"


class Chosen(Struct, frozen=True):
    """The issuer of a request and its type, which go together."""

    issuer: HubIssuer
    name: str
    type: IssuerType

    @property
    def component(self) -> str:
        """Who writes and reports."""
        return f"cert-manager-certificaterequests-issuer-{self.name.replace('_', '')}"


class Invalid(Struct, frozen=True):
    """The request itself cannot be signed by anybody."""

    message: str


class CertificateRequestController:
    """`types` are the issuer types by the name of their field in an issuer's spec."""

    def __init__(self, cluster: Cluster, types: Mapping[str, IssuerType], watcher: LoopObserver | None = None) -> None:
        self._cluster = cluster
        self._types = types
        options = LoopOptions(workers=cluster.settings.parallel_passes)
        self._loop: Loop[ObjectKey] = Loop(
            "certificaterequests-approver", self._reconcile, cluster.clock, options, watcher
        )
        caches = cluster.caches
        caches.requests.subscribe(self._request_changed)
        caches.orders.subscribe(self._order_changed)
        caches.secrets.subscribe(self._secret_changed)
        caches.foreign_secrets.subscribe(self._foreign_secret_changed)
        cluster.issuers.subscribe(self._issuer_changed)

    @property
    def busy(self) -> int:
        """How many objects wait for a pass or are in one."""
        return len(self._loop)

    async def run(self) -> None:
        """Make passes until cancelled."""
        await self._loop.run()

    async def _reconcile(self, key: ObjectKey) -> datetime | None:
        request = self._cluster.caches.requests.get(key)
        if request is None or request.metadata.deletion_timestamp is not None:
            return None
        match approval_of(request):
            case Approval.DENIED if is_ours(request):
                await self._write(request, answers.denied(), APPROVER)
            case Approval.OPEN if not self._cluster.settings.approve:
                await self._await_approval(request)
            case Approval.OPEN if not is_ours(request):
                await self._approve(request)
            case Approval.OPEN | Approval.APPROVED if is_ours(request):
                return await self._answer(request)
            case _:
                pass
        return None

    async def _await_approval(self, request: RequestFacts) -> None:
        if is_ours(request):
            await self._cluster.recorder.record_once(
                about(request),
                "Normal",
                RequestEvent.WAITING_FOR_APPROVAL,
                WAITING,
                APPROVER,
                f"{request.metadata.uid}/{RequestEvent.WAITING_FOR_APPROVAL}",
            )

    async def _approve(self, request: RequestFacts) -> None:
        approved = Answer(conditions=answers.approval(request))
        await self._write(request, approved, APPROVER)
        self._tell(request, EventText("Normal", RequestEvent.APPROVED, approved.conditions[0].message), APPROVER)

    async def _answer(self, request: RequestFacts) -> datetime | None:
        chosen = self._choose(request)
        if isinstance(chosen, Pending):
            return await self._wait(request, chosen, APPROVER)
        if not chosen.type.in_process and not request.is_true(ConditionType.APPROVED):
            # What leaves this process may only be done for a request whose approval is on record.
            await self._approve(request)
            return None
        match await self._sign(request, chosen):
            case Signed() as signed:
                await self._issue(request, signed, chosen.component)
            case Pending() as waiting:
                return await self._wait(request, waiting, chosen.component)
            case Refused(message, event):
                await self._refuse(request, answers.failed(request, message), event, chosen.component)
            case Invalid(message):
                await self._refuse(request, answers.invalid(message), RequestEvent.DECODE_ERROR, chosen.component)
        return None

    async def _sign(self, request: RequestFacts, chosen: Chosen) -> Outcome | Invalid:
        try:
            csr = parsed_request(request.spec.request)
        except PkiError as error:
            return Invalid(f"{error}.")
        made_here = self._cluster.pending.get(request.key) is not None
        # What is made here was judged before it was made.
        found = None if made_here else self._unfit(csr, request, chosen.issuer)
        if found is not None:
            return found
        to_sign = RequestToSign(metadata=request.metadata, spec=request.spec, csr=csr)
        return await chosen.type.sign(chosen.issuer, to_sign)

    def _unfit(self, csr: Request, request: RequestFacts, issuer: HubIssuer) -> Invalid | Refused | None:
        algorithm = ml_dsa_algorithm(csr.public_key_info)
        if why := ungated(algorithm, self._cluster.settings.gates):
            return Invalid(f"The signing request cannot be used: {why}.")
        if problem := next(request_problems(csr, request.spec), None):
            return Invalid(problem)
        if why := unfit_issuer(issuer, algorithm):
            return Refused(why)
        return None

    def _choose(self, request: RequestFacts) -> Chosen | Pending:
        ref = request.spec.issuer_ref
        issuer = self._cluster.issuers.referred(ref, request.metadata.namespace)
        kind = ref.kind or "Issuer"
        if issuer is None:
            text = f'Referenced "{kind}" not found: {kind} "{ref.name}" does not exist; create it or correct issuerRef.'
            return Pending(text, RequestEvent.ISSUER_NOT_FOUND)
        name = next((field for field in cm.IssuerSpec.__struct_fields__ if getattr(issuer.spec, field)), "")
        if name not in self._types:
            text = f'{kind} "{ref.name}" is of no type that is served here; set one of {", ".join(self._types)} in it.'
            return Pending(text, RequestEvent.ISSUER_TYPE_MISSING)
        if issuer.problem:
            return Pending(f'{kind} "{ref.name}" cannot sign: {issuer.problem}', RequestEvent.ISSUER_NOT_READY)
        if not issuer.is_ready:
            return Pending(_not_ready(issuer), RequestEvent.ISSUER_NOT_READY)
        return Chosen(issuer, name, self._types[name])

    async def _issue(self, request: RequestFacts, signed: Signed, component: str) -> None:
        key = request.key
        quiet = self._cluster.pending.get(key) is not None
        answer = Delivered(uid=request.metadata.uid, chain=signed.chain_pem, ca=signed.ca_pem)
        # Whoever waits for it is told by the write: what it needs has to be there before.
        self._cluster.pending.deliver(key, answer)
        approved = request.is_true(ConditionType.APPROVED)
        await self._write(request, answers.issued(request, signed), component)
        for event in signed.events:
            self._tell(request, event, component)
        if quiet:
            # The Certificate tells of it.
            return
        if not approved:
            self._tell(request, EventText("Normal", RequestEvent.APPROVED, APPROVED.message), APPROVER)
        self._tell(request, EventText("Normal", RequestEvent.CERTIFICATE_ISSUED, answers.FETCHED), component)

    async def _wait(self, request: RequestFacts, waiting: Pending, component: str) -> datetime | None:
        first = request.condition(ConditionType.READY) is None
        approved = request.is_true(ConditionType.APPROVED)
        await self._write(request, answers.pending(request, waiting), component)
        if not approved:
            self._tell(request, EventText("Normal", RequestEvent.APPROVED, APPROVED.message), APPROVER)
        if first and waiting.event:
            self._tell(request, EventText("Normal", waiting.event, waiting.message), component)
        return None if waiting.after is None else self._cluster.clock.now() + waiting.after

    async def _refuse(self, request: RequestFacts, answer: Answer, event: str, component: str) -> None:
        await self._write(request, answer, component)
        self._tell(request, EventText("Warning", event, answer.conditions[-1].message), component)

    async def _write(self, request: RequestFacts, answer: Answer, manager: str) -> None:
        patch = answer.patch(request, self._cluster.clock.now())
        if patch is None:
            return
        try:
            written = await self._cluster.client.merge_patch(
                CERTIFICATE_REQUEST, request.key, patch, subresource="status", manager=manager
            )
        except NotFound:
            return
        except Forbidden as error:
            text = f"CertificateRequest {request.key} may not be approved or answered by us: {error}"
            raise Retry(text, after=REFUSED_APPROVAL) from error
        self._cluster.caches.requests.remember(written)

    def _tell(self, request: RequestFacts, event: EventText, component: str) -> None:
        self._cluster.recorder.record(about(request), event.type, event.reason, event.message, component)

    def _request_changed(self, change: Change[RequestFacts]) -> None:
        if change.new is not None and not change.new.is_answered:
            self._loop.add(change.key)

    def _order_changed(self, change: Change[acme.Order]) -> None:
        found = change.new or change.old
        owner = None if found is None else controller_of(found.metadata)
        if owner is not None and owner.kind == "CertificateRequest":
            self._loop.add(ObjectKey(change.key.namespace, owner.name))

    def _secret_changed(self, change: Change[SecretFacts]) -> None:
        self._wake_for_key(change.key)

    def _foreign_secret_changed(self, change: Change[str]) -> None:
        self._wake_for_key(change.key)

    def _wake_for_key(self, secret: ObjectKey) -> None:
        for request in self._cluster.caches.requests.find(BY_SECRET, secret_value(*secret)):
            self._loop.add(request.key)

    def _issuer_changed(self, key: IssuerKey) -> None:
        for request in self._cluster.caches.requests.find(BY_ISSUER, issuer_value(key)):
            self._loop.add(request.key)


def about(request: RequestFacts) -> InvolvedObject:
    """For events."""
    return InvolvedObject.of(request.metadata, "CertificateRequest", f"{CERT_MANAGER_GROUP}/v1")


def _not_ready(issuer: HubIssuer) -> str:
    ready = issuer.ready
    if ready is None:
        return "Referenced issuer does not have a Ready status condition"
    said = ready.message or ready.reason
    return f'Referenced {issuer.key.kind} "{issuer.key.name}" is not ready: {said}'
