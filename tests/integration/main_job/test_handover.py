"""From the 2018 Certificate to the modern one of its name: legacy acceptance check 12."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from tests.cluster import Cluster
from tests.integration.main_job.rig import CERTIFICATES, ORDERS, SEED, Plain, World, world_of_2018
from tests.kubernetes.eventually import eventually

pytestmark = [
    pytest.mark.needs("kubectl", "pebble"),
    pytest.mark.skipif(not SEED.exists(), reason="absent: the seed manifests"),
]

LEGACY, MODERN = f"{CERTIFICATES}/demo-certi", "certificates.cert-manager.io/demo-certi"
REQUESTS = "certificaterequests.cert-manager.io"
READY = "jsonpath={.status.conditions[?(@.type=='Ready')].reason}"


@pytest.fixture
async def world(cluster: Cluster, tmp_path: Path) -> AsyncIterator[World]:
    async with world_of_2018(cluster, tmp_path) as found:
        yield found


def modern(name: str) -> str:
    spec: Plain = {
        "secretName": "demo-certi-tls",
        "dnsNames": ["test.hwchiu.com"],
        "issuerRef": {"name": "cert-demo", "kind": "ClusterIssuer"},
    }
    body = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name}, "spec": spec}
    return json.dumps(body)


async def issued(world: World) -> None:
    await world.kubectl("-n", "kube-system", "create", "-f", str(SEED / "secret.yml"))
    await world.kubectl("create", "-f", str(SEED / "clusterissuer.yml"))
    await world.kubectl("apply", "-f", str(SEED / "certificate.yml"))
    await world.kubectl("wait", "--for=condition=Ready", LEGACY, "--timeout=55s")


async def serial(world: World) -> int:
    value = await world.kubectl("get", "secret", "demo-certi-tls", "-o", r"jsonpath={.data.tls\.crt}")
    return x509.load_pem_x509_certificate(base64.b64decode(value)).serial_number


async def reasons(world: World) -> list[str]:
    return [reason for reason, _ in await world.told(LEGACY)]


async def test_the_modern_certificate_of_the_same_name_takes_over(world: World) -> None:
    await issued(world)
    before, orders, told = await serial(world), await world.names(ORDERS), await reasons(world)

    await world.kubectl("apply", "-f", "-", stdin=modern("demo-certi"))
    await world.ready("certificate/demo-certi", "Ready")
    await eventually(lambda: _superseded(world))
    await world.everything_was_seen()

    assert await world.kubectl("get", "certificate", "demo-certi", "-o", READY) == "Ready"
    assert await serial(world) == before
    assert await world.names(ORDERS) == orders
    assert await reasons(world) == [*told, "Superseded"]
    assert await world.kubectl("get", LEGACY, "-o", READY) == "CertIssued"

    await world.kubectl("delete", LEGACY)
    await eventually(lambda: _collected(world))
    await world.restart()
    await world.everything_was_seen()

    assert await world.kubectl("get", MODERN, "-o", READY) == "Ready"
    assert await serial(world) == before
    assert await world.names(f"{REQUESTS},{ORDERS}") == []


async def _superseded(world: World) -> bool:
    return "Superseded" in await reasons(world)


async def _collected(world: World) -> bool:
    """What the legacy Certificate owned goes with it."""
    return await world.names(f"{REQUESTS},{ORDERS}") == []


async def test_certificates_of_other_names_stay_away_from_the_secret(world: World) -> None:
    await issued(world)
    before, made = await serial(world), await world.names(f"{REQUESTS},{ORDERS}")

    await world.kubectl("apply", "-f", "-", stdin=modern("second"))
    spec = json.loads(await world.kubectl("get", LEGACY, "-o", "json"))["spec"]
    await world.create("Certificate", "third", spec)
    await world.ready("certificates.cert-manager.io/second", "IncorrectCertificate")
    await world.ready(f"{CERTIFICATES}/third", "DuplicateSecretName")
    await world.restart()
    await world.everything_was_seen()

    for name in ("certificates.cert-manager.io/second", f"{CERTIFICATES}/third"):
        status = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
        assert await world.kubectl("get", name, "-o", status) == "False"
    assert await world.kubectl("get", LEGACY, "-o", READY) == "CertIssued"
    assert await serial(world) == before
    assert await world.names(f"{REQUESTS},{ORDERS}") == made
