"""Lists of conditions."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.rules.sample import NOW

from certwright.api.meta import Condition
from certwright.rules.conditions import find_condition, is_true, with_condition, without_condition

LATER = NOW + timedelta(hours=1, microseconds=5)


def ready(status: str = "False", reason: str = "A") -> Condition:
    return Condition(type="Ready", status="True" if status == "True" else "False", reason=reason)


def test_the_transition_time_moves_with_the_status_alone() -> None:
    first = with_condition((), ready(), NOW)
    second = with_condition(first, ready(reason="B"), LATER)
    third = with_condition(second, ready("True"), LATER)

    assert first[0].last_transition_time == NOW
    assert (second[0].reason, second[0].last_transition_time) == ("B", NOW)
    assert third[0].last_transition_time == NOW + timedelta(hours=1)


def test_a_new_type_comes_last_and_an_old_one_keeps_its_place() -> None:
    both = with_condition(with_condition((), ready(), NOW), Condition(type="Issuing", status="True"), NOW)

    changed = with_condition(both, ready("True"), LATER)

    assert [condition.type for condition in changed] == ["Ready", "Issuing"]


def test_nothing_new_is_the_same_list() -> None:
    found = with_condition((), ready(), NOW)

    assert with_condition(found, ready(), LATER) is found
    assert without_condition(found, "Issuing") is found


def test_taking_out_and_looking_up() -> None:
    found = with_condition((), ready("True"), NOW)

    assert without_condition(found, "Ready") == ()
    assert find_condition(found, "Ready") is found[0]
    assert is_true(found, "Ready")
    assert not is_true(found, "Issuing")
