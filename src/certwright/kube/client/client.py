"""A typed client of the Kubernetes API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from certwright.api.meta import MalformedObject, decode, encode
from certwright.api.resource import Kind
from certwright.clock import Clock
from certwright.kube.client.calls import (
    APPLY_PATCH,
    JSON_MEDIA,
    JSON_PATCH,
    MERGE_PATCH,
    MOST_LIST_BYTES,
    Call,
    accept_of,
    with_query,
)
from certwright.kube.client.connection import Connection
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.client.listing import EVERYTHING, Listing, Malformed, Page, Selection, WatchEvent, WatchOptions
from certwright.kube.client.reading import read_page, watch_events
from certwright.kube.client.transport import ClientOptions, Transport
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Gone

__all__ = ["BadConnection", "ClientOptions", "KubeClient", "Listing", "Selection", "Unreachable"]

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

PAGE = 500
# A token that continues a list expires after some five minutes; a list is begun this often in all.
MOST_BEGINNINGS = 3
# The server tells each minute that a watch is alive; a little later than the second time it is not.
LONGEST_SILENCE = timedelta(seconds=150)
_DEFAULT_OPTIONS = ClientOptions()
_DEFAULT_WATCH = WatchOptions()


class KubeClient:
    """Every call raises an `ApiError` where the server refuses, and `Unreachable` where it gives no usable answer."""

    def __init__(self, connection: Connection, clock: Clock, options: ClientOptions = _DEFAULT_OPTIONS) -> None:
        self._transport = Transport(connection, clock, options)

    async def get(self, kind: Kind[T], key: ObjectKey) -> T:
        """The object as it is now."""
        return await self._object(kind, Call(method="GET", path=_path(kind, key)))

    async def list(self, kind: Kind[T], selection: Selection = EVERYTHING) -> Listing[T]:
        """All objects of the selection; pages are followed."""
        for beginning in range(1, MOST_BEGINNINGS + 1):
            try:
                return await self._list(kind, selection)
            except Gone:
                if beginning == MOST_BEGINNINGS:
                    raise
        raise AssertionError("unreachable")

    async def _list(self, kind: Kind[T], selection: Selection) -> Listing[T]:
        items: list[T] = []
        malformed: list[Malformed] = []
        version = ""
        async for page in self.pages(kind, selection):
            items += page.items
            malformed += page.malformed
            version = page.resource_version
        return Listing(tuple(items), version, tuple(malformed))

    async def pages(
        self, kind: Kind[T], selection: Selection = EVERYTHING, *, metadata_only: bool = False
    ) -> AsyncGenerator[Page[T], None]:
        """All objects of the selection, page by page, so that never more than one is held.

        `Gone` where the caller took longer than the server keeps the list.
        """
        query = {**_query(selection), "limit": str(PAGE)}
        while True:
            call = Call(
                method="GET",
                path=with_query(kind.resource.path(selection.namespace), query),
                accept=accept_of(metadata_only=metadata_only, is_list=True),
                limit=MOST_LIST_BYTES,
                timeout=timedelta(minutes=1),
            )
            page = read_page(kind, await self._transport.send(call))
            yield page
            if not page.more:
                return
            query["continue"] = page.more

    async def watch(
        self, kind: Kind[T], selection: Selection, resource_version: str, *, options: WatchOptions = _DEFAULT_WATCH
    ) -> AsyncGenerator[Sequence[WatchEvent[T]], None]:
        """What happens after `resource_version`, until the server ends the watch; `Gone` where that is too old.

        Events come as they arrive: one alone at once, many that arrive together in one list.
        """
        query = {
            **_query(selection),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(int(options.timeout.total_seconds())),
            "resourceVersion": resource_version,
        }
        if options.initial:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        call = Call(
            method="GET",
            path=with_query(kind.resource.path(selection.namespace), query),
            accept=accept_of(metadata_only=options.metadata_only, is_list=False),
        )
        async with (
            self._transport.stream(call, _patience(options.timeout)) as response,
            aclosing(watch_events(kind, response)) as arriving,
        ):
            async for events in arriving:
                yield events

    async def create(self, kind: Kind[T], body: JSONObject | Struct, namespace: str = "", manager: str = "") -> T:
        """The new object; its name may be left to the server by `generateName`."""
        path = with_query(kind.resource.path(namespace), {"fieldManager": manager})
        return await self._object(kind, Call(method="POST", path=path, body=_encode(body), media=JSON_MEDIA))

    async def merge_patch(
        self, kind: Kind[T], key: ObjectKey, patch: JSONObject, *, subresource: str = "", manager: str = ""
    ) -> T:
        """The object after a JSON merge patch; `Conflict` where the patch names an old resourceVersion or a uid."""
        path = with_query(_path(kind, key, subresource), {"fieldManager": manager})
        return await self._object(kind, Call(method="PATCH", path=path, body=_encode(patch), media=MERGE_PATCH))

    async def json_patch(
        self,
        kind: Kind[T],
        key: ObjectKey,
        operations: Sequence[JSONObject],
        *,
        subresource: str = "",
        manager: str = "",
    ) -> T:
        """The object after a JSON patch (RFC 6902)."""
        path = with_query(_path(kind, key, subresource), {"fieldManager": manager})
        body = msgspec.json.encode(operations)
        return await self._object(kind, Call(method="PATCH", path=path, body=body, media=JSON_PATCH))

    async def apply(  # noqa: PLR0913 - the words of server-side apply
        self,
        kind: Kind[T],
        key: ObjectKey,
        body: JSONObject,
        *,
        manager: str,
        force: bool = True,
        subresource: str = "",
    ) -> T:
        """The object after a server-side apply; without `force`, `Conflict` where others own a field of ours."""
        query = {"fieldManager": manager, "force": "true" if force else ""}
        path = with_query(_path(kind, key, subresource), query)
        return await self._object(kind, Call(method="PATCH", path=path, body=_encode(body), media=APPLY_PATCH))

    async def update(
        self, kind: Kind[T], key: ObjectKey, body: JSONObject, *, subresource: str = "", manager: str = ""
    ) -> T:
        """Replace an object by JSON that was read raw: an object that went through a Struct has lost fields."""
        path = with_query(_path(kind, key, subresource), {"fieldManager": manager})
        return await self._object(kind, Call(method="PUT", path=path, body=_encode(body), media=JSON_MEDIA))

    async def delete(
        self,
        kind: Kind[Any],  # the answer is not read
        key: ObjectKey,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "Background",
    ) -> None:
        """Delete, where given only under that uid and resource version (`Conflict` otherwise)."""
        names = {"uid": uid, "resourceVersion": resource_version}
        preconditions: JSONObject = {name: value for name, value in names.items() if value}
        body: JSONObject = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if preconditions:
            body["preconditions"] = preconditions
        call = Call(method="DELETE", path=_path(kind, key), body=_encode(body), media=JSON_MEDIA)
        await self._transport.send(call)

    async def post(self, path: str, body: JSONObject | Struct, answer: type[S]) -> S:
        """Post to a path that is no collection (reviews, TokenRequest), and read the answer."""
        found = await self._transport.send(Call(method="POST", path=path, body=_encode(body), media=JSON_MEDIA))
        try:
            return decode(answer, found)
        except MalformedObject as error:
            raise Unreachable(f"POST {path} was answered with something else: {error}.") from error

    async def get_raw(self, path: str, *, accept: str = JSON_MEDIA) -> bytes:
        """The body at any path, such as `/version` or a discovery document."""
        return await self._transport.send(Call(method="GET", path=path, accept=accept, limit=MOST_LIST_BYTES))

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    async def _object(self, kind: Kind[T], call: Call) -> T:
        """The object in the answer; `MalformedObject` where its kind cannot read it."""
        return kind.read(await self._transport.send(call))


def _path(kind: Kind[Any], key: ObjectKey, subresource: str = "") -> str:
    if not key.name or (kind.resource.namespaced and not key.namespace):
        raise ValueError(f"{key!r} does not name one object of {kind.resource.qualified}.")
    return kind.resource.path(key.namespace, key.name, subresource)


def _query(selection: Selection) -> dict[str, str]:
    return {"labelSelector": selection.labels, "fieldSelector": selection.fields}


def _encode(body: JSONObject | Struct) -> bytes:
    return encode(body) if isinstance(body, Struct) else msgspec.json.encode(body)


def _patience(timeout: timedelta) -> aiohttp.ClientTimeout:
    longest = timeout + LONGEST_SILENCE
    return aiohttp.ClientTimeout(
        total=longest.total_seconds(), sock_connect=10, sock_read=LONGEST_SILENCE.total_seconds()
    )
