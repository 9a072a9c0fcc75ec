"""Texts that stand in a status."""

from __future__ import annotations

import pytest

from certwright.controllers.challenge.reports import LONGEST_REASON, stable

UUID = "8d3f1c64-1c4d-4f4e-9a53-0f7a2b1c9d00"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            f"AccessDenied, status code: 403, request id: {UUID}",
            "AccessDenied, status code: 403, request id: <redacted>",
        ),
        (f'{{"code":"X","RequestId":"{UUID}"}}', '{"code":"X","RequestId":"<redacted>"}'),
        (f"Trace ID: {UUID} Correlation ID: {UUID}", "Trace ID: <redacted> Correlation ID: <redacted>"),
        ("Timestamp: 2026-11-24 03:15:34Z", "Timestamp: <redacted>"),
        ("the zone of x.test was not found", "the zone of x.test was not found"),
        ("the request identity is unknown", "the request identity is unknown"),
    ],
)
def test_what_differs_each_time_is_left_out(text: str, wanted: str) -> None:
    assert stable(text) == wanted


def test_a_status_is_not_a_log() -> None:
    assert len(stable("x" * 10_000)) == LONGEST_REASON
