"""One pass over an Order makes the one next step that its status, its Challenges and the CA call for."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from certwright.acme.client.errors import AcmeProblem, AcmeUnreachable
from certwright.api import acme_v1 as acme
from certwright.cluster.caches import BY_OWNER
from certwright.cluster.cluster import Cluster
from certwright.cluster.issuers import key_of
from certwright.controllers.order.finishing import Finishing
from certwright.controllers.order.placing import Placing
from certwright.controllers.order.proving import Proving
from certwright.controllers.order.reports import OrderReports
from certwright.errors import Retry
from certwright.issuers.acme.clients import Account, AcmeClients
from certwright.kube.runtime.cache import Change
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.acme_orders import (
    FINAL_STATES,
    Advance,
    Clear,
    Describe,
    OrderStep,
    Place,
    Prove,
    Rest,
    is_order_of,
    next_step,
    order_behind,
    request_behind,
)
from certwright.rules.facts import RequestFacts
from certwright.rules.hub import HubIssuer, IssuerKey

LOOP = "orders"
UNNAMED_WAIT = timedelta(seconds=5)
RATE_LIMITED_WAIT = timedelta(minutes=1)
_FAILED_AT: dict[type[OrderStep], str] = {
    Place: "Failed to create Order: ",
    Describe: "Failed to retrieve the authorizations of the Order: ",
    Advance: "Failed to retrieve Order resource: ",
}


class OrderController:
    """Acts on Orders that a CertificateRequest of ours stands behind, and on no others."""

    def __init__(self, cluster: Cluster, clients: AcmeClients, watcher: LoopObserver | None = None) -> None:
        self._cluster = cluster
        self._clients = clients
        self._reports = OrderReports(cluster)
        self._placing = Placing(cluster, self._reports)
        self._proving = Proving(cluster, self._reports)
        self._finishing = Finishing(cluster, self._reports)
        self._pauses: dict[str, datetime] = {}
        options = LoopOptions(workers=cluster.settings.parallel_passes)
        self._loop: Loop[ObjectKey] = Loop(LOOP, self._pass, cluster.clock, options, watcher)
        cluster.caches.orders.subscribe(self._on_order)
        cluster.caches.challenges.subscribe(self._on_challenge)
        cluster.caches.requests.subscribe(self._on_request)
        cluster.issuers.subscribe(self._on_issuer)

    @property
    def busy(self) -> int:
        """How many objects wait for a pass or are in one."""
        return len(self._loop)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._loop.run()

    def _on_order(self, change: Change[acme.Order]) -> None:
        if change.new is not None:
            self._loop.add(change.key)
        elif change.old is not None:
            self._pauses.pop(change.old.metadata.uid, None)
            self._placing.forget(change.old.metadata.uid)

    def _on_challenge(self, change: Change[acme.Challenge]) -> None:
        if change.old is not None and change.new is not None and change.old.status.state == change.new.status.state:
            return
        found = change.new or change.old
        owner = order_behind(found.metadata) if found is not None else None
        if owner is not None:
            self._loop.add(ObjectKey(change.key.namespace, owner.name))

    def _on_request(self, change: Change[RequestFacts]) -> None:
        if change.new is not None:
            for order in self._cluster.caches.orders.find(BY_OWNER, change.new.metadata.uid):
                self._loop.add(_key(order))

    def _on_issuer(self, key: IssuerKey) -> None:
        for order in self._cluster.caches.orders.values():
            is_open = order.status.state not in FINAL_STATES
            if is_open and key_of(order.spec.issuer_ref, order.metadata.namespace) == key:
                self._loop.add(_key(order))

    async def _pass(self, key: ObjectKey) -> datetime | None:
        order = self._cluster.caches.orders.get(key)
        if order is None or order.metadata.deletion_timestamp is not None or not self._is_ours(order):
            return None
        step = next_step(order, self._proving.challenges_of(order))
        if isinstance(step, Rest):
            return None
        if isinstance(step, Clear):
            await self._proving.clear(step.challenges)
            return None
        paused = self._pauses.get(order.metadata.uid)
        if paused is not None and paused > self._cluster.clock.now():
            return paused
        issuer = self._cluster.issuers.referred(order.spec.issuer_ref, order.metadata.namespace)
        if issuer is None or not issuer.is_ready or issuer.spec.acme is None:
            return None
        return self._pause(order, await self._at_ca(order, step, issuer))

    def _pause(self, order: acme.Order, until: datetime | None) -> datetime | None:
        """Nothing that happens meanwhile makes the CA be asked sooner."""
        if until is None:
            self._pauses.pop(order.metadata.uid, None)
        else:
            self._pauses[order.metadata.uid] = until
        return until

    def _is_ours(self, order: acme.Order) -> bool:
        name = request_behind(order.metadata)
        request = self._cluster.caches.requests.get(ObjectKey(order.metadata.namespace, name)) if name else None
        return request is not None and is_order_of(order, request)

    async def _at_ca(self, order: acme.Order, step: OrderStep, issuer: HubIssuer) -> datetime | None:
        account = await self._clients.account(issuer)
        try:
            return await self._act(order, step, issuer, account)
        except AcmeUnreachable as error:
            raise Retry(str(error)) from error
        except AcmeProblem as problem:
            return await self._refused(order, step, issuer, problem)

    async def _act(self, order: acme.Order, step: OrderStep, issuer: HubIssuer, account: Account) -> datetime | None:
        match step:
            case Place():
                await self._placing.place(order, account)
            case Describe(urls):
                if not await self._placing.describe(order, urls, account):
                    return self._cluster.clock.now() + UNNAMED_WAIT
            case Prove(authorizations):
                await self._proving.prove(order, authorizations, issuer, account)
            case Advance(failed):
                assert issuer.spec.acme is not None
                return await self._finishing.advance(order, failed, account, issuer.spec.acme.preferred_chain)
            case Rest() | Clear():
                pass
        return None

    async def _refused(
        self, order: acme.Order, step: OrderStep, issuer: HubIssuer, problem: AcmeProblem
    ) -> datetime | None:
        if problem.is_account_gone:
            self._clients.doubt(issuer)
            raise Retry(f"The CA does not know the account, which is registered again: {problem}") from problem
        if problem.is_rate_limited:
            await self._reports.write(order, replace(order.status, reason=f"The CA limits our rate: {problem}"))
            return self._cluster.clock.now() + (problem.retry_after or RATE_LIMITED_WAIT)
        if not problem.is_terminal:
            raise Retry(str(problem), problem.retry_after) from problem
        await self._finishing.fail(order, "errored", f"{_FAILED_AT.get(type(step), '')}{problem}")
        return None


def _key(order: acme.Order) -> ObjectKey:
    return ObjectKey(order.metadata.namespace, order.metadata.name)
