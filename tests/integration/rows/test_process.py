"""The controller process: metrics of its objects, health, its Lease, and a choice of controllers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.cluster import Cluster
from tests.controller_process import ControllerProcess
from tests.integration.certificate.rig import User, condition_of
from tests.integration.certificate.test_requests import ask
from tests.integration.certificate.test_requests import until as until_request
from tests.integration.rows.test_issuers import until_issuer
from tests.kubernetes.eventually import eventually
from tests.kubernetes.processes import free_ports

from certwright.api.core_kinds import LEASE
from certwright.api.kinds import CERTIFICATE
from certwright.kube.wire.keys import ObjectKey


@pytest.fixture
def ports() -> list[int]:
    """For metrics and for health."""
    return free_ports(2)


@pytest.fixture
async def process(cluster: Cluster, user: User, tmp_path: Path, ports: list[int]) -> AsyncIterator[ControllerProcess]:
    """It leads in the test's namespace."""
    flags = [
        f"--namespace={user.namespace}",
        "--leader-elect=true",
        f"--leader-election-namespace={user.namespace}",
        f"--metrics-listen-address=127.0.0.1:{ports[0]}",
        f"--internal-healthz-listen-address=127.0.0.1:{ports[1]}",
    ]
    found = ControllerProcess(tmp_path, cluster.kubeconfig, flags)
    await asyncio.to_thread(found.start)
    yield found
    await asyncio.to_thread(found.stop)


async def page(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_metrics_health_and_lease(user: User, process: ControllerProcess, ports: list[int]) -> None:
    await user.self_signed_issuer()
    await user.certificate("web")
    await user.until("web")
    labels = f'issuer_group="",issuer_kind="",issuer_name="selfsigned",name="web",namespace="{user.namespace}"'
    ready = f'certmanager_certificate_ready_status{{condition="True",{labels}}} 1.0'
    issuer = f'certmanager_issuer_ready_status{{condition="True",name="selfsigned",namespace="{user.namespace}"}} 1.0'

    _, text = await page(ports[0], "/metrics")
    lease = await user.client.get(LEASE, ObjectKey(user.namespace, "cert-manager-controller"))
    health = await page(ports[1], "/livez")
    await user.client.delete(CERTIFICATE, user.key("web"))

    async def vanished() -> bool:
        return 'name="web"' not in (await page(ports[0], "/metrics"))[1]

    await eventually(vanished)
    await asyncio.to_thread(process.stop)
    after = await user.client.get(LEASE, ObjectKey(user.namespace, "cert-manager-controller"))

    assert ready in text.splitlines()
    assert issuer in text.splitlines()
    for name in ("not_after", "not_before", "renewal", "expiration"):
        assert f"certmanager_certificate_{name}_timestamp_seconds{{{labels}}}" in text
    for name in ("certmanager_clock_time_seconds_gauge", "process_resident_memory_bytes", "process_cpu_seconds_total"):
        assert f"\n{name} " in text
    assert 'certmanager_controller_sync_call_count{controller="issuers"}' in text
    assert (lease.spec.holder_identity or "").endswith("-external-cert-manager-controller")
    assert health == (200, "[+]clockHealth ok\n[+]leaderElection ok\nlivez check passed\n")
    assert not after.spec.holder_identity


STEPS = ("trigger", "issuing", "key-manager", "request-manager", "readiness", "revision-manager", "metrics")


async def test_only_the_controllers_that_were_chosen_work(cluster: Cluster, user: User, tmp_path: Path) -> None:
    chosen = ",".join(["*", *(f"-certificates-{step}" for step in STEPS)])
    process = ControllerProcess(
        tmp_path, cluster.kubeconfig, [f"--namespace={user.namespace}", f"--controllers={chosen}"]
    )
    await user.certificate("web")
    await user.ca_issuer("ca", "web")
    await asyncio.to_thread(process.start)
    try:
        await until_issuer(user, "ca", "ErrGetKeyPair")
        await ask(user, "direct")
        await until_request(user, "direct", "False", "Pending")
        assert condition_of(await user.get("web"), "Ready") is None
        assert [each.metadata.name for each in await user.requests()] == ["direct"]
    finally:
        await asyncio.to_thread(process.stop)
