"""What is asked of a collection, and what comes back: lists and the events of a watch."""

from __future__ import annotations

from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from certwright.api.meta import ObjectMeta
from certwright.kube.wire.keys import ObjectKey

T = TypeVar("T")


class ApiObject(Protocol):
    """Anything with metadata."""

    @property
    def metadata(self) -> ObjectMeta:
        """Its metadata."""


class Selection(Struct, frozen=True):
    """Which objects of a kind: a namespace (empty: all), and selectors in the API's text form."""

    namespace: str = ""
    labels: str = ""
    fields: str = ""


EVERYTHING = Selection()


class Malformed(Struct, frozen=True):
    """An object that its kind cannot read, and why."""

    key: ObjectKey
    problem: str


class Listing(Struct, Generic[T], frozen=True):
    """All objects of a selection, as of one resource version."""

    items: tuple[T, ...]
    resource_version: str
    malformed: tuple[Malformed, ...] = ()


class Page(Struct, Generic[T], frozen=True):
    """A part of a listing; `more` is the token that continues it, empty on the last page."""

    items: tuple[T, ...]
    resource_version: str
    malformed: tuple[Malformed, ...] = ()
    more: str = ""


class Seen(Struct, Generic[T], frozen=True):
    """The object is there in this form: it was added or modified."""

    obj: T


class Removed(Struct, Generic[T], frozen=True):
    """The object was deleted, or has left the selection; this is its last form."""

    obj: T


class Bookmark(Struct, frozen=True):
    """Everything up to this resource version was told; `ends_initial` after the last object that was there."""

    resource_version: str
    ends_initial: bool = False


class Unread(Struct, frozen=True):
    """A change of an object that cannot be read; `removed` where it is gone."""

    malformed: Malformed
    resource_version: str
    removed: bool = False


WatchEvent = Seen[T] | Removed[T] | Bookmark | Unread


class WatchOptions(Struct, frozen=True, kw_only=True):
    """How to watch: `initial` asks for the present objects first; the server ends the watch after `timeout`."""

    initial: bool = False
    metadata_only: bool = False
    timeout: timedelta = timedelta(minutes=5)
