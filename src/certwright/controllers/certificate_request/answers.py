"""The status of a CertificateRequest as it is to be, for each way in which a pass can end."""

from __future__ import annotations

import base64
from datetime import datetime

from msgspec import Struct

from certwright.api.meta import Condition, JSONObject, to_json
from certwright.api.wellknown import ConditionType, RequestReason
from certwright.issuers.base import Pending, Signed
from certwright.rules.approval import APPROVED
from certwright.rules.conditions import with_condition
from certwright.rules.facts import RequestFacts

FETCHED = "Certificate fetched from issuer successfully"
DENIED = "The CertificateRequest was denied by an approval controller"


class Answer(Struct, frozen=True, kw_only=True):
    """What a status is to say: conditions over those that are there, and what goes with them."""

    conditions: tuple[Condition, ...]
    chain: bytes = b""
    ca: bytes = b""
    failed: bool = False

    def patch(self, request: RequestFacts, now: datetime) -> JSONObject | None:
        """The merge patch that says it, refused on a stale view; None where nothing changes."""
        conditions = request.status.conditions
        for condition in self.conditions:
            conditions = with_condition(conditions, condition, now)
        if conditions == request.status.conditions:
            return None
        status: JSONObject = {"conditions": [to_json(condition) for condition in conditions]}
        if self.chain:
            status["certificate"] = base64.b64encode(self.chain).decode()
        if self.ca:
            status["ca"] = base64.b64encode(self.ca).decode()
        if self.failed and request.status.failure_time is None:
            status["failureTime"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"metadata": {"resourceVersion": request.metadata.resource_version}, "status": status}


def approval(request: RequestFacts) -> tuple[Condition, ...]:
    """Our approval, where there is none yet."""
    return () if request.is_true(ConditionType.APPROVED) else (APPROVED,)


def issued(request: RequestFacts, signed: Signed) -> Answer:
    """The certificate is there."""
    ready = _ready("True", RequestReason.ISSUED, FETCHED)
    return Answer(conditions=(*approval(request), ready), chain=signed.chain_pem, ca=signed.ca_pem)


def pending(request: RequestFacts, found: Pending) -> Answer:
    """It is not there yet."""
    ready = _ready("False", RequestReason.PENDING, found.message)
    return Answer(conditions=(*approval(request), ready))


def failed(request: RequestFacts, message: str) -> Answer:
    """It will never be there."""
    ready = _ready("False", RequestReason.FAILED, message)
    return Answer(conditions=(*approval(request), ready), failed=True)


def invalid(message: str) -> Answer:
    """The request itself cannot be signed by anybody."""
    judged = Condition(
        type=ConditionType.INVALID_REQUEST, status="True", reason=ConditionType.INVALID_REQUEST, message=message
    )
    return Answer(conditions=(judged, _ready("False", RequestReason.FAILED, message)), failed=True)


def denied() -> Answer:
    """Somebody has denied it."""
    return Answer(conditions=(_ready("False", RequestReason.DENIED, DENIED),), failed=True)


def _ready(status: str, reason: str, message: str) -> Condition:
    return Condition(
        type=ConditionType.READY, status="True" if status == "True" else "False", reason=reason, message=message
    )
