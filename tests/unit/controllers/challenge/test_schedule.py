"""Who is worked on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from certwright.controllers.challenge.schedule import Answer, Candidate, Schedule
from certwright.kube.wire.keys import ObjectKey

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def candidate(name: str, age: int = 0, value: str = "") -> Candidate:
    return Candidate(BEGIN - timedelta(seconds=age), ObjectKey("ns", name), Answer("DNS-01", "x.test", value or name))


def names(keys: list[ObjectKey]) -> list[str]:
    return [key.name for key in keys]


def test_the_oldest_start_first_and_no_more_than_allowed() -> None:
    schedule = Schedule(2)
    for each in (candidate("young", 1), candidate("old", 9), candidate("middle", 5)):
        schedule.offer(each)

    assert names(schedule.start()) == ["old", "middle"]
    assert names(schedule.start()) == []
    schedule.leave(ObjectKey("ns", "middle"))
    assert names(schedule.start()) == ["young"]


def test_a_wildcard_and_its_base_are_worked_on_side_by_side() -> None:
    schedule = Schedule(9)
    schedule.offer(candidate("base", value="one"))
    schedule.offer(candidate("wildcard", value="two"))

    assert len(schedule.start()) == 2


def test_a_double_waits_until_its_twin_is_done() -> None:
    schedule = Schedule(9)
    for each in (candidate("a", 3, "same"), candidate("b", 2, "same"), candidate("c", 1)):
        schedule.offer(each)

    assert names(schedule.start()) == ["a", "c"]
    schedule.leave(ObjectKey("ns", "a"))
    assert names(schedule.start()) == ["b"]


def test_one_that_was_begun_before_keeps_its_place() -> None:
    schedule = Schedule(1)
    schedule.resume(candidate("a"))
    schedule.resume(candidate("b"))
    schedule.offer(candidate("c", 9))

    assert schedule.is_active(ObjectKey("ns", "b"))
    assert names(schedule.start()) == []
    schedule.leave(ObjectKey("ns", "a"))
    assert names(schedule.start()) == []
    schedule.leave(ObjectKey("ns", "b"))
    assert names(schedule.start()) == ["c"]


def test_one_that_leaves_while_it_waits_never_starts() -> None:
    schedule = Schedule(1)
    schedule.offer(candidate("a"))
    schedule.leave(ObjectKey("ns", "a"))

    assert names(schedule.start()) == []


moves = st.lists(
    st.tuples(st.sampled_from(["offer", "resume", "leave", "start"]), st.integers(0, 7), st.sampled_from("xyz")),
    max_size=60,
)


@given(moves, st.integers(1, 3))
def test_nobody_is_forgotten_and_no_double_is_started(made: list[tuple[str, int, str]], most: int) -> None:
    schedule = Schedule(most)
    known: dict[int, Candidate] = {}
    for move, number, value in made:
        chosen = known.get(number) or candidate(f"c{number}", number, value)
        match move:
            case "offer" | "resume":
                known[number] = chosen
                getattr(schedule, move)(chosen)
            case "leave":
                known.pop(number, None)
                schedule.leave(chosen.key)
            case _:
                before = {each.answer for each in known.values() if schedule.is_active(each.key)}
                keys = schedule.start()
                started = [each for each in known.values() if each.key in keys]
                assert len(started) == len(keys)
                assert not before & {each.answer for each in started}
                assert not started or schedule.active <= most
    # Everybody who is left in the end gets a turn.
    while known:
        schedule.start()
        active = [number for number, each in known.items() if schedule.is_active(each.key)]
        assert active
        for number in active:
            schedule.leave(known.pop(number).key)
