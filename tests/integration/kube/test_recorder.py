"""Events on an API server."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from tests.clock import START, MovableClock
from tests.cluster import Cluster
from tests.integration.wiring import background, client_of
from tests.kubernetes.eventually import eventually

from certwright.api.core import Event, InvolvedObject
from certwright.api.core_kinds import EVENT, NAMESPACE
from certwright.clock import SystemClock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.runtime.recorder import Recorder, RecorderOptions
from certwright.kube.wire.keys import ObjectKey

COMPONENT = "cert-manager-certificates-trigger"


def about(cluster: Cluster, name: str = "web") -> InvolvedObject:
    return InvolvedObject(
        kind="Certificate",
        namespace=cluster.namespace,
        name=name,
        uid=f"uid-of-{name}",
        api_version="cert-manager.io/v1",
        resource_version="7",
    )


async def events(client: KubeClient, cluster: Cluster) -> list[Event]:
    found = await client.list(EVENT, Selection(namespace=cluster.namespace))
    return sorted(found.items, key=lambda each: int(each.metadata.resource_version))


async def written(client: KubeClient, cluster: Cluster, holds: Callable[[list[Event]], bool]) -> list[Event]:
    """The events, once they are as asked for."""

    async def look() -> list[Event] | None:
        found = await events(client, cluster)
        return found if holds(found) else None

    return await eventually(look)


async def test_an_event_as_client_go_writes_it(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        recorder = Recorder(client, MovableClock())
        async with background(recorder.run()):
            recorder.record(about(cluster), "Normal", "Issuing", "Issuing certificate", COMPONENT)
            await recorder.flush()
        (event,) = await events(client, cluster)

    assert re.fullmatch(r"web\.[0-9a-f]{16}", event.metadata.name)
    assert (event.type, event.reason, event.message, event.count) == ("Normal", "Issuing", "Issuing certificate", 1)
    assert event.involved_object == about(cluster)
    assert event.source is not None
    assert event.source.component == event.reporting_component == COMPONENT
    assert event.first_timestamp == event.last_timestamp == START


async def test_repeats_count_up_and_order_is_kept(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        recorder = Recorder(client, SystemClock())
        for number in range(5):
            recorder.record(about(cluster), "Normal", f"Step{number}", "m", COMPONENT)
            recorder.record(about(cluster), "Warning", "Failed", "again", COMPONENT)
        async with background(recorder.run()):
            found = await written(client, cluster, lambda all_: any(each.count == 5 for each in all_))
            await recorder.flush()

    assert [each.reason for each in found] == [*(f"Step{number}" for number in range(5)), "Failed"]
    assert len({each.metadata.name for each in found}) == 6


async def test_a_repeat_of_an_event_that_is_gone_is_a_new_one(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        recorder = Recorder(client, SystemClock())
        async with background(recorder.run()):
            recorder.record(about(cluster), "Normal", "Issuing", "m", COMPONENT)
            (first,) = await written(client, cluster, lambda all_: len(all_) == 1)
            await client.delete(EVENT, ObjectKey(cluster.namespace, first.metadata.name))
            recorder.record(about(cluster), "Normal", "Issuing", "m", COMPONENT)
            await recorder.flush()
        (second,) = await events(client, cluster)

    assert second.count == 1
    assert second.metadata.name != first.metadata.name


async def test_too_many_alike_become_one(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        recorder = Recorder(client, SystemClock())
        async with background(recorder.run()):
            for number in range(15):
                recorder.record(about(cluster), "Warning", "Failed", f"attempt {number}", COMPONENT)
            await recorder.flush()
        found = await events(client, cluster)

    assert len(found) == 11
    assert found[-1].message == "(combined from similar events): attempt 14"
    assert found[-1].count == 5


async def test_exactly_once_also_by_another_process(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        for recorder in (Recorder(client, SystemClock()), Recorder(client, SystemClock())):
            for identity in ("order-1", "order-1", "order-2"):
                await recorder.record_once(about(cluster), "Normal", "CreateOrder", "m", "cert-manager", identity)
        found = await events(client, cluster)

    assert len(found) == 2
    assert all(re.fullmatch(r"web\.[0-9a-f]{16}", each.metadata.name) for each in found)


async def test_events_of_cluster_scoped_objects_are_in_default(cluster: Cluster) -> None:
    who = InvolvedObject(kind="ClusterIssuer", name=f"issuer-of-{cluster.namespace}", uid="u")
    async with client_of(cluster) as client:
        await Recorder(client, SystemClock()).record_once(who, "Normal", "Ready", "m", COMPONENT, "i")
        found = await client.list(EVENT, Selection(namespace="default", fields=f"involvedObject.name={who.name}"))

    assert len(found.items) == 1


async def test_an_ending_namespace_takes_no_events_and_nobody_minds(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(cluster) as client:
        name = f"{cluster.namespace}-ending"
        held = {"name": name, "finalizers": ["example.com/held"]}
        await client.create(NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": held})  # type: ignore[dict-item]
        await client.delete(NAMESPACE, ObjectKey("", name))
        recorder = Recorder(client, SystemClock())
        for where in (name, f"{cluster.namespace}-absent"):
            who = InvolvedObject(kind="Certificate", namespace=where, name="web", uid=where)
            recorder.record(who, "Normal", "Issuing", "m", COMPONENT)
            await recorder.record_once(who, "Normal", "Issuing", "m", COMPONENT, "i")
        async with background(recorder.run()):
            await recorder.flush()
        await client.merge_patch(NAMESPACE, ObjectKey("", name), {"metadata": {"finalizers": None}})

    assert not caplog.records


async def test_a_full_queue_costs_the_oldest_events_only(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    async with client_of(cluster) as client:
        recorder = Recorder(client, SystemClock(), RecorderOptions(most_waiting=5))
        for number in range(8):
            recorder.record(about(cluster, f"web-{number}"), "Normal", "Issuing", "m", COMPONENT)
        async with background(recorder.run()):
            await recorder.flush()
        found = await events(client, cluster)

    assert {each.involved_object.name for each in found} == {f"web-{number}" for number in range(3, 8)}
    assert len(caplog.records) == 1


async def test_flush_does_not_wait_for_ever(cluster: Cluster) -> None:
    clock = MovableClock()
    async with client_of(cluster, clock) as client:
        recorder = Recorder(client, clock)
        recorder.record(about(cluster), "Normal", "Issuing", "m", COMPONENT)
        async with background(recorder.flush()):
            await clock.run_for(RecorderOptions().flush)
            assert clock.pending == 0
