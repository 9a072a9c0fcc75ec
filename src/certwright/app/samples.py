"""What metrics say of the objects, read from the caches at each scrape."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from certwright.api import acme_v1 as acme
from certwright.api.meta import Condition
from certwright.api.wellknown import LEGACY_GROUP, ConditionType
from certwright.cluster.caches import Caches
from certwright.cluster.legacy import LegacySources
from certwright.cluster.modern import ModernCertificates, ModernIssuers
from certwright.rules.hub import HubCertificate, condition_of
from certwright.telemetry.samples import CertificateSample, ChallengeSample, IssuerSample, Samples, Truth


def samples_of(caches: Caches, legacy: LegacySources | None) -> Samples:
    """The sources of one cluster; mirrors are left out, for their originals are there."""
    return Samples(
        certificates=lambda: _certificates(caches, legacy),
        issuers=lambda: _issuers(caches, legacy, "Issuer"),
        cluster_issuers=lambda: _issuers(caches, legacy, "ClusterIssuer"),
        challenges=lambda: (_challenge(each) for each in caches.challenges.values()),
    )


def _certificates(caches: Caches, legacy: LegacySources | None) -> Iterator[CertificateSample]:
    for found in ModernCertificates(caches).all():
        yield _certificate(found, found.spec.issuer_ref.group)
    for found in legacy.certificates.all() if legacy else ():
        # The group tells its series from that of a modern Certificate of the same name.
        yield _certificate(found, LEGACY_GROUP)


def _certificate(found: HubCertificate, group: str) -> CertificateSample:
    ref, status = found.spec.issuer_ref, found.status
    return CertificateSample(
        namespace=found.metadata.namespace,
        name=found.metadata.name,
        issuer_name=ref.name,
        issuer_kind=ref.kind,
        issuer_group=group,
        ready=_truth(status.conditions),
        not_before=status.not_before,
        not_after=status.not_after,
        renewal=status.renewal_time,
    )


def _issuers(caches: Caches, legacy: LegacySources | None, kind: str) -> Iterator[IssuerSample]:
    told: set[tuple[str, str]] = set()
    for found in chain(ModernIssuers(caches).all(), legacy.issuers.all() if legacy else ()):
        name = (found.key.namespace, found.key.name)
        # These series have no label for the group: of two issuers of one name the modern one is told.
        if found.key.kind == kind and name not in told:
            told.add(name)
            yield IssuerSample(name=name[1], namespace=name[0], ready=_truth(found.status.conditions))


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
