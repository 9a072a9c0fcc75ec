"""Which CertificateRequests of the past are kept."""

from __future__ import annotations

from certwright.api import certmanager_v1 as cm
from certwright.rules import defaults
from certwright.rules.facts import RequestFacts


def superseded(requests: tuple[RequestFacts, ...], revision: int, spec: cm.CertificateSpec) -> tuple[RequestFacts, ...]:
    """Those that are older than the newest ones up to `revision`; how many are kept says the spec."""
    limit = defaults.history_limit(spec)
    if len(requests) <= limit:
        return ()
    numbered = [(number, request) for request in requests if (number := request.revision) is not None]
    past = sorted((pair for pair in numbered if pair[0] <= revision), key=lambda pair: pair[0], reverse=True)
    return tuple(request for _, request in past[limit:])
