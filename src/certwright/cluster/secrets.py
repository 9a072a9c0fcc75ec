"""Secrets, read when they are needed and never kept whole."""

from __future__ import annotations

from certwright.api.core import Secret
from certwright.api.core_kinds import SECRET
from certwright.kube.client.client import KubeClient
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound


class SecretReader:
    """Reads Secrets from the API server."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def find(self, namespace: str, name: str) -> Secret | None:
        """The Secret as it is now; None where there is none."""
        try:
            return await self._client.get(SECRET, ObjectKey(namespace, name))
        except NotFound:
            return None

    async def value(self, namespace: str, name: str, key: str) -> bytes | None:
        """One value of a Secret; None where the Secret or the key is absent."""
        found = await self.find(namespace, name)
        return None if found is None else found.data.get(key)
