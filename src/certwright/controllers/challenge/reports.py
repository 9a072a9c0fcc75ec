"""Writes to Challenges, and events about them."""

from __future__ import annotations

import re
from contextlib import suppress

from certwright.api import acme_v1 as acme
from certwright.api.core import InvolvedObject
from certwright.api.kinds import CHALLENGE
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Finalizer
from certwright.cluster.cluster import Cluster
from certwright.kube.runtime.recorder import EventType
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.rules.acme_orders import ACME_VERSION
from certwright.rules.status_changes import status_changes

MANAGER = "cert-manager-challenges"
FINALIZERS = (Finalizer.CHALLENGE, Finalizer.LEGACY_CHALLENGE)
LONGEST_REASON = 2048
# Clouds name each request: a text that differs with each try would be written with each try.
_REQUEST_ID = re.compile(
    r"(?i)\b((?:request|correlation|trace)[ _-]?id)(\"?\s*[:=]?\s*\"?)"
    r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9A-Za-z+/=_-]{16,})"
)
_TIMESTAMP = re.compile(r"(?i)\b(timestamp\"?\s*[:=]\s*\"?)[0-9][0-9T:. Z+-]{9,}")


def stable(text: str) -> str:
    """The text without what differs each time that the same thing goes wrong, and not longer than a status bears."""
    without_ids = _REQUEST_ID.sub(r"\1\2<redacted>", text)
    return _TIMESTAMP.sub(r"\1<redacted>", without_ids)[:LONGEST_REASON]


def has_finalizer(challenge: acme.Challenge) -> bool:
    """Whether the Challenge is held until it is cleaned up."""
    return any(name in challenge.metadata.finalizers for name in FINALIZERS)


class ChallengeReports:
    """Everything that is written to a Challenge goes through here."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def write(self, challenge: acme.Challenge, status: acme.ChallengeStatus) -> bool:
        """Write the status, and say whether anything changed; `Conflict` where the view was stale."""
        changes = status_changes(challenge.status, status)
        if not changes:
            return False
        # Readers of the API find both words also where they are false.
        told: JSONObject = {"processing": status.processing, "presented": status.presented}
        patch: JSONObject = {
            "metadata": {"resourceVersion": challenge.metadata.resource_version},
            "status": told | changes,
        }
        key = _key(challenge)
        written = await self._cluster.client.merge_patch(CHALLENGE, key, patch, subresource="status", manager=MANAGER)
        self._cluster.caches.challenges.remember(written)
        return True

    async def hold(self, challenge: acme.Challenge) -> None:
        """The Challenge cannot go before it is cleaned up. The uid keeps the apply from making a new object."""
        metadata, key = challenge.metadata, _key(challenge)
        body: JSONObject = {
            "apiVersion": ACME_VERSION,
            "kind": "Challenge",
            "metadata": {
                "name": metadata.name,
                "namespace": metadata.namespace,
                "uid": metadata.uid,
                "finalizers": [Finalizer.CHALLENGE],
            },
        }
        held = await self._cluster.client.apply(CHALLENGE, key, body, manager=MANAGER)
        self._cluster.caches.challenges.remember(held)

    async def release(self, challenge: acme.Challenge) -> None:
        """The Challenge may go."""
        metadata = challenge.metadata
        left = [name for name in metadata.finalizers if name not in FINALIZERS]
        patch: JSONObject = {"metadata": {"resourceVersion": metadata.resource_version, "finalizers": [*left] or None}}
        with suppress(NotFound):
            written = await self._cluster.client.merge_patch(CHALLENGE, _key(challenge), patch, manager=MANAGER)
            if metadata.deletion_timestamp is None:
                self._cluster.caches.challenges.remember(written)

    def tell(self, challenge: acme.Challenge, kind: EventType, reason: str, message: str) -> None:
        """An event about the Challenge."""
        about = InvolvedObject.of(challenge.metadata, "Challenge", ACME_VERSION)
        self._cluster.recorder.record(about, kind, reason, message, MANAGER)


def _key(challenge: acme.Challenge) -> ObjectKey:
    return ObjectKey(challenge.metadata.namespace, challenge.metadata.name)
