"""Stored objects as the bytes of an answer: whole, as metadata only, or as a table."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from certwright.apiserver import objects
from certwright.apiserver.conversion import body_in, obj_in
from certwright.apiserver.definition import Definition
from certwright.apiserver.http.accept import Form
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.tables import render_table
from certwright.apiserver.verbs.read import Page
from certwright.clock import Clock
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.keys import ObjectKey

_NOWHERE = ObjectKey("", "")


class Renderer(Struct, frozen=True):
    """Writes objects of one resource in one form."""

    definition: Definition
    stored: Definition
    form: Form
    include_object: str
    clock: Clock

    def in_turn(self) -> Callable[[Stored], bytes]:
        """Writes single objects one after the other; of tables only the first names the columns."""
        if self.form.shape != "table":
            return self.one
        is_first = True

        def write(stored: Stored) -> bytes:
            nonlocal is_first
            body = self.one(stored) if is_first else self._row(stored)
            is_first = False
            return body

        return write

    def _row(self, stored: Stored) -> bytes:
        table = objects.decode(self.one(stored))
        table["columnDefinitions"] = None
        return objects.encode(table)

    def one(self, stored: Stored) -> bytes:
        """A single object."""
        match self.form.shape:
            case "object":
                return body_in(stored, self.stored, self.definition)
            case "metadata":
                return objects.encode(_partial(self._obj(stored)))
            case "table":
                obj = self._obj(stored)
                listed: JSONObject = {"resourceVersion": objects.text(objects.meta(obj), "resourceVersion")}
                return self._table([obj], listed)

    def page(self, page: Page) -> bytes:
        """A list."""
        listed = _list_meta(page)
        match self.form.shape:
            case "object":
                resource = self.definition.resource
                head: JSONObject = {"kind": self.definition.list_kind, "apiVersion": resource.api_version}
                return _joined(head, listed, self._items(page))
            case "metadata":
                head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
                return _joined(head, listed, [objects.encode(_partial(self._obj(item))) for item in page.items])
            case "table":
                return self._table([self._obj(item) for item in page.items], listed)

    def bookmark(self, revision: int, *, ends_initial: bool) -> bytes:
        """An object without content that only tells a revision."""
        resource = self.definition.resource
        metadata: JSONObject = {"resourceVersion": str(revision), "creationTimestamp": None}
        if ends_initial:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: JSONObject = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        match self.form.shape:
            case "object":
                return objects.encode(obj)
            case "metadata":
                return objects.encode(_partial(obj))
            case "table":
                return self._table([obj], {"resourceVersion": str(revision)})

    def _obj(self, stored: Stored) -> JSONObject:
        return obj_in(stored, self.stored, self.definition)

    def _items(self, page: Page) -> list[bytes]:
        if not self.definition.built_in:
            return [body_in(item, self.stored, self.definition) for item in page.items]
        # As the API server does: items of built-in lists do not repeat what the list says.
        resource = self.definition.resource
        skipped = len(objects.prefix(resource.api_version, resource.kind)) + 1
        return [b"{" + body_in(item, self.stored, self.definition)[skipped:] for item in page.items]

    def _table(self, objs: list[JSONObject], listed: JSONObject) -> bytes:
        return objects.encode(render_table(self.definition, objs, self.include_object, self.clock.now(), listed))


def _list_meta(page: Page) -> JSONObject:
    listed: JSONObject = {"resourceVersion": str(page.revision)}
    if page.continue_:
        listed["continue"] = page.continue_
    if page.remaining is not None:
        listed["remainingItemCount"] = page.remaining
    return listed


def _joined(head: JSONObject, listed: JSONObject, items: list[bytes]) -> bytes:
    start = objects.encode({**head, "metadata": listed})[:-1]
    return start + b',"items":[' + b",".join(items) + b"]}"


def _partial(obj: JSONObject) -> JSONObject:
    metadata: JSON = obj.get("metadata")
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
