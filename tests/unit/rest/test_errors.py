from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.rest import LONGEST_RETRY, RestError, parse_retry_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "after"),
    [
        ("0", timedelta(0)),
        (" 120 ", timedelta(minutes=2)),
        ("999999999999", LONGEST_RETRY),
        ("Thu, 01 Jan 2026 00:01:00 GMT", timedelta(minutes=1)),
        ("Thu, 01 Jan 2026 00:01:00 -0000", timedelta(minutes=1)),
        ("Wed, 31 Dec 2025 23:59:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("９", None),
        ("1" * 5000, None),
        ("Thu, 99 Jan 2026 00:01:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, after: timedelta | None) -> None:
    assert parse_retry_after(value, NOW) == after


@settings(deadline=None)
@given(st.text(max_size=60) | st.datetimes().map(lambda when: when.strftime("%a, %d %b %Y %H:%M:%S GMT")))
def test_any_header_gives_a_bounded_wait_or_none(value: str) -> None:
    after = parse_retry_after(value, NOW)

    assert after is None or timedelta(0) <= after <= LONGEST_RETRY


@pytest.mark.parametrize(
    ("status", "is_passing"),
    [(0, True), (408, True), (429, True), (500, True), (503, True), (400, False), (403, False)],
)
def test_what_may_pass_is_told_from_what_will_not(status: int, is_passing: bool) -> None:
    assert RestError(status, "words").is_passing is is_passing
