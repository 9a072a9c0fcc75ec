"""Self-signed issuer, CA, leaf, and the leaf's renewal after a minute of the wall's: legacy acceptance check 11."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from tests.cluster import Cluster
from tests.integration.main_job.rig import CERTIFICATES, ISSUERS, Plain, World, main_job_world

pytestmark = [pytest.mark.needs("kubectl", "pebble"), pytest.mark.long]

NORMAL = ("Normal", "cert-manager")
LEAF = f"{CERTIFICATES}/leaf"
ROOT: Plain = {"secretName": "root-tls", "issuerRef": {"name": "selfsigned"}, "commonName": "root", "isCA": True}
SPEC: Plain = {
    "secretName": "leaf-tls",
    "issuerRef": {"name": "ca", "kind": "Issuer"},
    "dnsNames": ["leaf.example.com"],
    "duration": "1h",
    "renewBefore": "59m",
}
TOLD = [
    ("IssueCert", "Issuing certificate..."),
    ("CertIssued", "Certificate issued successfully"),
    ("RenewCert", "Renewing certificate..."),
    ("CertRenewed", "Certificate renewed successfully"),
]


@pytest.fixture
async def world(cluster: Cluster, tmp_path: Path) -> AsyncIterator[World]:
    async with main_job_world(cluster, tmp_path) as found:
        yield found


async def leaf(world: World) -> x509.Certificate:
    value = await world.kubectl("get", "secret", "leaf-tls", "-o", r"jsonpath={.data.tls\.crt}")
    return x509.load_pem_x509_certificate(base64.b64decode(value))


async def described(world: World, name: str) -> list[tuple[str, str]]:
    """Reason and message of the events that kubectl shows, from top to bottom."""
    text = await world.kubectl("describe", name)
    lines = text.partition("Events:")[2].splitlines()[3:]
    found = [re.split(r"\s{2,}", line.strip(), maxsplit=4) for line in lines if line.strip()]
    return [(reason, message) for kind, reason, _, source, message in found if (kind, source) == NORMAL]


async def test_a_leaf_is_renewed_after_a_minute(world: World) -> None:
    await world.create("Issuer", "selfsigned", {"selfsigned": {}})
    await world.create("Certificate", "root", ROOT)
    await world.create("Issuer", "ca", {"ca": {"secretName": "root-tls"}})
    await world.ready(f"{ISSUERS}/ca", "KeyPairVerified")
    await world.create("Certificate", "leaf", SPEC)
    await world.ready(LEAF, "CertIssued")
    first = await leaf(world)
    assert await described(world, LEAF) == TOLD[:2]
    assert ("KeyPairVerified", "Signing CA verified") in await described(world, f"{ISSUERS}/ca")

    await _renewed(world)

    second = await leaf(world)
    assert await described(world, LEAF) == TOLD
    assert second.serial_number != first.serial_number
    assert second.public_key() == first.public_key()
    organizations = second.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [each.value for each in organizations] == ["cert-manager"]


async def _renewed(world: World) -> None:
    """kubectl of the rig waits for less than a minute at once."""
    path = "{.status.conditions[?(@.type=='Ready')].reason}"
    wait = ("wait", f"--for=jsonpath={path}=CertRenewed", LEAF, "--timeout=50s")
    if (await asyncio.to_thread(world.cluster.kubectl, *wait)).returncode:
        await world.kubectl(*wait)
