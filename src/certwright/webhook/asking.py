"""Asks the API server which kinds of issuers there are and who may approve; answers are kept for a moment."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import msgspec

from certwright.api.meta import ApiStruct, JSONObject, MalformedObject, decode
from certwright.api.wellknown import CERT_MANAGER_GROUP
from certwright.clock import Clock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import Unreachable
from certwright.kube.wire.status import ApiError, NotFound
from certwright.rules.identity import Requester
from certwright.rules.validation import is_object_name
from certwright.webhook.approval import CannotAsk, Signer

ACCESS_LASTS = timedelta(seconds=1)
KIND_LASTS = timedelta(minutes=5)
NO_KIND_LASTS = timedelta(seconds=30)
MOST_KEPT = 1024

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values that are kept until a time, the oldest ones leaving where there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[K, tuple[datetime, V]] = {}

    def get(self, key: K) -> V | None:
        """The value; None where there is none, or no longer."""
        until, value = self._kept.get(key, (None, None))
        return value if until is not None and self._clock.now() < until else None

    def put(self, key: K, value: V, lasts: timedelta) -> None:
        """Keep a value."""
        self._kept.pop(key, None)
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._clock.now() + lasts, value)


class _Version(ApiStruct, frozen=True, kw_only=True):
    group_version: str = ""


class _Group(ApiStruct, frozen=True, kw_only=True):
    versions: tuple[_Version, ...] = ()


class _Resource(ApiStruct, frozen=True, kw_only=True):
    name: str = ""
    kind: str = ""
    namespaced: bool = False


class _Resources(ApiStruct, frozen=True, kw_only=True):
    resources: tuple[_Resource, ...] | None = None


class DiscoveredSigners:
    """Kinds of issuers, as the API server's discovery tells them."""

    def __init__(self, client: KubeClient, clock: Clock) -> None:
        self._client = client
        # A tuple with nothing in it stands for a kind that is not served.
        self._known: Remembered[tuple[str, str], tuple[Signer, ...]] = Remembered(clock)

    async def find(self, group: str, kind: str) -> Signer | None:
        """The resource of a kind; what is not served is not asked for again within half a minute."""
        known = self._known.get((group, kind))
        if known is None:
            try:
                known = await self._discover(group, kind)
            except (ApiError, Unreachable, MalformedObject) as error:
                raise CannotAsk(f"The API server does not say what {kind} of {group} is: {error}") from error
            self._known.put((group, kind), known, KIND_LASTS if known else NO_KIND_LASTS)
        return known[0] if known else None

    async def _discover(self, group: str, kind: str) -> tuple[Signer, ...]:
        if not is_object_name(group):
            # No group is called so, and no path can be.
            return ()
        try:
            versions = decode(_Group, await self._client.get_raw(f"/apis/{group}")).versions
        except NotFound:
            return ()
        for version in versions:
            for found in await self._resources(version.group_version):
                if found.kind == kind and "/" not in found.name:
                    return (Signer(f"{found.name}.{group}", found.namespaced),)
        return ()

    async def _resources(self, group_version: str) -> tuple[_Resource, ...]:
        try:
            body = await self._client.get_raw(f"/apis/{group_version}")
        except NotFound:
            # Gone between the two questions.
            return ()
        return decode(_Resources, body).resources or ()


class _Access(ApiStruct, frozen=True, kw_only=True):
    allowed: bool = False


class _AccessReview(ApiStruct, frozen=True, kw_only=True):
    status: _Access = msgspec.field(default_factory=_Access)


class AccessReviews:
    """Permissions, as SubjectAccessReviews tell them."""

    def __init__(self, client: KubeClient, clock: Clock) -> None:
        self._client = client
        self._known: Remembered[tuple[bytes, str], bool] = Remembered(clock)

    async def may_approve(self, requester: Requester, signer: str) -> bool:
        """Whether the requester has the verb approve on that name of a signer."""
        key = (msgspec.json.encode(requester), signer)
        known = self._known.get(key)
        if known is None:
            try:
                known = await self._ask(requester, signer)
            except (ApiError, Unreachable) as error:
                who = requester.username
                raise CannotAsk(f"The API server does not say whether {who!r} may approve: {error}") from error
            self._known.put(key, known, ACCESS_LASTS)
        return known

    async def _ask(self, requester: Requester, signer: str) -> bool:
        wanted: JSONObject = {
            "group": CERT_MANAGER_GROUP,
            "version": "*",
            "resource": "signers",
            "verb": "approve",
            "name": signer,
        }
        body: JSONObject = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": requester.username,
                "uid": requester.uid,
                "groups": list(requester.groups),
                "extra": {name: list(values) for name, values in requester.extra.items()},
                "resourceAttributes": wanted,
            },
        }
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return (await self._client.post(path, body, _AccessReview)).status.allowed
