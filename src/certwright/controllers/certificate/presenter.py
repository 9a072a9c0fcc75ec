"""How a report reads on a cert-manager.io Certificate: one patch of its status, and upstream's events."""

from __future__ import annotations

from typing import Literal

from certwright.api import certmanager_v1 as cm
from certwright.api.kinds import CERTIFICATE
from certwright.api.meta import JSONObject
from certwright.api.wellknown import CertificateEvent
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import Report
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.rules import milestones as told
from certwright.rules.hub import HubCertificate
from certwright.rules.milestones import Milestone
from certwright.rules.status_changes import status_changes

TRIGGER = "cert-manager-certificates-trigger"
KEY_MANAGER = "cert-manager-certificates-key-manager"
REQUEST_MANAGER = "cert-manager-certificates-request-manager"
ISSUING = "cert-manager-certificates-issuing"
READINESS = "cert-manager-certificates-readiness"

ISSUED = "The certificate has been successfully issued"

EventWords = tuple[Literal["Normal", "Warning"], str, str, str]


class ModernCertificatePresenter:
    """Writes the status where it differs, and then says what happened."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def report(self, certificate: HubCertificate, report: Report) -> None:
        """Write it. A status write is refused (`Conflict`) where the view was stale."""
        patch = status_patch(certificate, report.status)
        if patch is not None:
            key = ObjectKey(certificate.key.namespace, certificate.key.name)
            try:
                written = await self._cluster.client.merge_patch(
                    CERTIFICATE, key, patch, subresource="status", manager=manager_of(report)
                )
            except NotFound:
                return
            self._cluster.caches.certificates.remember(written)
        for milestone in report.milestones:
            words = event_words(milestone)
            if words is not None:
                kind, reason, message, component = words
                self._cluster.recorder.record(certificate.about, kind, reason, message, component)


def status_patch(certificate: HubCertificate, wanted: cm.CertificateStatus) -> JSONObject | None:
    """The merge patch that makes the status what is wanted; None where it is that already."""
    if certificate.status == wanted:
        return None
    changes = status_changes(certificate.status, wanted)
    if not changes:
        return None
    return {"metadata": {"resourceVersion": certificate.metadata.resource_version}, "status": changes}


def manager_of(report: Report) -> str:
    """Which of upstream's controllers would have written the most of it."""
    for milestone in report.milestones:
        match milestone:
            case told.Stored() | told.IssuanceFailed():
                return ISSUING
            case told.IssuanceStarted():
                return TRIGGER
            case _:
                pass
    return READINESS


def event_words(milestone: Milestone) -> EventWords | None:  # noqa: PLR0911 - one case a milestone
    """Type, reason, message and component of the event; None where upstream tells nothing."""
    match milestone:
        case told.IssuanceStarted(_, message):
            return "Normal", CertificateEvent.ISSUING, message, TRIGGER
        case told.KeyGenerated() | told.KeyReused() | told.KeyUnreadable() | told.KeyCannotChange():
            return _key_words(milestone)
        case told.Requested(name, _):
            text = f'Created new CertificateRequest resource "{name}"'
            return "Normal", CertificateEvent.REQUESTED, text, REQUEST_MANAGER
        case told.RequestNotMade(message):
            return "Warning", CertificateEvent.REQUEST_FAILED, message, REQUEST_MANAGER
        case told.WindowUnusable(message):
            return "Warning", CertificateEvent.WINDOW_ERROR, message, READINESS
        case told.RenewalNotAdvised(message):
            return "Warning", CertificateEvent.ARI_ERROR, message, READINESS
        case told.Waiting():
            return None
        case _:
            return _issuing_words(milestone)


def _key_words(
    milestone: told.KeyGenerated | told.KeyReused | told.KeyUnreadable | told.KeyCannotChange,
) -> EventWords:
    match milestone:
        case told.KeyGenerated(name):
            text = f'Stored new private key in temporary Secret resource "{name}"'
            return "Normal", CertificateEvent.GENERATED, text, KEY_MANAGER
        case told.KeyReused(name):
            text = f'Reusing private key stored in existing Secret resource "{name}"'
            return "Normal", CertificateEvent.REUSED, text, KEY_MANAGER
        case told.KeyUnreadable(message):
            return "Warning", CertificateEvent.DECODE_FAILED, message, KEY_MANAGER
        case told.KeyCannotChange(message):
            return "Warning", CertificateEvent.CANNOT_REGENERATE_KEY, message, KEY_MANAGER


def _issuing_words(
    milestone: told.TemporaryStored | told.Stored | told.IssuanceFailed | told.SecretNotWritable,
) -> EventWords:
    match milestone:
        case told.TemporaryStored():
            return "Normal", CertificateEvent.ISSUING, "Issued temporary certificate", ISSUING
        case told.Stored():
            return "Normal", CertificateEvent.ISSUING, ISSUED, ISSUING
        case told.IssuanceFailed(reason, message) | told.SecretNotWritable(reason, message):
            return "Warning", reason, message, ISSUING
