"""Name resolution with a connect-to map."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver


class ConnectToResolver(AbstractResolver):
    """Resolves the hosts of a connect-to map to their targets, and all others as the system does."""

    def __init__(self, connect_to: Mapping[str, str]) -> None:
        self._targets = {source: _host_and_port(target) for source, target in connect_to.items()}
        self._system = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        target = self._targets.get(f"{host}:{port}")
        if target is None:
            return await self._system.resolve(host, port, family)
        found = await self._system.resolve(target[0], target[1], family)
        return [ResolveResult({**result, "hostname": host}) for result in found]

    async def close(self) -> None:
        await self._system.close()


def _host_and_port(target: str) -> tuple[str, int]:
    host, colon, port = target.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise ValueError(f"the connect-to target {target!r} must be host:port")
    return host.strip("[]"), int(port)
