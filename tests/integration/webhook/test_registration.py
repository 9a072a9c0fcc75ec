"""What the registration says: whom the webhook is for, and what happens while it is down."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
from msgspec.structs import replace
from tests.cluster import Cluster
from tests.integration.policies.rig import certificate_request, requests_of
from tests.integration.webhook.rig import FOLDER, Guarded, ca_bundle, options_for, registered
from tests.kubernetes.eventually import eventually
from tests.unit.webhook.questions import CERTIFICATE

from certwright.app.webhook import FromFiles, webhook_running
from certwright.clock import SystemClock

BAD = {**CERTIFICATE, "ipAddresses": ["10.0.0.256"]}


async def test_a_namespace_with_the_label_is_left_out(guarded: Guarded) -> None:
    namespace = f"/api/v1/namespaces/{guarded.namespace}"
    before = await guarded.create("certificates", BAD, dryRun="All")

    await guarded.cluster.http.patch(
        namespace, {"metadata": {"labels": {"cert-manager.io/disable-validation": "true"}}}
    )

    async def is_left_out() -> bool:
        return (await guarded.create("certificates", BAD, dryRun="All")).code == 201

    assert before.code == 403
    await eventually(is_left_out)
    # Identities are filled in there too.
    made = await guarded.cluster.http.post(
        requests_of(guarded.namespace), certificate_request("a", username="eve"), dryRun="All"
    )
    assert made.ok["spec"]["username"] == "admin"


async def test_while_it_is_down_writes_are_refused_and_reads_and_deletes_are_not(cluster: Cluster) -> None:
    await cluster.install_crds()
    http, path = cluster.http, requests_of(cluster.namespace)
    certificates = f"/apis/cert-manager.io/v1/namespaces/{cluster.namespace}/certificates"
    async with asyncio.timeout(60), webhook_running(options_for(cluster), SystemClock()) as running:
        bundle = await eventually(lambda: ca_bundle(cluster))
        guard = registered(cluster, running.port, bundle)
        await guard.__aenter__()
        await http.post(path, certificate_request("a"))
    try:
        body = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": "b"},
            "spec": CERTIFICATE,
        }
        created = await http.post(certificates, body)
        requested = await http.post(path, certificate_request("b"))
        changed = await http.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}})
        read, deleted = await http.get(f"{path}/a"), await http.delete(f"{path}/a")
    finally:
        await guard.__aexit__(None, None, None)

    for refused in (created, requested, changed):
        assert refused.code == 500
        assert 'failed calling webhook "webhook.cert-manager.io"' in refused.body["message"]
    assert (read.code, deleted.code) == (200, 200)


async def test_health_metrics_and_the_files_of_the_registration(guarded: Guarded) -> None:
    async with aiohttp.ClientSession() as session:
        for port, path, words in (
            (guarded.running.healthz_port, "/healthz", "healthz check passed"),
            (guarded.running.healthz_port, "/livez", "livez check passed"),
            (guarded.running.metrics_port, "/metrics", "process_cpu_seconds_total"),
        ):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                assert answer.status == 200
                assert words in await answer.text()
    assert sorted(file.name for file in FOLDER.iterdir()) == ["access.yaml", "mutating.yaml", "validating.yaml"]


async def test_health_while_there_is_no_certificate(cluster: Cluster) -> None:
    folder = cluster.kubeconfig.parent
    options = replace(options_for(cluster), serving=FromFiles(folder / "none.crt", folder / "none.key"))
    async with webhook_running(options, SystemClock()) as running, aiohttp.ClientSession() as session:

        async def status(path: str) -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{running.healthz_port}{path}") as answer:
                return answer.status, await answer.text()

        async def says_why() -> bool:
            return "none.crt cannot be read" in (await status("/healthz"))[1]

        await eventually(says_why, timedelta(seconds=5))
        assert (await status("/healthz"))[0] == 500
        assert (await status("/livez"))[0] == 200
