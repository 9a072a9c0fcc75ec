"""One pass per key at a time, in order, with back-off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from tests.clock import START, MovableClock, settle

from certwright.errors import Blocked, Retry
from certwright.kube.runtime.loop import Loop, LoopOptions
from certwright.kube.wire.status import Conflict, Unavailable

SECOND = timedelta(seconds=1)


class Counted:
    """Counts passes as the metrics do."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def pass_made(self, controller: str) -> None:
        self.made[controller] += 1

    def pass_failed(self, controller: str) -> None:
        self.failed[controller] += 1


class Gate:
    """Passes that end when the test says so."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.finished: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    async def reconcile(self, key: str) -> datetime | None:
        assert key not in self.running
        self.running.append(key)
        try:
            await self.ends.setdefault(key, asyncio.Event()).wait()
            self.finished.append(key)
        finally:
            self.running.remove(key)
        return None

    def end(self, key: str) -> None:
        self.ends.pop(key).set()


@asynccontextmanager
async def running(loop: Loop[str]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(loop.run())
    await settle()
    try:
        yield
    finally:
        task.cancel()
        await settle()
        assert task.done()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def outcomes(
    *results: datetime | BaseException | None,
) -> tuple[list[str], Callable[[str], Awaitable[datetime | None]]]:
    """A reconcile that comes to these outcomes in turn, then to nothing; and the keys that it saw."""
    seen: list[str] = []
    left = list(results)

    async def reconcile(key: str) -> datetime | None:
        seen.append(key)
        result = left.pop(0) if left else None
        if isinstance(result, BaseException):
            raise result
        return result

    return seen, reconcile


async def test_keys_run_in_order_of_arrival_and_once_however_often_they_were_added() -> None:
    seen, reconcile = outcomes()
    loop = Loop("l", reconcile, MovableClock(), LoopOptions(workers=1))
    for key in ("b", "a", "b", "c", "a"):
        loop.add(key)

    async with running(loop):
        pass

    assert seen == ["b", "a", "c"]


async def test_no_more_passes_at_once_than_workers() -> None:
    gate = Gate()
    loop = Loop("l", gate.reconcile, MovableClock(), LoopOptions(workers=2))

    async with running(loop):
        for key in "abc":
            loop.add(key)
        await settle()
        assert gate.running == ["a", "b"]
        gate.end("b")
        await settle()
        assert gate.running == ["a", "c"]
        gate.end("a")
        gate.end("c")


async def test_a_key_added_during_its_pass_has_exactly_one_more() -> None:
    gate = Gate()
    loop = Loop("l", gate.reconcile, MovableClock())

    async with running(loop):
        loop.add("a")
        await settle()
        loop.add("a")
        loop.add("a")
        await settle()
        assert gate.running == ["a"]
        gate.end("a")
        await settle()
        assert gate.running == ["a"]
        gate.end("a")
        await settle()
        assert len(loop) == 0

    assert gate.finished == ["a", "a"]


async def test_the_earliest_wish_counts_and_one_timer_serves_all_keys() -> None:
    clock = MovableClock()
    seen, reconcile = outcomes()
    loop = Loop("l", reconcile, clock)

    async with running(loop):
        for second in (30, 10, 20):
            loop.add_at("a", START + second * SECOND)
            loop.add_at("b", START + (second + 5) * SECOND)
        assert clock.pending == 1
        await clock.run_for(9 * SECOND)
        assert seen == []
        await clock.run_for(SECOND)
        assert seen == ["a"]
        await clock.run_for(60 * SECOND)

    assert seen == ["a", "b"]


async def test_what_a_pass_says_replaces_the_earlier_wish() -> None:
    clock = MovableClock()
    seen, reconcile = outcomes(START + 60 * SECOND)
    loop = Loop("l", reconcile, clock)

    async with running(loop):
        loop.add_at("a", START + 10 * SECOND)
        loop.add("a")
        await clock.run_for(59 * SECOND)
        assert seen == ["a"]
        await clock.run_for(SECOND)

    assert seen == ["a", "a"]


async def test_faults_back_off_and_a_success_forgets_them(caplog: pytest.LogCaptureFixture) -> None:
    clock = MovableClock()
    at: list[float] = []
    faults = [ValueError("odd")] * 7 + [None, ValueError("odd")]

    async def reconcile(key: str) -> datetime | None:
        at.append(clock.monotonic())
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault
        return None

    counted = Counted()
    loop = Loop("l", reconcile, clock, watcher=counted)
    async with running(loop):
        loop.add("a")
        await clock.run_for(200 * SECOND)
        loop.add("a")
        await clock.run_for(200 * SECOND)

    assert at == [0, 1, 3, 7, 15, 31, 61, 91, 200, 201]
    assert counted.made["l"] == 10
    assert counted.failed["l"] == 8
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("error", "next_pass", "is_failure"),
    [
        (Retry("busy", 7 * SECOND), 7, True),
        (Retry("busy"), 1, True),
        (Conflict.of("stale"), 1, False),
        (Unavailable.of("down"), 1, True),
    ],
)
async def test_expected_errors_are_tried_again_without_a_traceback(
    error: Exception, next_pass: int, is_failure: bool, caplog: pytest.LogCaptureFixture
) -> None:
    clock = MovableClock()
    counted = Counted()
    seen, reconcile = outcomes(error)
    loop = Loop("l", reconcile, clock, watcher=counted)

    with caplog.at_level(logging.DEBUG, "certwright"):
        async with running(loop):
            loop.add("a")
            await clock.run_for(next_pass * SECOND - timedelta(milliseconds=1))
            assert seen == ["a"]
            await clock.run_for(SECOND)

    assert seen == ["a", "a"]
    assert counted.failed["l"] == is_failure
    assert "Traceback" not in caplog.text


async def test_what_is_blocked_waits_for_a_change() -> None:
    clock = MovableClock()
    seen, reconcile = outcomes(Blocked("SecretMissing", "The Secret has no key; add one."))
    loop = Loop("l", reconcile, clock)

    async with running(loop):
        loop.add("a")
        await clock.run_for(timedelta(days=1))
        assert seen == ["a"]
        loop.add("a")

    assert seen == ["a", "a"]


async def test_a_panic_of_a_library_ends_the_pass_and_not_the_loop() -> None:
    class Panic(BaseException):
        """As a library in Rust raises it, which is no Exception."""

    clock = MovableClock()
    made, reconcile = outcomes(Panic("unwrap"), None)
    loop = Loop("c", reconcile, clock)

    async with running(loop):
        loop.add("a")
        await settle()
        clock.advance(SECOND)
        await settle()

    assert made == ["a", "a"]


async def test_something_cancelled_inside_a_pass_is_a_fault_of_that_pass_only() -> None:
    clock = MovableClock()
    seen: list[str] = []

    async def reconcile(key: str) -> datetime | None:
        seen.append(key)
        if len(seen) == 1:
            raise asyncio.CancelledError
        return None

    loop = Loop("l", reconcile, clock, LoopOptions(workers=1))
    async with running(loop):
        loop.add("a")
        loop.add("b")
        await clock.run_for(2 * SECOND)

    assert seen == ["a", "b", "a"]


async def test_what_was_asked_to_cancel_a_pass_cancels_no_other_one() -> None:
    asked: list[tuple[str, int]] = []

    async def reconcile(key: str) -> datetime | None:
        inside = asyncio.current_task()
        assert inside is not None
        asked.append((key, inside.cancelling()))
        if key == "a":
            inside.cancel()
            await asyncio.Event().wait()
        return None

    loop = Loop("l", reconcile, MovableClock(), LoopOptions(workers=1))
    async with running(loop):
        loop.add("a")
        loop.add("b")
        await settle()

    assert asked == [("a", 0), ("b", 0)]


async def test_passes_that_wait_for_nothing_give_others_a_turn() -> None:
    made: list[str] = []

    async def reconcile(key: str) -> datetime | None:
        made.append(key)
        return None

    loop = Loop("l", reconcile, MovableClock(), LoopOptions(workers=2))
    for key in "abcdefgh":
        loop.add(key)
    task = asyncio.ensure_future(loop.run())
    seen = []
    for _ in range(7):
        await settle(1)
        seen.append(len(made))
    task.cancel()
    await settle()

    assert seen == [0, 2, 4, 6, 8, 8, 8]


async def test_a_stopped_loop_lets_passes_finish_and_starts_none() -> None:
    clock = MovableClock()
    gate = Gate()
    loop = Loop("l", gate.reconcile, clock, LoopOptions(workers=1, grace=10 * SECOND))
    task = asyncio.ensure_future(loop.run())
    loop.add("a")
    loop.add("b")
    await settle()

    task.cancel()
    await clock.run_for(9 * SECOND)
    assert not task.done()
    gate.end("a")
    await settle()

    assert task.cancelled()
    assert gate.finished == ["a"]
    assert gate.running == []


async def test_what_does_not_finish_in_time_is_cancelled_and_waits_for_the_next_run() -> None:
    clock = MovableClock()
    gate = Gate()
    loop = Loop("l", gate.reconcile, clock, LoopOptions(grace=10 * SECOND))
    task = asyncio.ensure_future(loop.run())
    loop.add("a")
    await settle()

    task.cancel()
    await clock.run_for(10 * SECOND)

    assert task.cancelled()
    assert gate.running == gate.finished == []
    async with running(loop):
        assert gate.running == ["a"]
        gate.end("a")
