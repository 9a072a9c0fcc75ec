"""The Service of a namespace that leads to the shared responder, kept while a challenge needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct

from certwright.api.core import EndpointSlice
from certwright.api.meta import OwnerReference, from_json, to_json
from certwright.api.wellknown import Label
from certwright.errors import Retry
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, Conflict, NotFound
from certwright.solvers.http01 import objects
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.found import MANAGER, SERVICES, SLICES, Found

MOST_TRIES = 5


class BackendOptions(Struct, frozen=True, kw_only=True):
    """Where the responder is reached, and labels that the objects get besides."""

    addresses: tuple[str, ...]
    port: int
    extra_labels: Mapping[str, str] = msgspec.field(default_factory=dict)


class Backend:
    """Each challenge is one of the Service's owners; the last one to leave deletes it, and its slices go with it."""

    def __init__(self, client: KubeClient, options: BackendOptions) -> None:
        self._client = client
        self._options = options
        # Challenges of one namespace take turns, so that they do not run into conflicts with each other.
        self._turns: WeakValueDictionary[ObjectKey, asyncio.Lock] = WeakValueDictionary()

    async def join(self, challenge: Http01Challenge) -> str:
        """The name of the Service, which is there, leads to the responder and stays while the challenge does."""
        key = ObjectKey(challenge.namespace, objects.service_name(challenge))
        async with self._turn(key):
            service = await self._joined(key, challenge)
            await self._lead(service)
        return key.name

    async def leave(self, challenge: Http01Challenge) -> None:
        """The challenge needs the Service no longer."""
        key = ObjectKey(challenge.namespace, objects.service_name(challenge))
        async with self._turn(key):
            for _ in range(MOST_TRIES):
                try:
                    await self._left(key, challenge.owner.uid)
                except Conflict:
                    continue
                except NotFound:
                    pass
                return
        raise _contended(key)

    def _turn(self, key: ObjectKey) -> asyncio.Lock:
        return self._turns.setdefault(key, asyncio.Lock())

    async def _joined(self, key: ObjectKey, challenge: Http01Challenge) -> Found:
        for _ in range(MOST_TRIES):
            try:
                found = _ours(await self._client.get(SERVICES, key))
                if found.is_owned_by(challenge.owner.uid):
                    return found
                owners = (*found.metadata.owner_references, objects.shared_owner(challenge))
                return await self._own(found, owners)
            except NotFound:
                pass
            except Conflict:
                continue
            try:
                body = objects.service(challenge, self._is_dual_stack, self._options.extra_labels)
                return await self._client.create(SERVICES, body, key.namespace, manager=MANAGER)
            except AlreadyExists:
                continue
        raise _contended(key)

    async def _left(self, key: ObjectKey, uid: str) -> None:
        found = await self._client.get(SERVICES, key)
        others = tuple(owner for owner in found.metadata.owner_references if owner.uid != uid)
        if len(others) == len(found.metadata.owner_references):
            return
        if others:
            await self._own(found, others)
            return
        version = found.metadata.resource_version
        await self._client.delete(SERVICES, key, uid=found.metadata.uid, resource_version=version)

    async def _own(self, found: Found, owners: tuple[OwnerReference, ...]) -> Found:
        references: list[JSON] = [to_json(owner) for owner in owners]
        metadata: JSONObject = {
            "ownerReferences": references,
            "resourceVersion": found.metadata.resource_version,
            "uid": found.metadata.uid,
        }
        return await self._client.merge_patch(SERVICES, found.key, {"metadata": metadata}, manager=MANAGER)

    async def _lead(self, service: Found) -> None:
        """The slices of the Service are those of the responder: after a restart its addresses are others."""
        namespace, name = service.key
        of = OwnerReference(api_version="v1", kind="Service", name=name, uid=service.metadata.uid)
        wanted = objects.endpoint_slices(of, self._options.addresses, self._options.port)
        selector = f"{objects.SERVICE_NAME_LABEL}={name},{objects.SLICE_MANAGER_LABEL}={objects.SLICE_MANAGER}"
        listing = await self._client.list(SLICES, Selection(namespace, labels=selector))
        found = {each.metadata.name: each for each in listing.items}
        for gone in found.keys() - wanted.keys():
            await self._delete_slice(ObjectKey(namespace, gone))
        for slice_name, body in wanted.items():
            if not _leads_alike(found.get(slice_name), body):
                await self._client.apply(SLICES, ObjectKey(namespace, slice_name), body, manager=MANAGER)

    async def _delete_slice(self, key: ObjectKey) -> None:
        try:
            await self._client.delete(SLICES, key)
        except NotFound:
            return

    @property
    def _is_dual_stack(self) -> bool:
        return len({":" in address for address in self._options.addresses}) > 1


def _ours(found: Found) -> Found:
    """Raises Retry for a Service that somebody else made: it would go with our challenges."""
    if found.metadata.labels.get(Label.HTTP01_SOLVER) == "true":
        return found
    raise Retry(f"Service {found.key} is not one of HTTP-01 solvers, which need its name; rename or delete it")


def _leads_alike(found: EndpointSlice | None, wanted: JSONObject) -> bool:
    if found is None:
        return False
    meant = from_json(EndpointSlice, wanted)
    same_owner = found.metadata.owner_references == meant.metadata.owner_references
    return same_owner and found.endpoints == meant.endpoints and found.ports == meant.ports


def _contended(key: ObjectKey) -> Retry:
    return Retry(f"Service {key} was changed by others again and again; it will be tried again")
