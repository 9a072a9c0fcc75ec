"""The status of cert-manager.io Issuers and ClusterIssuers."""

from __future__ import annotations

import msgspec

from certwright.api import certmanager_v1 as cm
from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.api.kinds import CLUSTER_ISSUER, ISSUER
from certwright.api.meta import JSONObject, to_json
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import IssuerReport
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.conditions import with_condition
from certwright.rules.hub import HubIssuer

MANAGERS = {"Issuer": "cert-manager-issuers", "ClusterIssuer": "cert-manager-clusterissuers"}


class ModernIssuerPresenter:
    """Writes the Ready condition and `status.acme`, other conditions left as they are."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def report(self, issuer: HubIssuer, report: IssuerReport) -> None:
        """Write it, unless it stands there; `Conflict` where the view was stale."""
        status = self._wanted(issuer, report)
        if status == issuer.status:
            return
        patch: JSONObject = {
            "metadata": {"resourceVersion": issuer.metadata.resource_version},
            "status": _plain(status, issuer.status),
        }
        key = ObjectKey(issuer.key.namespace, issuer.key.name)
        caches, client, manager = self._cluster.caches, self._cluster.client, MANAGERS[issuer.key.kind]
        if issuer.key.kind == "Issuer":
            written = await client.merge_patch(ISSUER, key, patch, subresource="status", manager=manager)
            caches.issuers.remember(written)
        else:
            found = await client.merge_patch(CLUSTER_ISSUER, key, patch, subresource="status", manager=manager)
            caches.cluster_issuers.remember(found)

    def _wanted(self, issuer: HubIssuer, report: IssuerReport) -> cm.IssuerStatus:
        ready = msgspec.structs.replace(report.ready, observed_generation=issuer.metadata.generation)
        conditions = with_condition(issuer.status.conditions, ready, self._cluster.clock.now())
        account = issuer.status.acme if report.acme is None else report.acme
        return cm.IssuerStatus(conditions=conditions, acme=account)


def _plain(status: cm.IssuerStatus, before: cm.IssuerStatus) -> JSONObject:
    plain: JSONObject = {"conditions": [to_json(each) for each in status.conditions]}
    if status.acme is not None and status.acme != before.acme:
        # A merge patch takes a field away where it is null; an empty account is written too.
        names = to_json(AcmeIssuerStatus(uri="-", last_registered_email="-", last_private_key_hash="-"))
        plain["acme"] = {**dict.fromkeys(names), **to_json(status.acme)}
    return plain
