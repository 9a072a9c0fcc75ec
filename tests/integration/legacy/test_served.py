"""The legacy group may be absent, come later, or be served without mirrors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clock import MovableClock
from tests.cluster import ApiServerUnderTest, Cluster
from tests.integration.legacy.rig import MODERN, Rig, legacy_rig
from tests.kubernetes.embedded import EmbeddedServer
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

from certwright.clock import SystemClock
from certwright.cluster.legacy import LegacyCaches
from certwright.cluster.settings import Settings
from certwright.kube.client.client import KubeClient
from certwright.kube.client.kubeconfig import load_kubeconfig
from certwright.kube.wire.keys import ObjectKey

LEGACY_ISSUERS = "/apis/certmanager.k8s.io/v1alpha1/namespaces/default/issuers"


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A server without any definition."""
    server = EmbeddedServer(tmp_path)
    await asyncio.to_thread(server.start)
    api = ApiServerUnderTest(server, "embedded")
    async with Http(server.address, api.admin_trust) as http:
        yield Cluster(api, http, "default")
    await asyncio.to_thread(server.stop)


async def test_the_group_is_watched_as_soon_as_it_is_there(empty: Cluster) -> None:
    clock = MovableClock()
    client = KubeClient(load_kubeconfig([empty.kubeconfig]), SystemClock())
    caches = LegacyCaches(client, clock, Settings())
    running = asyncio.ensure_future(caches.run())
    await caches.synced()
    assert not caches.served

    await empty.install_crds()
    body = {"apiVersion": "certmanager.k8s.io/v1alpha1", "kind": "Issuer", "metadata": {"name": "i"}, "spec": {}}
    (await empty.http.post(LEGACY_ISSUERS, body)).ok  # noqa: B018 asserts success
    await clock.run_for(timedelta(minutes=1))
    await asyncio.wait_for(caches.until_served(), 20)
    await caches.synced()

    async def seen() -> bool:
        return caches.issuers.get(ObjectKey("default", "i")) is not None

    await eventually(seen)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await client.close()


@pytest.mark.needs("kubectl")
async def test_twins_of_a_time_with_mirrors_go_when_there_are_none(cluster: Cluster) -> None:
    async with legacy_rig(cluster) as rig:
        await rig.make("Issuer", "root", {"selfSigned": {}})
        await rig.ready("issuers", "root", "IsReady", MODERN)

    async with legacy_rig(cluster, "serve") as rig:
        await eventually(lambda: _is_gone(rig))

        await rig.ready("issuers", "root", "IsReady")


async def _is_gone(rig: Rig) -> bool:
    return await rig.get(MODERN, "issuers", "root") is None
