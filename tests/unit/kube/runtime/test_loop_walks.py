"""Whatever happens to a loop: never two passes of a key at once, and never a lost add."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clock import MovableClock, settle

from certwright.errors import Retry
from certwright.kube.runtime.loop import Loop, LoopOptions

SECOND = timedelta(seconds=1)

Steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 4)),
        st.tuples(st.just("later"), st.integers(0, 4)),
        st.tuples(st.just("end"), st.integers(0, 4)),
        st.tuples(st.just("fail"), st.integers(0, 4)),
        st.tuples(st.just("pass"), st.integers(1, 40)),
    ),
    max_size=60,
)


class Walk:
    """A loop, the keys that are owed a pass, and the passes that the test ends."""

    def __init__(self, workers: int) -> None:
        self.clock = MovableClock()
        self.inside: dict[int, asyncio.Future[bool]] = {}
        self.owed: set[int] = set()
        self._workers = workers
        self.loop = Loop("l", self.reconcile, self.clock, LoopOptions(workers=workers))

    async def reconcile(self, key: int) -> datetime | None:
        assert key not in self.inside
        assert len(self.inside) < self._workers
        self.owed.discard(key)
        self.inside[key] = asyncio.get_running_loop().create_future()
        try:
            is_fine = await self.inside[key]
        finally:
            del self.inside[key]
        if not is_fine:
            self.owed.add(key)
            raise Retry("busy")
        return None

    def step(self, word: str, number: int) -> None:
        match word:
            case "add":
                self.owed.add(number)
                self.loop.add(number)
            case "later":
                self.owed.add(number)
                self.loop.add_at(number, self.clock.now() + number * SECOND)
            case "end" | "fail" if number in self.inside and not self.inside[number].done():
                self.inside[number].set_result(word == "end")
            case "pass":
                self.clock.advance(number * SECOND)


@given(steps=Steps, workers=st.integers(1, 3))
@settings(max_examples=150, deadline=None)
async def test_never_two_passes_of_a_key_and_never_a_lost_add(steps: list[tuple[str, int]], workers: int) -> None:
    """Each add is followed by the beginning of a pass of its key."""
    walk = Walk(workers)
    task = asyncio.ensure_future(walk.loop.run())

    for word, number in steps:
        walk.step(word, number)
        await settle(5)
    for _ in range(20):
        for future in list(walk.inside.values()):
            future.set_result(True)
        await walk.clock.run_for(40 * SECOND)

    assert not walk.owed
    assert not walk.inside
    assert len(walk.loop) == walk.loop.delayed == 0
    task.cancel()
    await settle()
    assert task.cancelled()
    assert walk.clock.pending == 0
