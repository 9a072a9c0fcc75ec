"""When a certificate is renewed: shares of its life, and windows across time zones and clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.rules.sample import spec

from certwright.api import certmanager_v1 as cm
from certwright.rules.renewal_time import renewal_of, window_problem

START = datetime(2026, 11, 24, 3, 14, 45, tzinfo=UTC)
DAY = timedelta(days=1)


def when(life: timedelta = 90 * DAY, start: datetime = START, **fields: Any) -> datetime | None:
    return renewal_of(spec(**fields), start, start + life).when


def windows(*crons: str, zone: str | None = None, length: str = "4h") -> dict[str, Any]:
    found = [{"cron": cron, "windowDuration": length, **({"timezone": zone} if zone else {})} for cron in crons]
    return {"renewal": {"policy": "RenewBefore", "windows": found}}


@pytest.mark.parametrize(
    ("life", "fields", "before_end"),
    [
        (90 * DAY, {}, 30 * DAY),
        (timedelta(seconds=100), {}, timedelta(seconds=34)),
        (90 * DAY, {"renewBefore": "5h"}, timedelta(hours=5)),
        (90 * DAY, {"renewBefore": "2160h"}, 30 * DAY),
        (90 * DAY, {"renewBefore": "9999h"}, 30 * DAY),
        (90 * DAY, {"renewBefore": "-5h"}, 30 * DAY),
        (90 * DAY, {"renewBefore": "soon"}, 30 * DAY),
        (2 * DAY, {"renewBeforePercentage": 25}, timedelta(hours=12)),
        (2 * DAY, {"renewBeforePercentage": 100}, timedelta(hours=16)),
        (2 * DAY, {"renewBeforePercentage": 0}, timedelta(hours=16)),
        (90 * DAY, {"renewBefore": "9999h", "renewBeforePercentage": 50}, 45 * DAY),
        (timedelta(hours=1), {}, timedelta(minutes=20)),
        (90 * DAY, {"renewal": {"policy": "RenewBefore"}}, 30 * DAY),
    ],
)
def test_the_share_of_life_that_is_left(life: timedelta, fields: dict[str, Any], before_end: timedelta) -> None:
    assert when(life, **fields) == START + life - before_end


def test_the_duration_asked_for_does_not_count() -> None:
    assert when(90 * DAY, duration="48h") == START + 60 * DAY


def test_disabled_means_never() -> None:
    assert when(renewal={"policy": "Disabled"}) is None


def test_the_window_of_the_live_run() -> None:
    """A window on Saturdays at two in Berlin, in winter: one o'clock in UTC."""
    found = when(30 * DAY, **windows("0 2 * * 6", zone="Europe/Berlin"))

    assert found == datetime(2026, 12, 19, 1, 0, tzinfo=UTC)


def test_a_desired_time_inside_a_window_stays() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    desired = start + 60 * DAY

    assert when(start=start, **windows("0 22 * * *")) == desired
    assert when(start=start, **windows("0 20 * * *")) == desired + timedelta(hours=20)
    assert when(start=start, **windows("0 0 * * *")) == desired


def test_the_earliest_of_several_windows_counts() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)

    assert when(start=start, **windows("0 12 * * *", "0 6 * * *")) == start + 60 * DAY + timedelta(hours=6)


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 2, 0, 30, tzinfo=UTC)),
    ],
    ids=["the hour that is skipped", "the hour that comes twice", "summer"],
)
def test_clock_changes(day: datetime, opens: datetime) -> None:
    """Half past two in Berlin: not there on the last Sunday of March, there twice on that of October."""
    start = day - 60 * DAY

    assert when(start=start, **windows("30 2 * * *", zone="Europe/Berlin")) == opens


def test_no_window_before_the_end_is_said_and_does_not_let_it_expire() -> None:
    found = renewal_of(spec(**windows("0 0 29 2 *")), START, START + 90 * DAY)

    assert found.when == START + 60 * DAY
    assert "No renewal window opens" in found.window_problem


@pytest.mark.parametrize(
    ("cron", "zone", "length"),
    [
        ("* * * *", None, "4h"),
        ("* * * * * *", None, "4h"),
        ("@every 1h", None, "4h"),
        ("0 0 L * *", None, "4h"),
        ("0 0 * * 1#2", None, "4h"),
        ("0 25 * * *", None, "4h"),
        ("0 0 31 2 *", None, "4h"),
        ("0 0 * * *; rm", None, "4h"),
        ("0 2 * * *", "Mars/Olympus", "4h"),
        ("0 2 * * *", "../../etc/passwd", "4h"),
        ("0 2 * * *", None, "0s"),
        ("0 2 * * *", None, "often"),
    ],
)
def test_windows_that_are_none(cron: str, zone: str | None, length: str) -> None:
    wanted = windows(cron, zone=zone, length=length)
    window = spec(**wanted).renewal
    assert isinstance(window, cm.Renewal)

    assert window_problem(window.windows[0])
    found = renewal_of(spec(**wanted), START, START + 90 * DAY)
    assert found.window_problem
    assert found.when == START + 60 * DAY


@pytest.mark.parametrize("cron", ["*/15 2-4 1,15 JAN-MAR mon-fri", "0 2 * * SUN", "5 4 ? * ?", "0 0 1 */3 *", "@daily"])
def test_windows_that_are_some(cron: str) -> None:
    window = spec(**windows(cron)).renewal
    assert isinstance(window, cm.Renewal)

    assert window_problem(window.windows[0]) is None
