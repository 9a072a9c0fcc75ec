"""Writes of Orders' statuses, and events about Orders."""

from __future__ import annotations

from certwright.api import acme_v1 as acme
from certwright.api.core import InvolvedObject
from certwright.api.kinds import ORDER
from certwright.api.meta import JSONObject
from certwright.cluster.cluster import Cluster
from certwright.kube.runtime.recorder import EventType
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.acme_orders import ACME_VERSION
from certwright.rules.status_changes import status_changes

MANAGER = "cert-manager-orders"


class OrderReports:
    """Everything that is said of an Order goes through here."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def write(self, order: acme.Order, status: acme.OrderStatus) -> bool:
        """Write the status, and say whether anything changed; `Conflict` where the view was stale."""
        version: JSONObject = {"resourceVersion": order.metadata.resource_version}
        return await self._patch(order, status, version)

    async def record(self, order: acme.Order, status: acme.OrderStatus) -> None:
        """Write what the CA will not tell again, whoever else has written to the Order meanwhile."""
        await self._patch(order, status, {"uid": order.metadata.uid})

    def tell(self, order: acme.Order, kind: EventType, reason: str, message: str) -> None:
        """An event about the Order."""
        about = InvolvedObject.of(order.metadata, "Order", ACME_VERSION)
        self._cluster.recorder.record(about, kind, reason, message, MANAGER)

    async def _patch(self, order: acme.Order, status: acme.OrderStatus, condition: JSONObject) -> bool:
        changes = status_changes(order.status, status)
        if not changes:
            return False
        key = ObjectKey(order.metadata.namespace, order.metadata.name)
        patch: JSONObject = {"metadata": condition, "status": changes}
        written = await self._cluster.client.merge_patch(ORDER, key, patch, subresource="status", manager=MANAGER)
        self._cluster.caches.orders.remember(written)
        return True
