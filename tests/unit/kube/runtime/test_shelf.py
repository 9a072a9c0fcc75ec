"""Entries and their indexes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.kube.runtime.shelf import Entry, Shelf
from certwright.kube.wire.keys import ObjectKey

A, B, C = ObjectKey("n", "a"), ObjectKey("n", "b"), ObjectKey("m", "c")


def words(kept: str) -> list[str]:
    return kept.split()


def entry(kept: str) -> Entry[str]:
    return Entry("uid", 1, kept)


def test_an_index_follows_what_is_kept() -> None:
    shelf: Shelf[str] = Shelf({"word": words})
    shelf.put(B, entry("x y"))
    shelf.put(A, entry("x"))
    assert shelf.find("word", "x") == ("x", "x y")
    assert shelf.find("word", "y") == ("x y",)

    old = shelf.put(B, entry("z"))

    assert old == "x y"
    assert shelf.find("word", "x") == ("x",)
    assert shelf.find("word", "y") == ()
    assert shelf.drop(A) == "x"
    assert shelf.drop(A) is None
    assert shelf.find("word", "x") == ()
    assert len(shelf) == 1


def test_an_object_may_stand_twice_under_a_value() -> None:
    shelf: Shelf[str] = Shelf({"word": words})
    shelf.put(A, entry("x x"))
    shelf.put(B, entry("x x b"))
    assert shelf.find("word", "x") == ("x x", "x x b")

    shelf.drop(A)

    assert shelf.find("word", "x") == ("x x b",)
    shelf.drop(B)
    assert shelf.find("word", "x") == ()


def test_an_index_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(KeyError):
        Shelf[str]({"word": words}).find("colour", "x")


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.one_of(st.none(), st.sets(st.sampled_from("xyz")).map(" ".join))))
)
def test_indexes_say_what_a_search_would_find(steps: list[tuple[ObjectKey, str | None]]) -> None:
    shelf: Shelf[str] = Shelf({"word": words})
    plain: dict[ObjectKey, str] = {}
    for key, kept in steps:
        if kept is None:
            assert shelf.drop(key) == plain.pop(key, None)
        else:
            assert shelf.put(key, entry(kept)) == plain.get(key)
            plain[key] = kept

    for word in "xyz":
        assert shelf.find("word", word) == tuple(plain[key] for key in sorted(plain) if word in plain[key].split())
    assert {key: found.kept for key in shelf if (found := shelf.entry(key))} == plain
