"""What metrics say of the objects, read from the caches at each scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition
from certwright.api.wellknown import ConditionType
from certwright.cluster.caches import Caches
from certwright.rules.hub import condition_of
from certwright.rules.mirrors import is_mirror
from certwright.telemetry.samples import CertificateSample, ChallengeSample, IssuerSample, Samples, Truth


def samples_of(caches: Caches) -> Samples:
    """The sources of one cluster; mirrors are left out, for they are no objects of their own."""
    return Samples(
        certificates=lambda: _certificates(caches),
        issuers=lambda: _issuers(caches.issuers.values()),
        cluster_issuers=lambda: _issuers(caches.cluster_issuers.values()),
        challenges=lambda: (_challenge(each) for each in caches.challenges.values()),
    )


def _certificates(caches: Caches) -> Iterator[CertificateSample]:
    for found in caches.certificates.values():
        if is_mirror(found.metadata):
            continue
        ref, status = found.spec.issuer_ref, found.status
        yield CertificateSample(
            namespace=found.metadata.namespace,
            name=found.metadata.name,
            issuer_name=ref.name,
            issuer_kind=ref.kind,
            issuer_group=ref.group,
            ready=_truth(status.conditions),
            not_before=status.not_before,
            not_after=status.not_after,
            renewal=status.renewal_time,
        )


def _issuers(issuers: Iterable[cm.Issuer | cm.ClusterIssuer]) -> Iterator[IssuerSample]:
    for found in issuers:
        if not is_mirror(found.metadata):
            ready = _truth(found.status.conditions)
            yield IssuerSample(name=found.metadata.name, namespace=found.metadata.namespace, ready=ready)


def _challenge(found: acme.Challenge) -> ChallengeSample:
    return ChallengeSample(
        namespace=found.metadata.namespace,
        name=found.metadata.name,
        domain=found.spec.dns_name,
        type=found.spec.type,
        state=found.status.state or "",
        reason=found.status.reason,
        processing=found.status.processing,
    )


def _truth(conditions: tuple[Condition, ...]) -> Truth:
    ready = condition_of(conditions, ConditionType.READY)
    return "Unknown" if ready is None else ready.status
