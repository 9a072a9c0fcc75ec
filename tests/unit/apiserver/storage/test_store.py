"""What the store promises: revisions, conflicts, durability, history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from certwright.apiserver.options import StartError
from certwright.apiserver.storage.database import Database, WriteFailed
from certwright.apiserver.storage.history import Change, History, Stored
from certwright.apiserver.storage.store import Changed, Store, Taken
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey

THINGS = "things.example.com"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


def thing(name: str, namespace: str = "default") -> JSONObject:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name, "namespace": namespace}}


def test_each_write_gets_the_next_revision(store: Store) -> None:

    first = store.create(THINGS, thing("a"))
    second = store.replace(THINGS, first, thing("a"))

    assert second.revision == first.revision + 1 == store.revision
    assert f'"resourceVersion":"{second.revision}"'.encode() in second.body


def test_a_name_is_given_once(store: Store) -> None:
    store.create(THINGS, thing("a"))

    with pytest.raises(Taken):
        store.create(THINGS, thing("a"))


def test_a_write_on_an_old_state_is_refused(store: Store) -> None:
    first = store.create(THINGS, thing("a"))
    store.replace(THINGS, first, thing("a"))

    with pytest.raises(Changed):
        store.replace(THINGS, first, thing("a"))
    with pytest.raises(Changed):
        store.remove(THINGS, first)


def test_objects_and_revisions_survive_a_restart_without_a_goodbye(store: Store, tmp_path: Path) -> None:
    kept, lost = store.create(THINGS, thing("kept")), store.create(THINGS, thing("lost"))
    gone = store.remove(THINGS, lost)
    # What a killed process leaves behind: the files as they are, the lock let go by the system.
    copied = tmp_path / "after"
    copied.mkdir()
    for file in tmp_path.glob("objects.sqlite*"):
        (copied / file.name).write_bytes(file.read_bytes())

    database = Database(copied)
    after = Store(database)
    database.close()

    assert [stored.key.name for stored in after.list(THINGS)] == ["kept"]
    assert after.revision == gone.revision
    assert after.get(THINGS, kept.key) == kept
    assert after.since(THINGS, gone.revision) == []
    assert after.since(THINGS, kept.revision) is None


def test_lists_are_ordered_by_namespace_and_name(store: Store) -> None:
    for namespace, name in (("b", "x"), ("a", "z"), ("a", "y")):
        store.create(THINGS, thing(name, namespace))

    assert [str(stored.key) for stored in store.list(THINGS)] == ["a/y", "a/z", "b/x"]
    assert [str(stored.key) for stored in store.list(THINGS, "a")] == ["a/y", "a/z"]


def test_an_older_state_of_the_collection_can_be_listed(store: Store) -> None:
    first = store.create(THINGS, thing("a"))
    then = store.revision
    store.create(THINGS, thing("b"))
    store.remove(THINGS, first)

    found = store.list_at(THINGS, then)

    assert found == [first]


def test_history_forgets_what_is_beyond_its_bound() -> None:
    history = History(floor=0, kept=2)
    store_states = [change(revision) for revision in (1, 2, 3)]
    for each in store_states:
        history.add(each)

    assert history.since(0) is None
    assert history.since(1) == store_states[1:]
    assert history.since(3) == []


def change(revision: int) -> Change:
    return Change("ADDED", THINGS, Stored(ObjectKey("", str(revision)), "", revision, b"{}", {}, ()), None)


def test_listeners_hear_every_change_in_order_until_they_leave(store: Store) -> None:
    heard: list[str] = []
    leave = store.listen(THINGS, lambda change: heard.append(change.kind))

    first = store.create(THINGS, thing("a"))
    second = store.replace(THINGS, first, thing("a"))
    store.remove(THINGS, second)
    leave()
    store.create(THINGS, thing("b"))

    assert heard == ["ADDED", "MODIFIED", "DELETED"]


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = Database(tmp_path)

    with pytest.raises(StartError, match="in use by another server"):
        Database(tmp_path)
    first.close()
    Database(tmp_path).close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "objects.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StartError, match="newer version"):
        Database(tmp_path)


def test_a_file_that_is_no_database_is_named_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "objects.sqlite").write_bytes(b"not a database, but long enough to look at" * 50)

    with pytest.raises(StartError, match="not a readable database"):
        Database(tmp_path)


def test_a_folder_that_cannot_be_made_is_named_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match="cannot be used"):
        Database(tmp_path / "file" / "data")


def test_a_full_disk_changes_nothing(database: Database, store: Store) -> None:
    store.create(THINGS, thing("a"))
    database._connection.execute("PRAGMA max_page_count = 1")  # never below what the file has

    def fill() -> None:
        for number in range(100):
            store.create(THINGS, {**thing(f"b{number}"), "data": "x" * 10_000})

    with pytest.raises(WriteFailed, match="is full"):
        fill()
    last = store.revision
    database._connection.execute("PRAGMA max_page_count = 100000")
    after = store.create(THINGS, thing("c"))

    assert after.revision == last + 1
