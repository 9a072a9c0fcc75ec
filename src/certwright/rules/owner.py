"""Which of several Certificates with one target Secret may write it, and what the Secret says of where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from certwright.api.meta import ObjectMeta, ObjectReference
from certwright.api.wellknown import Annotation, LegacyKey
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate

_LATEST = datetime.max.replace(tzinfo=UTC)


def owner_among(claimants: Sequence[HubCertificate], secret: ObjectMeta | None) -> HubCertificate | None:
    """The one that may write: of two with one name the modern one, then the one the Secret names, then the oldest."""
    served = [certificate for certificate in claimants if superseding(certificate, claimants) is None]
    if len(served) < 2:
        return served[0] if served else None
    recorded = recorded_owners(secret)
    named = [certificate for certificate in served if certificate.key in recorded]
    return min(named or served, key=_seniority)


def superseding(certificate: HubCertificate, claimants: Iterable[HubCertificate]) -> HubCertificate | None:
    """The modern Certificate of the same name that a legacy one has handed its Secret to."""
    if certificate.key.dialect is Dialect.MODERN:
        return None
    return next((other for other in claimants if _supersedes(other, certificate)), None)


def recorded_owners(secret: ObjectMeta | None) -> tuple[CertificateKey, ...]:
    """The Certificates that a Secret was issued for, as its annotations and labels say; at most one a group."""
    if secret is None:
        return ()
    modern = secret.annotations.get(Annotation.CERTIFICATE_NAME)
    old = secret.annotations.get(LegacyKey.CERTIFICATE_NAME) or secret.labels.get(LegacyKey.CERTIFICATE_NAME)
    found = []
    if modern:
        found.append(CertificateKey(Dialect.MODERN, secret.namespace, modern))
    if old:
        found.append(CertificateKey(Dialect.LEGACY, secret.namespace, old))
    return tuple(found)


def recorded_issuer(secret: ObjectMeta) -> ObjectReference | None:
    """The issuer of the certificate in a Secret, as its annotations say; None where they say nothing.

    What v0.5 wrote counts as if it had been written today. The group is empty where nothing says it.
    """
    found = secret.annotations
    name, kind, group = map(found.get, (Annotation.ISSUER_NAME, Annotation.ISSUER_KIND, Annotation.ISSUER_GROUP))
    if not (name is None and kind is None and group is None):
        return ObjectReference(name=name or "", kind=kind or "", group=group or "")
    if LegacyKey.ISSUER_NAME in found:
        return ObjectReference(name=found[LegacyKey.ISSUER_NAME], kind=found.get(LegacyKey.ISSUER_KIND, ""))
    return None


def _supersedes(other: HubCertificate, certificate: HubCertificate) -> bool:
    same_name = other.key.namespace == certificate.key.namespace and other.key.name == certificate.key.name
    return other.key.dialect is Dialect.MODERN and same_name


def _seniority(certificate: HubCertificate) -> tuple[datetime, bool, str]:
    created = certificate.metadata.creation_timestamp or _LATEST
    return created, certificate.key.dialect is Dialect.LEGACY, certificate.key.name
