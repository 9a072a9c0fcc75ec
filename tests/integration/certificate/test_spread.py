"""Renewals that would all come at one second are spread, and what was told before holds."""

from __future__ import annotations

from datetime import timedelta

from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, controllers, movable_now

from certwright.rules.renewal_time import USUAL_SPREAD

NAMES = [f"one-of-{number}" for number in range(6)]
LEAD = timedelta(hours=8)
EARLIEST = USUAL_SPREAD * LEAD


async def test_certificates_of_one_second_are_renewed_at_different_ones(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock, renewal_spread=USUAL_SPREAD):
        for name in NAMES:
            await user.certificate(name, {"duration": "24h"})
        made = [await user.until(name) for name in NAMES]
        times = {each.metadata.name: each.status.renewal_time for each in made}
        exact = clock.now() + 2 * LEAD
        assert len(set(times.values())) > 1
        assert all(when is not None and exact - EARLIEST <= when <= exact for when in times.values())

        first = min(when for when in times.values() if when is not None)
        await clock.run_for(first - clock.now() - timedelta(seconds=1))
        assert {(await user.get(name)).status.revision for name in NAMES} == {1}
        await clock.run_for(timedelta(seconds=1))
        for name, when in times.items():
            if when == first:
                await user.until(name, revision=2)
        await clock.run_for(exact - clock.now())
        for name in NAMES:
            await user.until(name, revision=2)


async def test_what_was_told_exactly_holds_until_the_next_issuance(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock) as running:
        for name in NAMES:
            await user.certificate(name, {"duration": "24h"})
        exact = {(await user.until(name)).status.renewal_time for name in NAMES}
        assert exact == {clock.now() + 2 * LEAD}
        await user.calm(running)
    before = cluster.writes(agent(cluster))

    async with controllers(cluster, clock, renewal_spread=USUAL_SPREAD):
        await clock.run_for(2 * LEAD - timedelta(seconds=1))
        assert cluster.writes(agent(cluster)) == before
        await clock.run_for(timedelta(seconds=1))
        made = [await user.until(name, revision=2) for name in NAMES]

    assert len({each.status.renewal_time for each in made}) > 1
