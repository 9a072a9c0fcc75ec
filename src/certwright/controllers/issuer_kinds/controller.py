"""The loop that tells the approval policy which kinds of external issuers there are; idle where there is no policy."""

from __future__ import annotations

from datetime import datetime, timedelta

from certwright.api.discovery import AGGREGATED, ServedGroups
from certwright.api.meta import JSONObject, decode
from certwright.api.policies import EXTERNAL_APPROVAL, POLICY_BINDING
from certwright.cluster.cluster import Cluster
from certwright.kube.runtime.loop import Loop, LoopObserver, LoopOptions
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Forbidden, NotFound
from certwright.rules.issuer_kinds import annotation_changes, annotation_key, is_external

NAME = "certificaterequests-issuer-kinds"
MANAGER = "certwright-issuer-kinds"
BINDING = ObjectKey("", EXTERNAL_APPROVAL)
NEXT_LOOK = timedelta(minutes=1)
"""CEL cannot ask which kinds there are: a new one may be approved for after so long."""
NEXT_SEARCH = timedelta(minutes=5)
"""The policies may be installed later than the controller."""


class IssuerKindController:
    """Reads the binding of the policy and what the server offers; writes only what is not told yet."""

    def __init__(self, cluster: Cluster, watcher: LoopObserver | None = None) -> None:
        self._cluster = cluster
        self._loop: Loop[ObjectKey] = Loop(NAME, self._reconcile, cluster.clock, LoopOptions(workers=1), watcher)
        self._loop.add(BINDING)

    async def run(self) -> None:
        """Make passes until cancelled."""
        await self._loop.run()

    async def _reconcile(self, key: ObjectKey) -> datetime:
        client, now = self._cluster.client, self._cluster.clock.now()
        try:
            binding = await client.get(POLICY_BINDING, key)
        except (NotFound, Forbidden):
            # The permission comes with the policy, so that either answer says that it is not installed.
            return now + NEXT_SEARCH
        served = decode(ServedGroups, await client.get_raw("/apis", accept=AGGREGATED))
        changes = annotation_changes(binding.metadata.annotations, served.items, self._asked_for())
        if changes:
            annotations: JSONObject = dict(changes)
            patch: JSONObject = {"metadata": {"annotations": annotations}}
            await client.merge_patch(POLICY_BINDING, key, patch, manager=MANAGER)
        return now + NEXT_LOOK

    def _asked_for(self) -> frozenset[str]:
        """The kinds of external issuers that open CertificateRequests name."""
        references = (
            request.spec.issuer_ref for request in self._cluster.caches.requests.values() if not request.is_answered
        )
        return frozenset(
            annotation_key(ref.group, ref.kind or "Issuer") for ref in references if is_external(ref.group)
        )
