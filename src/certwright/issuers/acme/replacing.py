"""Which certificate a new order replaces (RFC 9773 section 5), so that the CA sees a renewal in it."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.api import acme_v1 as acme
from certwright.api.names import order_name
from certwright.cluster.caches import BY_OWNER
from certwright.cluster.cluster import Cluster
from certwright.issuers.base import RequestToSign
from certwright.kube.wire.keys import ObjectKey
from certwright.rules import gates
from certwright.rules.facts import controller_of
from certwright.rules.hub import Dialect, HubIssuer, modern_certificate
from certwright.rules.renewal_information import is_source, replaced_certificate


def replaced_by(cluster: Cluster, issuer: HubIssuer, request: RequestToSign, spec: acme.OrderSpec) -> str:
    """The CA's name for what the request's certificate replaces; empty where it replaces nothing of this issuer's.

    An Order that is there already has said it: whatever becomes of the Secret meanwhile, there is no second Order.
    """
    for order in cluster.caches.orders.find(BY_OWNER, request.metadata.uid):
        said = order.spec.replaces
        if order_name(request.metadata.name, replace(spec, replaces=said)) == order.metadata.name:
            return said
    if gates.ARI not in cluster.settings.gates or not is_source(issuer):
        return ""
    owner = controller_of(request.metadata)
    if owner is None or owner.kind != "Certificate" or owner.api_version != Dialect.MODERN.api_version:
        return ""
    found = cluster.caches.certificates.get(ObjectKey(request.namespace, owner.name))
    if found is None or found.metadata.uid != owner.uid:
        return ""
    secret = cluster.caches.secrets.get(ObjectKey(request.namespace, found.spec.secret_name))
    return replaced_certificate(modern_certificate(found), secret, request.spec.issuer_ref)
