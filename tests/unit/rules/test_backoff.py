"""The wait after failures in a row."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.rules.sample import NOW

from certwright.api import certmanager_v1 as cm
from certwright.rules.backoff import delay, next_try

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("attempts", "hours"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (6, 32), (7, 32), (10**6, 32)]
)
def test_it_doubles_up_to_a_cap(attempts: int, hours: int) -> None:
    assert delay(attempts, HOUR, 32 * HOUR) == hours * HOUR


def test_the_next_try_follows_the_last_failure() -> None:
    failed = cm.CertificateStatus(last_failure_time=NOW, failed_issuance_attempts=2)

    assert next_try(failed, HOUR, 32 * HOUR) == NOW + 2 * HOUR
    assert next_try(cm.CertificateStatus(last_failure_time=NOW), HOUR, 32 * HOUR) == NOW + HOUR
    assert next_try(cm.CertificateStatus(failed_issuance_attempts=3), HOUR, 32 * HOUR) is None
