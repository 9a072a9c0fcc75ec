"""List: the objects of one revision, whole or in pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from certwright.apiserver.conversion import storage_key
from certwright.apiserver.schema.causes import Cause, forbidden, not_supported
from certwright.apiserver.storage.history import Stored
from certwright.apiserver.verbs.api import Api
from certwright.apiserver.verbs.preparation import check_revision
from certwright.apiserver.verbs.refusals import options_invalid
from certwright.apiserver.watch.selection import Selection
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import (
    BadRequest,
    Expired,
    ListMeta,
    Status,
    StatusCause,
    StatusDetails,
    Timeout,
)


class Paging(Struct, frozen=True, kw_only=True):
    """Which revision, and how much of it."""

    limit: int = 0
    continue_: str = ""
    revision: str = ""
    match: str = ""
    sends_initial: bool = False
    """Asked of a list, where it means nothing and is refused."""


class Page(Struct, frozen=True):
    """One answer to a list."""

    items: list[Stored]
    revision: int
    continue_: str = ""
    remaining: int | None = None


class _Place(Struct, frozen=True, rename={"revision": "rv", "version": "v"}):
    """Where the next page starts: the content of a continue token."""

    revision: int
    namespace: str
    name: str
    version: str = "meta.k8s.io/v1"


def list_objects(api: Api, selection: Selection, paging: Paging) -> Page:
    """The selected objects."""
    _check(paging)
    resource = storage_key(selection.definition)
    if paging.continue_:
        place = _parse_token(paging)
        revision = api.store.revision if place.revision < 0 else place.revision
        items = _at(api, resource, revision, place)
        after = ObjectKey(place.namespace, place.name)
        return _cut(
            [item for item in items if item.key > after and selection.matches(item)], revision, selection, paging
        )
    revision = _wanted_revision(api, paging)
    if revision == api.store.revision:
        items = _present(api, resource, selection)
    else:
        items = [item for item in _at(api, resource, revision, None) if selection.matches(item)]
    return _cut(items, revision, selection, paging)


def _present(api: Api, resource: str, selection: Selection) -> list[Stored]:
    name = selection.name
    if name and (selection.namespace or not selection.definition.resource.namespaced):
        found = api.store.get(resource, ObjectKey(selection.namespace, name))
        return [found] if found and selection.matches(found) else []
    items = api.store.list(resource, selection.namespace)
    return items if selection.is_whole else [item for item in items if selection.matches(item)]


def _at(api: Api, resource: str, revision: int, place: _Place | None) -> list[Stored]:
    items = api.store.list_at(resource, revision)
    if items is not None:
        return items
    if place is None:
        raise Expired.of(f"too old resource version: {revision} ({api.store.revision})")
    fresh = _token(_Place(-1, place.namespace, place.name))
    message = (
        "The provided continue parameter is too old to display a consistent list result. Start a new list, or go on "
        "with the continue token of this answer, which leads through the objects as they are now."
    )
    status = Status(metadata=ListMeta(continue_=fresh), message=message, reason=Expired.reason, code=Expired.code)
    raise Expired(status)


def _cut(items: list[Stored], revision: int, selection: Selection, paging: Paging) -> Page:
    if not paging.limit or len(items) <= paging.limit:
        return Page(items, revision)
    page = items[: paging.limit]
    last = page[-1].key
    token = _token(_Place(revision, last.namespace, last.name))
    return Page(page, revision, token, len(items) - paging.limit if selection.is_whole else None)


def _check(paging: Paging) -> None:
    if paging.revision:
        check_revision(paging.revision)
    causes = list(_contradictions(paging))
    if causes:
        raise options_invalid("ListOptions", causes)
    if paging.continue_ and paging.revision not in {"", "0"}:
        raise BadRequest.of("specifying resource version is not allowed when using continue")


def _contradictions(paging: Paging) -> Iterator[Cause]:
    field, match = "resourceVersionMatch", paging.match
    if match and not paging.revision:
        yield forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided")
    if match and paging.continue_:
        yield forbidden(field, "resourceVersionMatch is forbidden when continue is provided")
    if match not in {"", "Exact", "NotOlderThan"}:
        yield not_supported(field, match, ["Exact", "NotOlderThan", ""])
    if match == "Exact" and paging.revision == "0":
        yield forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if paging.sends_initial:
        yield forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _wanted_revision(api: Api, paging: Paging) -> int:
    """The revision to answer from; the present one unless an older one is asked for exactly."""
    asked = int(paging.revision or 0)
    check_not_ahead(api.store.revision, asked)
    is_exact = paging.match == "Exact" or (not paging.match and paging.limit > 0 and asked > 0)
    return asked if is_exact else api.store.revision


def check_not_ahead(present: int, asked: int) -> None:
    """Refuse a revision that the server has not reached; the client may come from another data folder."""
    if asked > present:
        cause = StatusCause("ResourceVersionTooLarge", "Too large resource version")
        details = StatusDetails(causes=[cause], retry_after_seconds=1)
        raise Timeout.of(f"Too large resource version: {asked}, current: {present}", details)


def _token(place: _Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _parse_token(paging: Paging) -> _Place:
    text = paging.continue_
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Place)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise BadRequest.of(f"invalid continue token: continue key is not valid: {error}") from error
