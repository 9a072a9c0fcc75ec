"""A typed client of the Kubernetes API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, TypeVar

from msgspec import Struct

from certwright.api.resource import Kind
from certwright.clock import Clock
from certwright.kube.client.connection import Connection
from certwright.kube.client.listing import Listing, Page, Selection, WatchEvent, WatchOptions
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey

T = TypeVar("T")
S = TypeVar("S", bound=Struct)


class ClientOptions(Struct, frozen=True, kw_only=True):
    """`qps` 0 means no limit of our own."""

    user_agent: str = "certwright"
    qps: float = 0
    burst: int = 0
    timeout: timedelta = timedelta(seconds=30)
    most_connections: int = 64


class KubeClient:
    """Every call raises an `ApiError` where the server refuses, and `Unreachable` where it gives no usable answer."""

    def __init__(self, connection: Connection, clock: Clock, options: ClientOptions = ClientOptions()) -> None:
        raise NotImplementedError

    async def get(self, kind: Kind[T], key: ObjectKey) -> T:
        """The object as it is now."""
        raise NotImplementedError

    async def list(self, kind: Kind[T], selection: Selection = Selection()) -> Listing[T]:
        """All objects of the selection; pages are followed."""
        raise NotImplementedError

    def pages(
        self, kind: Kind[T], selection: Selection = Selection(), *, metadata_only: bool = False
    ) -> AsyncIterator[Page[T]]:
        """All objects of the selection, page by page, so that never more than one is held."""
        raise NotImplementedError

    def watch(
        self, kind: Kind[T], selection: Selection, resource_version: str, *, options: WatchOptions = WatchOptions()
    ) -> AsyncIterator[WatchEvent[T]]:
        """What happens after `resource_version`, until the server ends the watch; `Gone` where that is too old."""
        raise NotImplementedError

    async def create(self, kind: Kind[T], body: JSONObject | Struct, namespace: str = "", manager: str = "") -> T:
        """The new object; its name may be left to the server by `generateName`."""
        raise NotImplementedError

    async def merge_patch(
        self, kind: Kind[T], key: ObjectKey, patch: JSONObject, *, subresource: str = "", manager: str = ""
    ) -> T:
        """The object after a JSON merge patch; `Conflict` where the patch names an old resourceVersion or a uid."""
        raise NotImplementedError

    async def json_patch(
        self, kind: Kind[T], key: ObjectKey, operations: list[JSONObject], *, subresource: str = "", manager: str = ""
    ) -> T:
        """The object after a JSON patch (RFC 6902)."""
        raise NotImplementedError

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
        raise NotImplementedError

    async def update(
        self, kind: Kind[T], key: ObjectKey, body: JSONObject, *, subresource: str = "", manager: str = ""
    ) -> T:
        """Replace an object by JSON that was read raw: an object that went through a Struct has lost fields."""
        raise NotImplementedError

    async def delete(
        self,
        kind: Kind[Any],
        key: ObjectKey,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "Background",
    ) -> None:
        """Delete, where given only under that uid and resource version (`Conflict` otherwise)."""
        raise NotImplementedError

    async def post(self, path: str, body: JSONObject | Struct, answer: type[S]) -> S:
        """Post to a path that is no collection (reviews, TokenRequest), and read the answer."""
        raise NotImplementedError

    async def get_raw(self, path: str) -> bytes:
        """The body at any path, such as `/version` or a discovery document."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close every connection."""
        raise NotImplementedError
