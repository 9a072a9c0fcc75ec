"""The health of a leader; elections themselves are tried on an API server."""

from __future__ import annotations

from datetime import timedelta

from tests.clock import MovableClock

from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import Connection
from certwright.kube.runtime.elector import GRACE, Elector, ElectorOptions


async def test_a_leader_that_stopped_renewing_is_not_well() -> None:
    clock, options = MovableClock(), ElectorOptions(namespace="ns", identity="me")
    elector = Elector(KubeClient(Connection(server="http://127.0.0.1:1"), clock), clock, options)

    clock.advance(options.lease_duration + GRACE + timedelta(seconds=1))
    waiting = elector.health()
    elector.is_leader = True

    assert waiting == ""
    assert elector.health() == "Lease ns/cert-manager-controller was not renewed for 81 s"


async def test_a_lease_that_was_renewed_in_time_is_fine() -> None:
    clock, options = MovableClock(), ElectorOptions(namespace="ns", identity="me")
    elector = Elector(KubeClient(Connection(server="http://127.0.0.1:1"), clock), clock, options)

    clock.advance(options.lease_duration + GRACE)
    elector.is_leader = True

    assert elector.health() == ""
