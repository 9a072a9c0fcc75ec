"""What a cache believes, whatever the order in which it hears of things."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import takewhile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from certwright.api.core import ConfigMap
from certwright.api.meta import ObjectMeta
from certwright.kube.client.listing import EVERYTHING, Malformed, Selection
from certwright.kube.runtime.kept import Change, Kept, each
from certwright.kube.wire.keys import ObjectKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ObjectKey("n", "a")


def obj(version: int | str, uid: str = "u1", name: str = "a", **metadata: object) -> ConfigMap:
    meta = ObjectMeta(name=name, namespace="n", uid=uid, resource_version=str(version))
    return ConfigMap(metadata=replace(meta, **metadata), data={"version": str(version)})


def kept_of(selection: Selection = EVERYTHING) -> Kept[str]:
    return Kept("configmaps", each(lambda found: found.data["version"]), selection, {})


def held(kept: Kept[str], key: ObjectKey = KEY) -> str | None:
    entry = kept.shelf.entry(key)
    return entry.kept if entry else None


def listed(kept: Kept[str], version: int, *objects: ConfigMap) -> bool:
    kept.begin()
    kept.seen(objects)
    return kept.complete(str(version))


def test_an_older_form_is_dropped_whoever_tells_it() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5))
    kept.remember(obj(8))

    kept.seen([obj(7)])
    kept.remember(obj(6))
    kept.seen([obj(8)])

    assert held(kept) == "8"


def test_versions_are_compared_as_numbers_and_odd_ones_taken() -> None:
    kept = kept_of()
    listed(kept, 9, obj(9))

    kept.remember(obj(10))
    assert held(kept) == "10"
    kept.seen([obj("odd")])
    assert held(kept) == "odd"


def test_our_own_delete_is_not_undone_by_late_events() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5))
    kept.forget(KEY, "u1")
    assert held(kept) is None

    kept.seen([obj(6)])
    assert held(kept) is None
    kept.remember(obj(6))
    assert held(kept) is None
    kept.removed(obj(7))
    kept.seen([obj(9, uid="u2")])

    assert held(kept) == "9"


def test_a_late_deletion_of_the_former_object_leaves_the_new_one() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5))
    kept.remember(obj(8, uid="u2"))

    kept.removed(obj(7))

    assert held(kept) == "8"


def test_forgetting_another_uid_does_nothing() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5))

    kept.forget(KEY, "other")

    assert held(kept) == "5"


def test_what_a_finalizer_holds_comes_back() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5, finalizers=("f",)))
    kept.forget(KEY, "u1")

    kept.seen([obj(6, finalizers=("f",), deletion_timestamp=NOW)])

    assert held(kept) == "6"


def test_an_answer_that_lets_the_last_finalizer_go_is_the_end() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5, finalizers=("f",), deletion_timestamp=NOW))

    kept.remember(obj(6, deletion_timestamp=NOW))
    assert held(kept) is None
    kept.seen([obj(5, deletion_timestamp=NOW)])

    assert held(kept) is None


def test_an_answer_that_comes_after_the_deletion_was_told_is_late() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5))
    kept.seen([obj(6)])
    kept.told("6")
    kept.removed(obj(7))
    kept.told("7")

    kept.remember(obj(6))

    assert held(kept) is None


def test_a_new_list_tells_of_what_went_meanwhile_and_keeps_what_is_newer() -> None:
    kept = kept_of()
    changes: list[Change[str]] = []
    listed(kept, 5, obj(4), obj(5, uid="u2", name="b"))
    kept.subscribe(changes.append)
    changes.clear()
    kept.remember(obj(12, uid="u3", name="c"))

    listed(kept, 10, obj(9))

    assert changes == [
        Change(ObjectKey("n", "c"), None, "12"),
        Change(KEY, "4", "9"),
        Change(ObjectKey("n", "b"), "5", None),
    ]
    assert held(kept, ObjectKey("n", "c")) == "12"


def test_a_list_from_before_our_delete_does_not_bring_the_object_back() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5))
    kept.begin()
    kept.forget(KEY, "u1")
    kept.seen([obj(5)])
    kept.complete("6")
    assert held(kept) is None

    kept.seen([obj(5)])
    assert held(kept) is None
    kept.removed(obj(7))

    assert held(kept) is None


def test_a_restored_backup_is_heard_from_the_start() -> None:
    kept = kept_of()
    listed(kept, 100, obj(99))
    kept.told("120")

    assert not listed(kept, 50, obj(40))
    assert listed(kept, 50, obj(40))

    assert held(kept) == "40"


def test_a_selection_lets_go_of_what_leaves_it() -> None:
    kept = kept_of(Selection(namespace="n", labels="a=b"))
    listed(kept, 5, obj(5, labels={"a": "b"}))

    kept.remember(obj(6, labels={}))
    assert held(kept) is None
    kept.remember(replace(obj(7, labels={"a": "b"}), metadata=ObjectMeta(name="a", namespace="other", uid="u9")))

    assert len(kept.shelf) == 0


def test_what_cannot_be_read_counts_as_gone() -> None:
    kept = kept_of()
    listed(kept, 5, obj(5))

    kept.unread(Malformed(KEY, "odd"), "6", removed=False)

    assert held(kept) is None


def test_faults_of_projections_and_listeners_stop_nobody(caplog: pytest.LogCaptureFixture) -> None:
    kept: Kept[int] = Kept("configmaps", each(lambda found: int(found.data["version"])), EVERYTHING, {})
    heard: list[Change[int]] = []

    def angry(change: Change[int]) -> None:
        raise ValueError("odd")

    kept.subscribe(angry)
    kept.subscribe(heard.append)
    kept.begin()
    kept.seen([obj(1), replace(obj(2, name="b"), data={"version": "x"}), obj(3, name="c")])
    kept.complete("3")

    assert [change.new for change in heard] == [1, 3]
    assert "cannot be kept" in caplog.text
    assert "A listener failed" in caplog.text


@pytest.mark.parametrize(("first", "second"), [(5, 6), (6, 5)])
def test_of_two_forms_that_come_together_the_newer_stays(first: int, second: int) -> None:
    kept = kept_of()

    kept.seen([obj(first), obj(1, name="b"), obj(second)])

    assert held(kept) == "6"
    assert held(kept, ObjectKey("n", "b")) == "1"


def test_nobody_is_told_where_nothing_that_is_kept_changed() -> None:
    kept: Kept[str] = Kept("configmaps", each(lambda found: found.metadata.uid), EVERYTHING, {})
    heard: list[Change[str]] = []
    kept.subscribe(heard.append)

    kept.seen([obj(1)])
    kept.seen([obj(2)])

    assert len(heard) == 1


class Races(RuleBasedStateMachine):
    """A server, a watch that lags behind, lists, and answers to our writes that arrive whenever they like."""

    @initialize()
    def begin(self) -> None:
        self.kept = kept_of()
        self.version = 1
        self.truth: dict[str, ConfigMap] = {}
        self.history: list[tuple[bool, ConfigMap]] = []
        self.heard = 0
        self.answers: list[tuple[bool, ConfigMap]] = []
        self.gone: set[str] = set()
        self.highest: dict[str, int] = {}
        self.kept.subscribe(self.check)
        listed(self.kept, self.version)

    def check(self, change: Change[str]) -> None:
        """No form of an object is followed by an older one, nothing that we know is gone comes back."""
        entry = self.kept.shelf.entry(change.key)
        if change.new is not None and entry is not None:
            assert entry.uid not in self.gone
            assert entry.version >= self.highest.get(entry.uid, 0)
            self.highest[entry.uid] = entry.version

    @rule(name=st.sampled_from("ab"), is_ours=st.booleans())
    def write(self, name: str, is_ours: bool) -> None:
        self.version += 1
        uid = self.truth[name].metadata.uid if name in self.truth else f"{name}{self.version}"
        self.truth[name] = obj(self.version, uid=uid, name=name)
        self._happened(False, self.truth[name], is_ours)

    @rule(name=st.sampled_from("ab"), is_ours=st.booleans())
    def delete(self, name: str, is_ours: bool) -> None:
        if name in self.truth:
            self.version += 1
            uid = self.truth.pop(name).metadata.uid
            self._happened(True, obj(self.version, uid=uid, name=name), is_ours)

    def _happened(self, is_gone: bool, what: ConfigMap, is_ours: bool) -> None:
        self.history.append((is_gone, what))
        if is_ours:
            self.answers.append((is_gone, what))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        is_gone, what = self.answers.pop(data.draw(st.integers(0, len(self.answers) - 1)))
        if is_gone:
            held_now = self.kept.shelf.entry(ObjectKey("n", what.metadata.name))
            self.kept.forget(ObjectKey("n", what.metadata.name), what.metadata.uid)
            if held_now is not None and held_now.uid == what.metadata.uid:
                self.gone.add(what.metadata.uid)
        else:
            self.kept.remember(what)

    @precondition(lambda self: self.heard < len(self.history))
    @rule(most=st.integers(1, 3))
    def hear(self, most: int) -> None:
        """The next deletion alone, or changes that came together."""
        is_gone, what = self.history[self.heard]
        alike = [what]
        if is_gone:
            self.kept.removed(what)
            self.gone.add(what.metadata.uid)
        else:
            following = self.history[self.heard : self.heard + most]
            alike = [found for gone, found in takewhile(lambda event: not event[0], following)]
            self.kept.seen(alike)
        self.heard += len(alike)
        self.kept.told(alike[-1].metadata.resource_version)

    @rule()
    def list_again(self) -> None:
        assert listed(self.kept, self.version, *self.truth.values())
        self.gone |= {what.metadata.uid for is_gone, what in self.history if is_gone}
        self.heard = len(self.history)

    @invariant()
    def in_the_end_it_is_the_truth(self) -> None:
        if hasattr(self, "kept") and self.heard == len(self.history) and not self.answers:
            names = {"n/" + name: each.data["version"] for name, each in self.truth.items()}
            assert {str(key): held(self.kept, key) for key in self.kept.shelf} == names


TestRaces = Races.TestCase
TestRaces.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
