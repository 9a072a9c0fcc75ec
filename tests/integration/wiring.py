"""What every rig of controllers stands on: a client of the server under test, the cluster, background work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol

from tests.cluster import Cluster as Server
from tests.kubernetes.eventually import eventually

from certwright.clock import Clock, SystemClock
from certwright.cluster.caches import build_caches
from certwright.cluster.cluster import Cluster
from certwright.cluster.issuers import IssuerDirectory
from certwright.cluster.modern import ModernIssuers
from certwright.cluster.pending import PendingKeys
from certwright.cluster.secrets import SecretReader
from certwright.cluster.settings import Settings
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.kube.runtime.recorder import Recorder
from certwright.rules.hub import Dialect


class Controller(Protocol):
    """Works on objects."""

    @property
    def busy(self) -> int:
        """How many objects wait for a pass or are in one."""


class Line(Protocol):
    """Controllers at work."""

    @property
    def cluster(self) -> Cluster:
        """What they were given."""

    async def rest(self) -> None:
        """Return when no pass is under way and every event is written."""


@asynccontextmanager
async def client_of(server: Server, clock: Clock | None = None, user_agent: str = "") -> AsyncIterator[KubeClient]:
    """An administrator's client, as a kubeconfig makes it."""
    options = ClientOptions(user_agent=user_agent or f"test/{server.namespace}")
    client = KubeClient(find_connection({}, str(server.kubeconfig)), clock or SystemClock(), options)
    try:
        yield client
    finally:
        await client.close()


def build_cluster(client: KubeClient, clock: Clock, settings: Settings) -> Cluster:
    """What every controller is given, with the issuers of today's group."""
    caches = build_caches(client, clock, settings)
    return Cluster(
        client=client,
        clock=clock,
        recorder=Recorder(client, clock),
        caches=caches,
        issuers=IssuerDirectory({Dialect.MODERN: ModernIssuers(caches)}),
        secrets=SecretReader(client),
        pending=PendingKeys(),
        settings=settings,
    )


@asynccontextmanager
async def background(*work: Awaitable[None]) -> AsyncIterator[None]:
    """Runs that, and cancels it at the end; a fault of it fails the test."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def rest(recorder: Recorder, *controllers: Controller) -> None:
    """Return when no pass is under way and every event is written.

    A user may see what a pass wrote before the pass has heard so itself: its event comes only then.
    """

    async def is_idle() -> bool:
        return not any(each.busy for each in controllers)

    await eventually(is_idle)
    await recorder.flush()
