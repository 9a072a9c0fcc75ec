"""Two candidates and one Lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clock import MovableClock, settle
from tests.cluster import Cluster
from tests.integration.wiring import client_of
from tests.kubernetes.eventually import eventually

from certwright.api.core import Lease
from certwright.api.core_kinds import LEASE
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import Connection
from certwright.kube.runtime.elector import Elector, ElectorOptions
from certwright.kube.wire.keys import ObjectKey

SECOND = timedelta(seconds=1)


class Candidate:
    """A process with a clock of its own, which counts how often it led and whether it leads."""

    def __init__(self, cluster: Cluster, client: KubeClient, identity: str, skew: timedelta = timedelta(0)) -> None:
        self.clock = MovableClock(MovableClock().now() + skew)
        options = ElectorOptions(namespace=cluster.namespace, identity=identity)
        self.elector = Elector(client, self.clock, options)
        self.leads = False
        self.times = 0
        self.end = asyncio.Event()
        self.task = asyncio.ensure_future(self.elector.run(self._lead))

    async def _lead(self) -> None:
        self.leads = True
        self.times += 1
        try:
            await self.end.wait()
        finally:
            self.leads = False

    async def until(self, leads: bool) -> None:
        async def look() -> bool:
            return self.leads is leads

        await eventually(look)

    async def rest(self) -> None:
        """Return when no request is under way: then a leader waits for its deadline and the next renewal, others for
        the next try."""
        await settle(10)

        async def look() -> bool:
            return self.task.done() or self.clock.pending >= (2 if self.leads else 1)

        if not await look():
            await eventually(look)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def pass_time(seconds: int, *candidates: Candidate) -> None:
    """A second at a time for all; no request takes any of it."""
    for _ in range(seconds):
        for each in candidates:
            each.clock.advance(SECOND)
        for each in candidates:
            await each.rest()
        assert sum(each.leads for each in candidates) <= 1


async def lease(client: KubeClient, cluster: Cluster) -> Lease:
    return await client.get(LEASE, ObjectKey(cluster.namespace, "cert-manager-controller"))


@asynccontextmanager
async def candidates(cluster: Cluster, *skews: timedelta) -> AsyncIterator[tuple[KubeClient, list[Candidate]]]:
    """The first one leads."""
    async with client_of(cluster) as client, AsyncExitStack() as stack:
        made: list[Candidate] = []
        for number, skew in enumerate(skews):
            made.append(Candidate(cluster, client, f"c{number}", skew))
            stack.push_async_callback(made[number].stop)
            await made[0].until(leads=True)
        yield client, made


async def test_the_first_one_leads_and_says_so_in_the_lease(cluster: Cluster) -> None:
    async with candidates(cluster, timedelta(0)) as (client, (first,)):
        made = (await lease(client, cluster)).spec
        await pass_time(31, first)
        renewed = (await lease(client, cluster)).spec

    assert (made.holder_identity, made.lease_duration_seconds, made.lease_transitions) == ("c0", 60, 0)
    assert renewed.acquire_time == made.acquire_time
    assert renewed.renew_time is not None
    assert made.renew_time is not None
    assert renewed.renew_time - made.renew_time == 30 * SECOND
    assert renewed.lease_transitions == 0


@pytest.mark.parametrize("skew", [timedelta(0), timedelta(hours=1), timedelta(hours=-1)])
async def test_clocks_that_differ_make_no_second_leader(cluster: Cluster, skew: timedelta) -> None:
    async with candidates(cluster, timedelta(0), skew) as (_, (first, second)):
        await pass_time(200, first, second)

        assert first.leads
        assert second.times == 0


async def test_a_leader_that_stops_lets_the_next_one_in_at_once(cluster: Cluster) -> None:
    async with candidates(cluster, timedelta(0), timedelta(0)) as (client, (first, second)):
        await pass_time(2, first, second)
        await first.stop()
        released = (await lease(client, cluster)).spec
        await pass_time(20, second)
        await second.until(leads=True)
        taken = (await lease(client, cluster)).spec

    assert not released.holder_identity
    assert released.lease_duration_seconds == 1
    assert (taken.holder_identity, taken.lease_transitions) == ("c1", 1)


async def test_a_leader_that_dies_is_followed_after_the_lease_duration(cluster: Cluster) -> None:
    async with candidates(cluster, timedelta(0), timedelta(0)) as (_, (_, second)):
        # The first one's clock stands still: it renews nothing any more.
        await pass_time(59, second)
        assert not second.leads
        await pass_time(25, second)
        await second.until(leads=True)


async def test_a_leader_that_cannot_renew_stops_before_others_may_start(cluster: Cluster) -> None:
    async with candidates(cluster, timedelta(0)) as (client, (first,)):
        nowhere = KubeClient(Connection(server="http://127.0.0.1:1"), first.clock)
        first.elector._client = nowhere
        await pass_time(39, first)
        assert first.leads
        await pass_time(1, first)
        await first.until(leads=False)
        assert not first.elector.is_leader

        async with asyncio.timeout(20):
            await first.task
        await nowhere.close()

        assert (await lease(client, cluster)).spec.holder_identity == "c0"


async def test_a_lease_that_somebody_took_is_given_up(cluster: Cluster) -> None:
    async with candidates(cluster, timedelta(0)) as (client, (first,)):
        stolen = {"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 60}}
        await client.merge_patch(LEASE, ObjectKey(cluster.namespace, "cert-manager-controller"), stolen)  # type: ignore[arg-type]
        await pass_time(15, first)
        await first.until(leads=False)

        assert (await lease(client, cluster)).spec.holder_identity == "thief"


async def test_what_we_lead_may_end_by_itself(cluster: Cluster) -> None:
    async with candidates(cluster, timedelta(0)) as (client, (first,)):
        first.end.set()
        async with asyncio.timeout(20):
            await first.task

        assert not (await lease(client, cluster)).spec.holder_identity


def test_durations_that_cannot_work_are_refused(tmp_path: Path) -> None:
    options = ElectorOptions(namespace="n", identity="i", renew_deadline=timedelta(seconds=70))
    client = KubeClient(Connection(server="http://127.0.0.1:1"), MovableClock())

    with pytest.raises(ValueError, match="lease duration must be longer"):
        Elector(client, MovableClock(), options)
