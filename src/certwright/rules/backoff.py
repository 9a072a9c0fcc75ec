"""How long an issuance waits after failures in a row."""

from __future__ import annotations

from datetime import datetime, timedelta

from certwright.api import certmanager_v1 as cm

_MOST_DOUBLINGS = 32


def delay(attempts: int, least: timedelta, most: timedelta) -> timedelta:
    """`least` after the first failure, twice as long after each further one, never longer than `most`."""
    doublings = min(max(attempts - 1, 0), _MOST_DOUBLINGS)
    return min(least * (1 << doublings), most)


def next_try(status: cm.CertificateStatus, least: timedelta, most: timedelta) -> datetime | None:
    """When the next issuance may start; None where none has failed."""
    if status.last_failure_time is None:
        return None
    return status.last_failure_time + delay(status.failed_issuance_attempts or 1, least, most)
