"""When Python looks for garbage."""

from __future__ import annotations

import gc

import pytest

from certwright.app.memory import filling, loading, settle


def test_nothing_is_garbage_while_modules_are_loaded() -> None:
    with loading():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_old_objects_are_seldom_looked_at_while_caches_are_filled() -> None:
    young, middle, old = gc.get_threshold()

    with filling():
        assert gc.isenabled()
        assert gc.get_threshold()[:2] == (young, middle)
        assert gc.get_threshold()[2] > old

    assert gc.get_threshold() == (young, middle, old)


def test_a_start_that_is_given_up_leaves_things_as_they_were() -> None:
    before = gc.get_threshold()

    with pytest.raises(KeyError), filling():
        raise KeyError

    assert gc.get_threshold() == before


def test_what_is_held_is_looked_at_no_more() -> None:
    held = [[each] for each in range(1000)]
    try:
        settle()

        assert gc.get_freeze_count() >= len(held)
    finally:
        gc.unfreeze()
