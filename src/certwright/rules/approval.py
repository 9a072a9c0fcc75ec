"""What is to be done with a CertificateRequest: approved, refused, left alone, or given to its issuer."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP, ConditionType, RequestReason
from certwright.pki.csr import Request, is_signed_by_its_key
from certwright.pki.errors import PkiError
from certwright.pki.usages import usages_from
from certwright.rules.facts import RequestFacts

APPROVED = Condition(
    type=ConditionType.APPROVED,
    status="True",
    reason=RequestReason.APPROVED_BY_US,
    message="Certificate request has been approved by cert-manager.io",
)


class Approval(Enum):
    """Where a CertificateRequest stands."""

    ANSWERED = "answered"
    DENIED = "denied"
    APPROVED = "approved"
    OPEN = "open"


def approval_of(request: RequestFacts) -> Approval:
    """Where it stands; a denial beats an approval."""
    if request.is_answered:
        return Approval.ANSWERED
    if request.is_true(ConditionType.DENIED):
        return Approval.DENIED
    return Approval.APPROVED if request.is_true(ConditionType.APPROVED) else Approval.OPEN


def is_ours(request: RequestFacts) -> bool:
    """Whether the issuer it names is of a group that is served here."""
    return request.spec.issuer_ref.group in {"", CERT_MANAGER_GROUP, LEGACY_GROUP}


def request_problems(csr: Request, spec: cm.CertificateRequestSpec) -> Iterator[str]:
    """Why a signing request may not be signed under its CertificateRequest, as sentences."""
    try:
        if not is_signed_by_its_key(csr):
            yield "The signing request in spec.request is not signed by the key that it is for; make it anew."
        wanted = usages_from(spec.usages, is_ca=spec.is_ca, signs_only=csr.signs_only)
    except PkiError as error:
        yield f"The signing request cannot be used: {error}."
        return
    if csr.encodes_usages and not csr.usages.is_same_as(wanted):
        has, wants = ", ".join(csr.usages.names()) or "none", ", ".join(wanted.names())
        yield (
            f"The signing request asks for the usages {has}, and spec.usages with spec.isCA for {wants}: "
            "they must be the same, or the signing request must name none."
        )
    if csr.basic_constraints is not None and csr.basic_constraints.is_ca != spec.is_ca:
        yield "The signing request and spec.isCA differ in whether the certificate is a CA: make them the same."
