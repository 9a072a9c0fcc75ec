"""Which events are new, which are repeats, and which are so many that they become one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from msgspec import Struct, field

from certwright.api.core import InvolvedObject
from certwright.kube.wire.keys import ObjectKey

V = TypeVar("V")

EventType = Literal["Normal", "Warning"]
# The API server forgets an event an hour after its last write.
KEPT_FOR = timedelta(hours=1)
# As client-go: more messages than this under one reason, with no such pause between them, are combined.
MOST_SIMILAR = 10
SIMILAR_WITHIN = timedelta(minutes=10)
MOST_REMEMBERED = 4096
COMBINED = "(combined from similar events): "


class Occurrence(Struct, frozen=True, kw_only=True):
    """Something happened to an object."""

    about: InvolvedObject
    type: EventType
    reason: str
    message: str
    component: str
    at: datetime

    @property
    def group(self) -> Hashable:
        """What similar occurrences have in common."""
        about = self.about
        return (about.kind, about.namespace, about.name, about.uid, self.type, self.reason, self.component)


class Entry(Struct, frozen=True, kw_only=True):
    """How an occurrence is to be written: `repeats` names the event whose count goes up, None where it is a new one."""

    identity: Hashable
    message: str
    first: datetime
    count: int = 1
    repeats: ObjectKey | None = None


class _Written(Struct, frozen=True):
    key: ObjectKey
    first: datetime
    last: datetime
    count: int


class _Group(Struct):
    last: datetime
    messages: set[str] = field(default_factory=set)


class EventBook:
    """Remembers the most recent events that were written."""

    def __init__(self) -> None:
        self._groups: OrderedDict[Hashable, _Group] = OrderedDict()
        self._written: OrderedDict[Hashable, _Written] = OrderedDict()

    def entry(self, occurrence: Occurrence) -> Entry:
        """How to write it."""
        message, identity = occurrence.message, (occurrence.group, occurrence.message)
        if self._is_one_of_many(occurrence):
            message, identity = COMBINED + occurrence.message, (occurrence.group, "")
        written = self._written.get(identity)
        if written is None or occurrence.at - written.last >= KEPT_FOR:
            return Entry(identity=identity, message=message, first=occurrence.at)
        return Entry(
            identity=identity,
            message=message,
            first=written.first,
            count=written.count + 1,
            repeats=written.key,
        )

    def written(self, entry: Entry, key: ObjectKey, at: datetime) -> None:
        """It was written under that key."""
        _keep(self._written, entry.identity, _Written(key, entry.first, at, entry.count))

    def _is_one_of_many(self, occurrence: Occurrence) -> bool:
        group = self._groups.get(occurrence.group)
        if group is None or occurrence.at - group.last > SIMILAR_WITHIN:
            group = _Group(occurrence.at)
        group.last = occurrence.at
        if len(group.messages) <= MOST_SIMILAR:
            group.messages.add(occurrence.message)
        _keep(self._groups, occurrence.group, group)
        return len(group.messages) > MOST_SIMILAR


def _keep(book: OrderedDict[Hashable, V], key: Hashable, value: V) -> None:
    book[key] = value
    book.move_to_end(key)
    if len(book) > MOST_REMEMBERED:
        book.popitem(last=False)
