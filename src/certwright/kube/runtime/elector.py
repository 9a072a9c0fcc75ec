"""Leader election by a Lease, compatible with client-go's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec import Struct

from certwright.clock import Clock
from certwright.kube.client.client import KubeClient


class ElectorOptions(Struct, frozen=True, kw_only=True):
    """Which Lease, who we are, and the three durations (cert-manager's defaults)."""

    namespace: str
    identity: str
    name: str = "cert-manager-controller"
    lease_duration: timedelta = timedelta(seconds=60)
    renew_deadline: timedelta = timedelta(seconds=40)
    retry_period: timedelta = timedelta(seconds=15)


class Elector:
    """Takes part in the election of one leader."""

    def __init__(self, client: KubeClient, clock: Clock, options: ElectorOptions) -> None:
        raise NotImplementedError

    @property
    def is_leader(self) -> bool:
        """Whether we hold the lease."""
        raise NotImplementedError

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then `lead` while we hold it, again and again until cancelled or `lead` ends.

        `lead` is cancelled when the lease is lost; on the way out the lease is released.
        """
        raise NotImplementedError
