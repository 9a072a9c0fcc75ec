"""How a policy refuses, in the API server's words."""

from __future__ import annotations

from certwright.apiserver.admission.review import Review
from certwright.kube.wire.status import ApiError, Status, StatusCause, StatusDetails, error_of

_CODES = {"Invalid": 422, "Forbidden": 403, "RequestEntityTooLarge": 413}


def validation_refused(review: Review, who: str, why: str, reason: str) -> ApiError:
    """A rule is broken; `who` names policy and binding."""
    told = f"{who} denied request: {why}"
    message = f'{review.definition.resource.qualified} "{review.name}" is forbidden: {told}'
    return _refused(review, message, told, (reason, _CODES.get(reason, 422)))


def mutation_refused(review: Review, policy: str, binding: str, why: str) -> ApiError:
    """A change could not be made."""
    told = f"policy '{policy}' with binding '{binding}' denied request: {why}"
    return _refused(review, told, told, ("Invalid", 403))


def _refused(review: Review, message: str, cause: str, reason: tuple[str, int]) -> ApiError:
    resource = review.definition.resource
    details = StatusDetails(
        name=review.name, group=resource.group, kind=resource.plural, causes=[StatusCause(message=cause)]
    )
    return error_of(Status(message=message, reason=reason[0], details=details, code=reason[1]))
