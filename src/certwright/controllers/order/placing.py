"""An order at the CA: asked for once, recorded at once, and its authorizations described."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from msgspec.structs import replace

from certwright.acme.protocol import messages
from certwright.api import acme_v1 as acme
from certwright.api.kinds import ORDER
from certwright.cluster.cluster import Cluster
from certwright.controllers.order.reports import OrderReports
from certwright.issuers.acme.clients import Account
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Conflict, NotFound
from certwright.rules.acme_orders import described, placed, wanted_order

# So many authorizations of one order are fetched at once: a CA limits requests, too.
FETCHED_AT_ONCE = 5


class Placing:
    """RFC 8555 has no way to ask for the same order twice: an order whose URL is lost stays at the CA until it expires.

    The window in which a killed process loses one is the wait for the CA's answer and the one status write after it.
    """

    def __init__(self, cluster: Cluster, reports: OrderReports) -> None:
        self._cluster = cluster
        self._reports = reports
        self._unrecorded: dict[str, messages.Order] = {}

    async def place(self, order: acme.Order, account: Account) -> None:
        """The order's URL stands in the status; an order that could not be recorded before is not asked for again."""
        key, uid = ObjectKey(order.metadata.namespace, order.metadata.name), order.metadata.uid
        found = self._unrecorded.get(uid)
        if found is None:
            # The cache may lag behind what another process wrote just before it stopped leading.
            order = await self._cluster.client.get(ORDER, key)
            if order.metadata.uid != uid or order.status.url:
                self._cluster.caches.orders.remember(order)
                return
            wanted = wanted_order(order.spec, self._cluster.clock.now())
            found = self._unrecorded[uid] = await account.client.new_order(wanted)
        # Where the Order is gone, or another one bears its name, there is nothing to record it in.
        with suppress(NotFound, Conflict):
            await self._reports.record(order, placed(found))
        self.forget(uid)

    def forget(self, uid: str) -> None:
        """The Order of that uid is gone, or its order is recorded."""
        self._unrecorded.pop(uid, None)

    async def describe(self, order: acme.Order, urls: tuple[str, ...], account: Account) -> bool:
        """Each authorization stands in the status as the CA tells it; False where the CA names none."""
        if not urls:
            found = placed(await account.client.get_order(order.status.url))
            await self._reports.write(
                order, replace(order.status, authorizations=found.authorizations, state=found.state)
            )
            return bool(found.authorizations) or found.state != "pending"
        known: list[acme.Authorization] = []
        for start in range(0, len(urls), FETCHED_AT_ONCE):
            fetched = (account.client.get_authorization(url) for url in urls[start : start + FETCHED_AT_ONCE])
            known += [described(each) for each in await asyncio.gather(*fetched)]
        await self._reports.write(order, replace(order.status, authorizations=tuple(known)))
        return True
