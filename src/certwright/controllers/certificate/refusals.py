"""What may be told of a refusal to write a Secret: the API server may quote the whole object in its message."""

from __future__ import annotations

from certwright.kube.wire.status import ApiError, BadRequest, Invalid

QUOTING = (BadRequest, Invalid)
"""Refusals that quote what was sent."""


def refusal(error: ApiError) -> str:
    """The server's own words where they hold no value of the Secret, else the reason and the fields."""
    if not isinstance(error, QUOTING):
        return str(error)
    details = error.status.details
    fields = [cause.field for cause in (details.causes or ()) if cause.field] if details is not None else []
    named = [field for field in dict.fromkeys(fields) if field != "patch"]
    return f"{error.reason} ({', '.join(named)})" if named else f"{error.reason}: see the API server's log"
