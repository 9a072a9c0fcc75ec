"""Whether the writer of Approved or Denied may decide for the issuer of a CertificateRequest."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import decode
from certwright.api.wellknown import CERT_MANAGER_GROUP
from certwright.rules.identity import Requester
from certwright.rules.request_validation import is_newly_judged, signer_names
from certwright.rules.validation import FORBIDDEN, Problem
from certwright.webhook.review import Question

REQUESTS = "certificaterequests"


class CannotAsk(Exception):
    """The API server did not answer; the message is a sentence."""


class Signer(Struct, frozen=True):
    """The resource of a kind of issuers: `<plural>.<group>`."""

    resource: str
    namespaced: bool


class Signers(Protocol):
    """Knows which kinds of issuers there are."""

    async def find(self, group: str, kind: str) -> Signer | None:
        """The resource of a kind; None where the API server serves none. Raises CannotAsk."""


class Access(Protocol):
    """Knows who may approve."""

    async def may_approve(self, requester: Requester, signer: str) -> bool:
        """Whether the requester has the verb approve on that name of a signer. Raises CannotAsk."""


class Approvals:
    """Asks for the permission `approve` on `signers` where a write of status needs it."""

    def __init__(self, signers: Signers, access: Access) -> None:
        self._signers = signers
        self._access = access

    async def problem(self, question: Question) -> Problem | None:
        """Why the write may not happen; raises CannotAsk where that is not known."""
        if not _is_status_of_request(question):
            return None
        new, old = (decode(cm.CertificateRequest, body) for body in (question.object, question.old))
        if not is_newly_judged(old.status.conditions, new.status.conditions):
            return None
        ref = new.spec.issuer_ref
        group, kind = ref.group or CERT_MANAGER_GROUP, ref.kind or "Issuer"
        signer = await self._signers.find(group, kind)
        if signer is None:
            text = f"There is no kind {kind} of {group} on this API server; install it, or name another issuer."
            return Problem("spec.issuerRef", text, FORBIDDEN)
        names = signer_names(signer.resource, question.namespace if signer.namespaced else "", ref.name)
        for name in names:
            if await self._access.may_approve(question.requester, name):
                return None
        text = (
            f"User {question.requester.username!r} may not approve or deny for this issuer; a cluster role with the "
            f"verb approve on signers of {CERT_MANAGER_GROUP} named {' or '.join(names)} is needed."
        )
        return Problem("status.conditions", text, FORBIDDEN)


def _is_status_of_request(question: Question) -> bool:
    where = (question.operation, question.group, question.plural, question.subresource)
    return where == ("UPDATE", CERT_MANAGER_GROUP, REQUESTS, "status") and bool(question.object and question.old)
