from __future__ import annotations

import pytest

from certwright.acme.client.errors import AcmeProblem
from certwright.acme.protocol.problems import Problem, acme_problem


@pytest.mark.parametrize(
    ("kind", "status", "is_terminal"),
    [
        ("malformed", 400, True),
        ("rejectedIdentifier", 400, True),
        ("unauthorized", 403, True),
        ("accountDoesNotExist", 400, True),
        ("badNonce", 400, False),
        ("rateLimited", 429, False),
        ("rateLimited", 403, False),
        ("serverInternal", 500, False),
        ("malformed", 503, False),
        ("malformed", 408, False),
        ("malformed", 301, False),
    ],
)
def test_what_will_never_be_accepted_is_terminal(kind: str, status: int, is_terminal: bool) -> None:
    assert AcmeProblem(acme_problem(kind, "words", status), status).is_terminal is is_terminal


def test_a_rate_limit_is_told_by_its_status_or_its_type() -> None:
    assert AcmeProblem(Problem(), 429).is_rate_limited
    assert AcmeProblem(acme_problem("rateLimited", "words", 403), 403).is_rate_limited
    assert not AcmeProblem(Problem(), 503).is_rate_limited
