"""A client whose process dies at a chosen call: before the call reaches the server, or before its answer comes back."""

from __future__ import annotations

import asyncio
from typing import Any

from certwright.api.core_kinds import EVENT
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import Unreachable

COUNTED = frozenset({"get", "create", "merge_patch", "json_patch", "apply", "update", "delete"})


class MortalClient(KubeClient):
    """Counts the calls of the controllers; events and watches do not count. After death nothing reaches the server."""

    def __init__(self, client: KubeClient, dies_at: int, *, after: bool) -> None:
        self._client = client
        self._dies_at = dies_at
        self._after = after
        self.calls = 0
        self.dead = asyncio.Event()

    def __getattribute__(self, name: str) -> Any:
        if name in COUNTED:
            return _Call(self, name)
        if name in _OWN:
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_client"), name)

    async def counted(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """One call, which may be the last."""
        if self.dead.is_set():
            raise Unreachable("the process is dead")
        if args[0] is EVENT:
            return await getattr(self._client, name)(*args, **kwargs)
        self.calls += 1
        if self.calls != self._dies_at:
            answer = await getattr(self._client, name)(*args, **kwargs)
            if self.dead.is_set():
                raise Unreachable("the process died meanwhile")
            return answer
        if self._after:
            await getattr(self._client, name)(*args, **kwargs)
        self.dead.set()
        raise Unreachable("the process dies")


class _Call:
    def __init__(self, client: MortalClient, name: str) -> None:
        self._client, self._name = client, name

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return await self._client.counted(self._name, *args, **kwargs)


_OWN = frozenset({"counted", "calls", "dead", "_client", "_dies_at", "_after"})
