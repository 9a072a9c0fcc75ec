"""Which events are repeats, and which become one."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.clock import START

from certwright.api.core import InvolvedObject
from certwright.kube.runtime.event_book import MOST_REMEMBERED, Entry, EventBook, Occurrence
from certwright.kube.wire.keys import ObjectKey

MINUTE = timedelta(minutes=1)
KEY = ObjectKey("n", "a.1")


def occurrence(message: str, at: datetime = START, reason: str = "Issuing", uid: str = "u") -> Occurrence:
    about = InvolvedObject(kind="Certificate", namespace="n", name="a", uid=uid)
    return Occurrence(about=about, type="Normal", reason=reason, message=message, component="c", at=at)


def write(book: EventBook, what: Occurrence) -> Entry:
    entry = book.entry(what)
    book.written(entry, entry.repeats or KEY, what.at)
    return entry


def test_a_repeat_within_the_hour_counts_up() -> None:
    book = EventBook()
    write(book, occurrence("x"))

    again = write(book, occurrence("x", START + 59 * MINUTE))
    third = write(book, occurrence("x", START + 118 * MINUTE))

    assert (again.count, again.repeats, again.first) == (2, KEY, START)
    assert (third.count, third.first) == (3, START)


def test_an_hour_later_the_server_has_forgotten_it() -> None:
    book = EventBook()
    write(book, occurrence("x"))

    later = write(book, occurrence("x", START + 60 * MINUTE))

    assert (later.count, later.repeats, later.first) == (1, None, START + 60 * MINUTE)


def test_other_objects_reasons_and_messages_are_other_events() -> None:
    book = EventBook()
    write(book, occurrence("x"))

    others = [occurrence("y"), occurrence("x", reason="Generated"), occurrence("x", uid="v")]

    assert [book.entry(each).repeats for each in others] == [None, None, None]


def test_what_was_not_written_is_no_repeat() -> None:
    book = EventBook()
    book.entry(occurrence("x"))

    assert book.entry(occurrence("x")).repeats is None


def test_more_than_ten_similar_ones_are_combined_until_ten_quiet_minutes() -> None:
    book = EventBook()
    single = [write(book, occurrence(f"m{number}", START + number * MINUTE)) for number in range(10)]
    first = write(book, occurrence("m10", START + 10 * MINUTE))
    second = write(book, occurrence("m11", START + 11 * MINUTE))

    after = write(book, occurrence("m12", START + 22 * MINUTE))

    assert all(entry.repeats is None and not entry.message.startswith("(") for entry in single)
    assert (first.message, first.count, first.repeats) == ("(combined from similar events): m10", 1, None)
    assert (second.message, second.count, second.repeats) == ("(combined from similar events): m11", 2, KEY)
    assert (after.message, after.repeats) == ("m12", None)


def test_only_the_most_recent_ones_are_remembered() -> None:
    book = EventBook()
    write(book, occurrence("x"))
    for number in range(MOST_REMEMBERED):
        write(book, occurrence("x", uid=f"u{number}"))

    assert book.entry(occurrence("x")).repeats is None
