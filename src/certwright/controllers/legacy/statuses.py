"""Writes the status of legacy objects: only what has changed, and never over a newer object."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.kinds import LEGACY_CERTIFICATE, LEGACY_CLUSTER_ISSUER, LEGACY_ISSUER, Unreadable
from certwright.api.meta import JSON, JSONObject, ObjectMeta, to_json
from certwright.cluster.legacy import LegacyCaches
from certwright.kube.client.client import KubeClient
from certwright.kube.wire.keys import ObjectKey

S = TypeVar("S", bound=Struct)
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
        if (patch := status_patch(metadata, old, new)) is None:
            return
        key = ObjectKey(metadata.namespace, metadata.name)
        answer = await self._client.merge_patch(LEGACY_CERTIFICATE, key, patch, subresource="status", manager=MANAGER)
        self._caches.certificates.remember(answer)

    async def issuer(
        self, metadata: ObjectMeta, old: legacy.IssuerStatus | Unreadable, new: legacy.IssuerStatus | Unreadable
    ) -> None:
        """Write the status of an Issuer."""
        if (patch := status_patch(metadata, old, new)) is None:
            return
        key = ObjectKey(metadata.namespace, metadata.name)
        answer = await self._client.merge_patch(LEGACY_ISSUER, key, patch, subresource="status", manager=MANAGER)
        self._caches.issuers.remember(answer)

    async def cluster_issuer(
        self, metadata: ObjectMeta, old: legacy.IssuerStatus | Unreadable, new: legacy.IssuerStatus | Unreadable
    ) -> None:
        """Write the status of a ClusterIssuer."""
        if (patch := status_patch(metadata, old, new)) is None:
            return
        key = ObjectKey("", metadata.name)
        answer = await self._client.merge_patch(
            LEGACY_CLUSTER_ISSUER, key, patch, subresource="status", manager=MANAGER
        )
        self._caches.cluster_issuers.remember(answer)


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
