from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.server.nonces import MOST_KEPT, Nonces
from certwright.acme.server.options import Rate
from certwright.acme.server.rates import Meter

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_window_slides() -> None:
    meter = Meter(Rate(2, HOUR))
    meter.count("a", NOW)
    meter.count("a", NOW + HOUR / 2)

    assert meter.wait_for("a", NOW + HOUR / 2) == HOUR / 2
    assert meter.wait_for("b", NOW + HOUR / 2) is None
    assert meter.wait_for("a", NOW + HOUR) is None


def test_without_a_rate_nothing_is_limited() -> None:
    meter = Meter(None)
    meter.count("a", NOW)

    assert meter.wait_for("a", NOW) is None


def test_a_rate_of_none_lets_nobody_in() -> None:
    assert Meter(Rate(0, HOUR)).wait_for("a", NOW) == HOUR


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 4))
def test_no_window_ever_holds_more(pauses: list[int], most: int) -> None:
    meter, now, passed = Meter(Rate(most, HOUR)), NOW, []

    for pause in pauses:
        now += timedelta(minutes=pause)
        wait = meter.wait_for("a", now)
        if wait is None:
            meter.count("a", now)
            passed.append(now)
        else:
            assert timedelta(0) < wait <= HOUR

    for first, later in zip(passed, passed[most:], strict=False):
        assert later - first >= HOUR


def test_a_nonce_counts_once() -> None:
    nonces = Nonces()
    nonce = nonces.new()

    assert nonces.take(nonce)
    assert not nonces.take(nonce)
    assert not nonces.take("made up")


def test_nonces_that_nobody_uses_are_forgotten() -> None:
    nonces = Nonces()
    first = nonces.new()
    for _ in range(MOST_KEPT - 1):
        nonces.new()
    last = nonces.new()

    assert not nonces.take(first)
    assert nonces.take(last)
