"""Challenges for the open authorizations of an Order."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from msgspec.structs import replace

from certwright.api import acme_v1 as acme
from certwright.api.kinds import CHALLENGE
from certwright.api.wellknown import LEGACY_GROUP, AcmeEvent
from certwright.cluster.caches import BY_OWNER
from certwright.cluster.cluster import Cluster
from certwright.controllers.order.reports import MANAGER, OrderReports
from certwright.errors import Retry
from certwright.issuers.acme.clients import Account
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, Conflict, NotFound
from certwright.rules.acme_orders import FINAL_STATES, challenge_for, with_key
from certwright.rules.facts import RequestFacts, controller_of
from certwright.rules.hub import HubIssuer
from certwright.rules.solver_choice import NoSolver, choose_solver

NO_SOLVER = "Failed to determine a valid solver configuration for the set of domains on the Order: "
LEFTOVER_WAIT = timedelta(seconds=1)


class Proving:
    """Makes what is missing, and removes Challenges whose solver the issuer no longer has."""

    def __init__(self, cluster: Cluster, reports: OrderReports) -> None:
        self._cluster = cluster
        self._reports = reports

    def challenges_of(self, order: acme.Order) -> tuple[acme.Challenge, ...]:
        """The Challenges that the Order controls."""
        return self._cluster.caches.challenges.find(BY_OWNER, order.metadata.uid)

    async def prove(
        self, order: acme.Order, authorizations: tuple[acme.Authorization, ...], issuer: HubIssuer, account: Account
    ) -> None:
        """Each authorization has the Challenge that the issuer's solvers ask for; where one has no solver, none has."""
        wanted = self._wanted(order, authorizations, issuer, account.thumbprint)
        if isinstance(wanted, NoSolver):
            if await self._reports.write(order, replace(order.status, reason=wanted.message)):
                self._reports.tell(order, "Warning", AcmeEvent.SOLVER, NO_SOLVER + wanted.message)
            return
        for challenge in wanted:
            await self._see_to(order, challenge)
        if order.status.reason:
            await self._reports.write(order, replace(order.status, reason=""))

    async def clear(self, challenges: tuple[acme.Challenge, ...]) -> None:
        """These Challenges are being removed."""
        for challenge in challenges:
            await self._delete(challenge)

    def _wanted(
        self, order: acme.Order, authorizations: tuple[acme.Authorization, ...], issuer: HubIssuer, thumbprint: str
    ) -> list[acme.Challenge] | NoSolver:
        legacy = self._is_legacy(order)
        wanted: list[acme.Challenge] = []
        for authorization in authorizations:
            choice = choose_solver(authorization, order.metadata, issuer, legacy=legacy)
            if isinstance(choice, NoSolver):
                return choice
            try:
                wanted.append(with_key(challenge_for(order, authorization, choice), thumbprint))
            except ValueError as error:
                return NoSolver(str(error))
        return wanted

    def _is_legacy(self, order: acme.Order) -> bool:
        """Whether a Certificate of the 2018 API is behind it."""
        owner = controller_of(order.metadata)
        request: RequestFacts | None = None
        if owner is not None:
            request = self._cluster.caches.requests.get(ObjectKey(order.metadata.namespace, owner.name))
        certificate = controller_of(request.metadata) if request is not None else None
        return certificate is not None and certificate.api_version.partition("/")[0] == LEGACY_GROUP

    async def _see_to(self, order: acme.Order, wanted: acme.Challenge) -> None:
        is_there = False
        for found in self.challenges_of(order):
            if found.spec.authorization_url != wanted.spec.authorization_url:
                continue
            if found.metadata.name == wanted.metadata.name:
                is_there = True
            elif found.status.state not in FINAL_STATES and found.metadata.deletion_timestamp is None:
                await self._delete(found)
        if not is_there:
            await self._create(order, wanted)

    async def _create(self, order: acme.Order, wanted: acme.Challenge) -> None:
        namespace, name = wanted.metadata.namespace, wanted.metadata.name
        try:
            made = await self._cluster.client.create(CHALLENGE, wanted, namespace, MANAGER)
        except AlreadyExists:
            await self._meet(order, ObjectKey(namespace, name))
            return
        self._cluster.caches.challenges.remember(made)
        text = f'Created Challenge resource "{name}" for domain "{wanted.spec.dns_name}"'
        self._reports.tell(order, "Normal", AcmeEvent.CREATED, text)

    async def _meet(self, order: acme.Order, key: ObjectKey) -> None:
        """A Challenge of that name is there: ours, not in the cache yet, or that of an Order that is gone."""
        found = await self._cluster.client.get(CHALLENGE, key)
        owner = controller_of(found.metadata)
        if owner is not None and owner.uid == order.metadata.uid:
            self._cluster.caches.challenges.remember(found)
            return
        if owner is not None and owner.name == order.metadata.name:
            await self._delete(found)
        raise Retry(f"Challenge {key} of an earlier Order is still there", LEFTOVER_WAIT)

    async def _delete(self, challenge: acme.Challenge) -> None:
        """It stays in the cache until it is gone: its answer may still be in place."""
        key = ObjectKey(challenge.metadata.namespace, challenge.metadata.name)
        with suppress(NotFound, Conflict):
            await self._cluster.client.delete(CHALLENGE, key, uid=challenge.metadata.uid)
