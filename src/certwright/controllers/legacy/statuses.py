"""Writes the status of legacy objects: only what has changed, and never over a newer object."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.kinds import LEGACY_CERTIFICATE, LEGACY_CLUSTER_ISSUER, LEGACY_ISSUER, Unreadable
from certwright.api.meta import JSON, JSONObject, ObjectMeta, to_json
from certwright.api.resource import Kind
from certwright.cluster.legacy import LegacyCaches
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import ApiObject
from certwright.kube.runtime.cache import Cache
from certwright.kube.wire.keys import ObjectKey

S = TypeVar("S", bound=ApiObject)
T = TypeVar("T")
MANAGER = "cert-manager"


class LegacyStatuses:
    """The writer of legacy statuses; what the server answers is in the caches at once."""

    def __init__(self, client: KubeClient, caches: LegacyCaches) -> None:
        self._client = client
        self._caches = caches

    async def certificate(
        self,
        metadata: ObjectMeta,
        old: legacy.CertificateStatus | Unreadable,
        new: legacy.CertificateStatus | Unreadable,
    ) -> None:
        """Write a Certificate's status; `Conflict` where the object is not as it was seen."""
        await self._write(LEGACY_CERTIFICATE, self._caches.certificates, metadata, status_patch(metadata, old, new))

    async def issuer(
        self, metadata: ObjectMeta, old: legacy.IssuerStatus | Unreadable, new: legacy.IssuerStatus | Unreadable
    ) -> None:
        """Write the status of an Issuer."""
        await self._write(LEGACY_ISSUER, self._caches.issuers, metadata, status_patch(metadata, old, new))

    async def cluster_issuer(
        self, metadata: ObjectMeta, old: legacy.IssuerStatus | Unreadable, new: legacy.IssuerStatus | Unreadable
    ) -> None:
        """Write the status of a ClusterIssuer."""
        caches = self._caches.cluster_issuers
        await self._write(LEGACY_CLUSTER_ISSUER, caches, metadata, status_patch(metadata, old, new))

    async def _write(self, kind: Kind[S], cache: Cache[T], metadata: ObjectMeta, patch: JSONObject | None) -> None:
        if patch is not None:
            key = ObjectKey(metadata.namespace, metadata.name)
            cache.remember(await self._client.merge_patch(kind, key, patch, subresource="status", manager=MANAGER))


def status_patch(metadata: ObjectMeta, old: Struct, new: Struct) -> JSONObject | None:
    """The merge patch from one status to the other, bound to the version that was seen; None where they are equal."""
    changes = _changes(_status(old), _status(new))
    if not changes:
        return None
    return {"metadata": {"resourceVersion": metadata.resource_version}, "status": changes}


def _status(value: Struct) -> JSONObject:
    """Of an object that cannot be read whole, the conditions."""
    plain = to_json(value)
    return {"conditions": plain.get("conditions")} if isinstance(value, Unreadable) else plain


def _changes(old: JSONObject, new: JSONObject) -> JSONObject:
    found: JSONObject = {}
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if before != after:
            found[key] = _change(before, after)
    return found


def _change(before: JSON, after: JSON) -> JSON:
    return _changes(before, after) if isinstance(before, dict) and isinstance(after, dict) else after
