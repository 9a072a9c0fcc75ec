"""One pass over a Challenge makes the next step, if the Challenge is ours and has its turn."""

from __future__ import annotations

from datetime import datetime, timedelta

from certwright.acme.client.errors import AcmeProblem, AcmeUnreachable
from certwright.api import acme_v1 as acme
from certwright.cluster.caches import BY_OWNER
from certwright.cluster.cluster import Cluster
from certwright.cluster.issuers import key_of
from certwright.controllers.challenge.ending import Ending
from certwright.controllers.challenge.reports import ChallengeReports, has_finalizer
from certwright.controllers.challenge.schedule import Answer, Candidate, Schedule
from certwright.controllers.challenge.solving import Solving
from certwright.controllers.challenge.steps import Steps
from certwright.errors import Retry
from certwright.issuers.acme.clients import AcmeClients
from certwright.kube.runtime.cache import Change
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.acme_orders import FINAL_STATES, is_order_of, order_behind, request_behind
from certwright.rules.hub import HubIssuer, IssuerKey

LOOP = "challenges"
RATE_LIMITED_WAIT = timedelta(minutes=1)
FEWEST_WORKERS = 16
LONGEST_BACKOFF = timedelta(minutes=1)


class ChallengeController:
    """Acts on Challenges of Orders of ours, and on no others."""

    def __init__(
        self, cluster: Cluster, clients: AcmeClients, solving: Solving, watcher: LoopObserver | None = None
    ) -> None:
        self._cluster = cluster
        self._clients = clients
        reports = ChallengeReports(cluster)
        self._steps = Steps(cluster, solving, reports)
        self._ending = Ending(solving, reports)
        most = cluster.settings.max_concurrent_challenges
        self._schedule = Schedule(most)
        self._due: dict[str, datetime] = {}
        # A pass waits for clouds and nameservers: each Challenge that has its turn may do so without holding up others.
        options = LoopOptions(workers=max(most, FEWEST_WORKERS), longest_backoff=LONGEST_BACKOFF)
        self._loop: Loop[ObjectKey] = Loop(LOOP, self._pass, cluster.clock, options, watcher)
        cluster.caches.challenges.subscribe(self._on_challenge)
        cluster.caches.orders.subscribe(self._on_order)
        cluster.issuers.subscribe(self._on_issuer)

    @property
    def busy(self) -> int:
        """How many objects wait for a pass or are in one."""
        return len(self._loop)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._loop.run()

    def _on_challenge(self, change: Change[acme.Challenge]) -> None:
        new = change.new
        is_same = change.old is not None and (new is None or change.old.metadata.uid == new.metadata.uid)
        if change.old is not None and (new is None or not is_same):
            self._steps.forget(change.old.metadata.uid)
            self._due.pop(change.old.metadata.uid, None)
        if new is None or (new.status.state in FINAL_STATES and not has_finalizer(new)):
            self._leave(change.key)
        if new is not None:
            self._loop.add(change.key)

    def _on_order(self, change: Change[acme.Order]) -> None:
        if change.new is not None:
            for challenge in self._cluster.caches.challenges.find(BY_OWNER, change.new.metadata.uid):
                if not self._schedule.is_active(_key(challenge)):
                    self._loop.add(_key(challenge))

    def _on_issuer(self, key: IssuerKey) -> None:
        for challenge in self._cluster.caches.challenges.values():
            if key_of(challenge.spec.issuer_ref, challenge.metadata.namespace) == key:
                self._loop.add(_key(challenge))

    def _leave(self, key: ObjectKey) -> None:
        self._schedule.leave(key)
        self._start()

    def _start(self) -> None:
        for key in self._schedule.start():
            self._loop.add(key)

    async def _pass(self, key: ObjectKey) -> datetime | None:
        challenge = self._cluster.caches.challenges.get(key)
        if challenge is None:
            return None
        if challenge.metadata.deletion_timestamp is not None:
            await self._ending.let_go(challenge)
        elif challenge.status.state in FINAL_STATES:
            await self._ending.tidy(challenge)
        elif self._is_ours(challenge) and self._has_its_turn(challenge):
            return await self._go_on(challenge)
        return None

    async def _go_on(self, challenge: acme.Challenge) -> datetime | None:
        uid, now = challenge.metadata.uid, self._cluster.clock.now()
        if self._due.get(uid, now) > now:
            return self._due[uid]
        issuer = self._cluster.issuers.referred(challenge.spec.issuer_ref, challenge.metadata.namespace)
        if issuer is None or not issuer.is_ready or not await self._steps.prepare(challenge):
            return None
        return self._until(uid, await self._work(challenge, issuer))

    def _until(self, uid: str, due: datetime | None) -> datetime | None:
        """Nothing that happens meanwhile, as the write of a reason, makes the next step come sooner."""
        if due is None:
            self._due.pop(uid, None)
        else:
            self._due[uid] = due
        return due

    def _is_ours(self, challenge: acme.Challenge) -> bool:
        owner, namespace = order_behind(challenge.metadata), challenge.metadata.namespace
        order = self._cluster.caches.orders.get(ObjectKey(namespace, owner.name)) if owner is not None else None
        if owner is None or order is None or order.metadata.uid != owner.uid:
            return False
        request = self._cluster.caches.requests.get(ObjectKey(namespace, request_behind(order.metadata)))
        return request is not None and is_order_of(order, request) and _belongs(challenge, order)

    def _has_its_turn(self, challenge: acme.Challenge) -> bool:
        spec, key = challenge.spec, _key(challenge)
        created = challenge.metadata.creation_timestamp or self._cluster.clock.now()
        candidate = Candidate(created, key, Answer(spec.type, spec.dns_name, spec.key))
        if challenge.status.processing:
            self._schedule.resume(candidate)
        else:
            self._schedule.offer(candidate)
            self._start()
        return self._schedule.is_active(key)

    async def _work(self, challenge: acme.Challenge, issuer: HubIssuer) -> datetime | None:
        account = await self._clients.account(issuer)
        try:
            return await self._steps.step(challenge, account)
        except AcmeUnreachable as error:
            raise Retry(str(error)) from error
        except AcmeProblem as problem:
            return await self._refused(challenge, issuer, problem)

    async def _refused(self, challenge: acme.Challenge, issuer: HubIssuer, problem: AcmeProblem) -> datetime | None:
        if problem.is_account_gone:
            self._clients.doubt(issuer)
            raise Retry(f"The CA does not know the account, which is registered again: {problem}") from problem
        if problem.is_rate_limited:
            await self._steps.explain(challenge, f"The CA limits our rate: {problem}")
            return self._cluster.clock.now() + (problem.retry_after or RATE_LIMITED_WAIT)
        if not problem.is_terminal:
            raise Retry(str(problem), problem.retry_after) from problem
        await self._steps.fail(challenge, "expired" if problem.kind == "malformed" else "errored", str(problem))
        return None


def _belongs(challenge: acme.Challenge, order: acme.Order) -> bool:
    """Whether the Challenge is for an authorization of its Order: an owner reference can be written by anybody."""
    spec = challenge.spec
    return spec.issuer_ref == order.spec.issuer_ref and any(
        each.url == spec.authorization_url and each.identifier == spec.dns_name for each in order.status.authorizations
    )


def _key(challenge: acme.Challenge) -> ObjectKey:
    return ObjectKey(challenge.metadata.namespace, challenge.metadata.name)
