"""What is known of the issuance of a legacy Certificate that runs or has just ended: its request, its ACME order."""

from __future__ import annotations

from certwright.api import acme_v1 as acme
from certwright.cluster.caches import BY_OWNER
from certwright.cluster.cluster import Cluster
from certwright.kube.wire.keys import ObjectKey
from certwright.rules.facts import RequestFacts, controller_of
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate
from certwright.rules.legacy_events import AcmeStory

MOST_REMEMBERED = 20_000


class Issuances:
    """Looks issuances up in the caches, and remembers which of them are renewals."""

    def __init__(self, cluster: Cluster) -> None:
        self._caches = cluster.caches
        self._renewals: dict[str, bool] = {}

    def request(self, key: ObjectKey) -> RequestFacts | None:
        """The CertificateRequest of that name."""
        return self._caches.requests.get(key)

    def latest(self, certificate: HubCertificate) -> RequestFacts | None:
        """The CertificateRequest of the highest revision."""
        found = self._caches.requests.find(BY_OWNER, certificate.metadata.uid)
        return max(found, key=lambda request: request.revision or 0, default=None)

    def order(self, request: RequestFacts) -> acme.Order | None:
        """The Order of a CertificateRequest; None where there is none."""
        found = self._caches.orders.find(BY_OWNER, request.metadata.uid)
        return found[0] if found else None

    def story(self, certificate: HubCertificate, request: RequestFacts) -> AcmeStory | None:
        """How the ACME order of a request stands; None where there is no order."""
        if (order := self.order(request)) is None:
            return None
        return AcmeStory(
            request=request,
            order=order,
            challenges=self._caches.challenges.find(BY_OWNER, order.metadata.uid),
            plan=certificate.plan or (),
            renewal=self.is_renewal(certificate, request),
        )

    def certificate_of(self, order: acme.Order) -> CertificateKey | None:
        """The legacy Certificate that an Order is for; None where it is not for one."""
        owner = controller_of(order.metadata)
        if owner is None or owner.kind != "CertificateRequest":
            return None
        request = self._caches.requests.get(ObjectKey(order.metadata.namespace, owner.name))
        above = controller_of(request.metadata) if request is not None else None
        if above is None or above.kind != "Certificate" or above.api_version != Dialect.LEGACY.api_version:
            return None
        return CertificateKey(Dialect.LEGACY, order.metadata.namespace, above.name)

    def note(self, request: RequestFacts, *, renewal: bool) -> None:
        """Remember whether the Secret held a usable certificate when the request was made."""
        self._renewals[request.metadata.uid] = renewal
        if len(self._renewals) > MOST_REMEMBERED:
            self._renewals.pop(next(iter(self._renewals)))

    def is_renewal(self, certificate: HubCertificate, request: RequestFacts) -> bool:
        """What was noted; after a restart, whether there was a certificate at all."""
        return self._renewals.get(request.metadata.uid, certificate.status.not_after is not None)
