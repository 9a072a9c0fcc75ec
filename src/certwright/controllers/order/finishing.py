"""From proved names to the certificate: finalize, wait, download; or the failure and its reason."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from certwright.acme.client.errors import AcmeProblem
from certwright.acme.protocol import flow, messages
from certwright.acme.protocol.problems import Problem
from certwright.api import acme_v1 as acme
from certwright.api.wellknown import AcmeEvent
from certwright.cluster.cluster import Cluster
from certwright.controllers.order.reports import OrderReports
from certwright.errors import Retry
from certwright.issuers.acme.clients import Account
from certwright.pki.pem import split
from certwright.rules.acme_orders import state_of

COMPLETE = "Order completed successfully"
NOT_FINALIZED = "Failed to finalize Order: "


class Finishing:
    """Every call may be repeated: a CA that has finalized an order refuses a second time and tells how it stands."""

    def __init__(self, cluster: Cluster, reports: OrderReports) -> None:
        self._cluster = cluster
        self._reports = reports

    async def advance(
        self, order: acme.Order, failed: acme.Challenge | None, account: Account, preferred_chain: str
    ) -> datetime | None:
        """What the CA makes of the order now; when to look again where it is not done."""
        found = await account.client.get_order(order.status.url)
        step = self._step(found)
        if isinstance(step, flow.Finalize) and failed is None:
            taken = await self._finalize(order, found, account)
            if taken is None:
                return None
            found, step = taken, self._step(taken)
        match step:
            case flow.Failed(state, problem):
                await self.fail(order, state_of(state) if state else "errored", _reason(problem, failed))
            case _ if failed is not None:
                await self.fail(order, failed.status.state or "errored", _reason(None, failed))
            case flow.Download(url):
                chain = await account.client.fetch_preferred(url, preferred_chain)
                await self._reports.write(order, replace(order.status, state="valid", certificate=chain, reason=""))
                self._reports.tell(order, "Normal", AcmeEvent.COMPLETE, COMPLETE)
            case flow.LookAgain(after):
                await self._reports.write(order, replace(order.status, state=state_of(found.status), reason=""))
                return self._cluster.clock.now() + after
            case flow.Finalize() | flow.Authorize():
                raise Retry("The CA has not taken the certificate request yet; it is sent again")
        return None

    async def fail(self, order: acme.Order, state: acme.State, reason: str) -> None:
        """The order has ended without a certificate."""
        ended = replace(order.status, state=state, reason=reason, failure_time=self._cluster.clock.now())
        await self._reports.write(order, ended)

    def _step(self, found: messages.Order) -> flow.OrderStep:
        # As far as is known here every name is proved: a CA that is behind is asked again.
        return flow.next_for_order(found, found.authorizations, self._cluster.clock.now())

    async def _finalize(self, order: acme.Order, found: messages.Order, account: Account) -> messages.Order | None:
        """The order after it was given the certificate request; None where the CA will never take that."""
        csr = split(order.spec.request, "the certificate request")[0].der
        try:
            return await account.client.finalize(found, csr)
        except AcmeProblem as problem:
            if not problem.is_terminal or problem.is_account_gone:
                raise
            await self.fail(order, "errored", f"{NOT_FINALIZED}{problem}")
            return None


def _reason(problem: Problem | None, failed: acme.Challenge | None) -> str:
    if problem is not None:
        return str(problem)
    if failed is not None:
        return f'Control of "{failed.spec.dns_name}" was not proved: {failed.status.reason}'
    return "The CA ended the order without a reason; a new one is made with the next attempt"
