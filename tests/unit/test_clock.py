"""The machine's clock: aware times, timers that follow the wall clock also where it jumps; and the clock of tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.clock import START, MovableClock

from certwright.clock import LONGEST_TIMER, SystemClock

SOON = timedelta(milliseconds=5)


class JumpingClock(SystemClock):
    """The machine's clock with its hands where the test puts them."""

    def __init__(self) -> None:
        self.hands = START

    def now(self) -> datetime:
        return self.hands


class LateLoop:
    """Stands where the event loop keeps timers: notes what was asked for, and calls when the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[float, Callable[[], object]]] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_later", self._call_later)
        self._never = loop.call_at

    def _call_later(self, delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        self.asked.append((delay, callback))
        handle = self._never(asyncio.get_running_loop().time() + 3600, callback)
        handle.cancel()
        return handle


async def test_now_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


async def test_monotonic_never_runs_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]

    assert readings == sorted(readings)


async def test_a_timer_fires_once_its_time_has_come_and_not_before() -> None:
    clock = SystemClock()
    due = clock.now() + SOON
    fired: asyncio.Future[datetime] = asyncio.get_running_loop().create_future()

    clock.call_at(due, lambda: fired.set_result(clock.now()))

    assert not fired.done()
    assert await asyncio.wait_for(fired, 10) >= due


async def test_a_time_that_has_passed_is_called_at_the_next_turn() -> None:
    clock = SystemClock()
    fired: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    clock.call_at(clock.now() - timedelta(days=1), lambda: fired.set_result(None))

    assert not fired.done()
    await asyncio.wait_for(fired, 10)


async def test_a_cancelled_timer_does_not_fire() -> None:
    clock = SystemClock()
    calls: list[str] = []
    timer = clock.call_at(clock.now(), lambda: calls.append("cancelled"))
    timer.cancel()
    timer.cancel()

    last: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    clock.call_at(clock.now(), lambda: last.set_result(None))
    await asyncio.wait_for(last, 10)

    assert calls == []


async def test_waiting_takes_as_long_as_asked() -> None:
    clock = SystemClock()
    begun = clock.monotonic()

    await clock.wait(SOON)

    assert clock.monotonic() - begun >= SOON.total_seconds() * 0.9


async def test_a_far_timer_looks_again_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ninety days are waited for in pieces, or a suspended machine would renew too late by as long as it slept."""
    loop, clock = LateLoop(monkeypatch), JumpingClock()

    clock.call_at(START + timedelta(days=90), lambda: None)

    assert [delay for delay, _ in loop.asked] == [LONGEST_TIMER.total_seconds()]


async def test_a_jump_forward_fires_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, clock = LateLoop(monkeypatch), JumpingClock()
    calls: list[str] = []
    clock.call_at(START + timedelta(days=90), lambda: calls.append("due"))

    clock.hands += timedelta(days=91)
    loop.asked[0][1]()

    assert calls == ["due"]


async def test_a_jump_back_waits_on(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, clock = LateLoop(monkeypatch), JumpingClock()
    calls: list[str] = []
    clock.call_at(START + timedelta(seconds=10), lambda: calls.append("due"))

    clock.hands -= timedelta(hours=1)
    loop.asked[0][1]()

    assert calls == []
    assert [delay for delay, _ in loop.asked] == [10, LONGEST_TIMER.total_seconds()]


async def test_the_clock_of_tests_fires_in_order_each_at_its_own_time() -> None:
    clock = MovableClock()
    seen: list[tuple[str, datetime]] = []
    for name, seconds in (("second", 20), ("first", 10), ("never", 40)):
        clock.call_at(START + timedelta(seconds=seconds), lambda name=name: seen.append((name, clock.now())))  # type: ignore[misc]  # mypy cannot infer a default of a lambda

    clock.advance(timedelta(seconds=30))

    assert seen == [("first", START + timedelta(seconds=10)), ("second", START + timedelta(seconds=20))]
    assert clock.now() == START + timedelta(seconds=30)
    assert clock.pending == 1


async def test_the_clock_of_tests_lets_run_what_a_timer_wakes() -> None:
    clock = MovableClock()
    woken: list[datetime] = []

    async def every_minute() -> None:
        while len(woken) < 3:
            await clock.wait(timedelta(minutes=1))
            woken.append(clock.now())

    task = asyncio.create_task(every_minute())
    await clock.run_for(timedelta(minutes=5))

    assert task.done()
    assert woken == [START + timedelta(minutes=number) for number in (1, 2, 3)]
