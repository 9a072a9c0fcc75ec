"""`certwright webhook` as users run it."""

from __future__ import annotations

import asyncio
import base64
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.cluster import Cluster
from tests.controller_process import compiled_once
from tests.integration.webhook.rig import ca_bundle
from tests.kubernetes.eventually import eventually
from tests.kubernetes.processes import Process, free_ports
from tests.unit.webhook import tls
from tests.unit.webhook.questions import CERTIFICATE
from tests.unit.webhook.test_server import review


def command(cluster: Cluster, *flags: str) -> list[str]:
    return [
        *(sys.executable, "-m", "certwright", "webhook"),
        f"--kubeconfig={cluster.kubeconfig}",
        "--bind-address=127.0.0.1",
        "--metrics-listen-address=0",
        f"--dynamic-serving-ca-secret-namespace={cluster.namespace}",
        "--dynamic-serving-ca-secret-name=webhook-ca",
        "--dynamic-serving-dns-names=127.0.0.1",
        *flags,
    ]


@asynccontextmanager
async def running(cluster: Cluster, folder: Path, *flags: str) -> AsyncIterator[int]:
    """Its port, once it is healthy."""
    port, health = free_ports(2)
    environment = {**compiled_once(), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error"}
    log = folder / "webhook.log"
    line = command(cluster, f"--secure-port={port}", f"--healthz-port={health}", *flags)
    process = Process("certwright webhook", line, log, environment)
    try:
        process.wait_until(lambda: b"webhook is running" in log.read_bytes())
        async with aiohttp.ClientSession() as session:

            async def is_healthy() -> bool:
                async with session.get(f"http://127.0.0.1:{health}/healthz") as answer:
                    return answer.status == 200

            await eventually(is_healthy)
        yield port
    finally:
        process.stop()
    assert "Traceback" not in log.read_text()


async def bundle_of(cluster: Cluster) -> bytes:
    return base64.b64decode(await eventually(lambda: ca_bundle(cluster)))


async def test_it_answers_with_a_certificate_of_its_own_ca(cluster: Cluster, tmp_path: Path) -> None:
    async with running(cluster, tmp_path) as port:
        trust = tls.trusting_pem(await bundle_of(cluster))
        status, text = await tls.post(port, "/validate", review("certificates", CERTIFICATE), trust)

    assert (status, '"allowed":true' in text) == (200, True)
    assert b"stopped" in (tmp_path / "webhook.log").read_bytes()


async def test_it_demands_certificates_of_its_clients(cluster: Cluster, tmp_path: Path) -> None:
    client_ca = tls.new_ca()
    (tmp_path / "clients.crt").write_bytes(client_ca.cert_pem)
    flags = (
        "--enable-client-verification",
        f"--client-ca-path={tmp_path / 'clients.crt'}",
        "--client-subject-names=kube-apiserver",
    )
    body = review("certificates", CERTIFICATE)
    async with running(cluster, tmp_path, *flags) as port:
        bundle = await bundle_of(cluster)
        known, other = [
            await tls.post(port, "/validate", body, tls.trusting_pem(bundle, tls.client_pair(client_ca, name)))
            for name in ("kube-apiserver", "eve")
        ]
        with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
            await tls.post(port, "/validate", body, tls.trusting_pem(bundle))

    assert (known[0], other[0]) == (200, 403)


async def test_a_port_in_use_is_a_sentence(cluster: Cluster, tmp_path: Path) -> None:
    async with running(cluster, tmp_path) as port:
        line = command(cluster, f"--secure-port={port}", "--healthz-port=0")
        second = await asyncio.create_subprocess_exec(*line, stderr=asyncio.subprocess.PIPE, env=compiled_once())
        async with asyncio.timeout(60):
            _, said = await second.communicate()

    assert second.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in said.decode()
    assert b"Traceback" not in said
