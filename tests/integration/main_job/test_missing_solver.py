"""A name that no entry of `spec.acme.config` covers: legacy acceptance check 8."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cluster import Cluster
from tests.integration.main_job.rig import (
    API_KEY,
    CERTIFICATES,
    ORDERS,
    Plain,
    World,
    an_acme_issuer,
    cloudflare,
    main_job_world,
)

pytestmark = pytest.mark.needs("kubectl", "pebble")

NOCFG = f"{CERTIFICATES}/nocfg"
FIRST = "jsonpath={.status.conditions[0].reason}: {.status.conditions[0].message}"
REFUSED = (
    "ConfigError: Resource validation failed: spec.acme.config: Required value: "
    'no ACME solver configuration specified for domain "b.example.com"'
)


@pytest.fixture
async def world(cluster: Cluster, tmp_path: Path) -> AsyncIterator[World]:
    async with main_job_world(cluster, tmp_path) as found:
        yield found


def config(*domains: str) -> Plain:
    return {"domains": list(domains), "dns01": {"provider": "cf"}}


async def test_a_name_without_an_entry_is_told_and_the_entry_issues(world: World) -> None:
    await world.kubectl("create", "secret", "generic", "cloudflare", f"--from-literal=api={API_KEY}")
    await an_acme_issuer(world, "acme", {"dns01": {"providers": [cloudflare("cf", "cloudflare")]}})
    spec: Plain = {
        "secretName": "nocfg-tls",
        "issuerRef": {"name": "acme", "kind": "Issuer"},
        "dnsNames": ["a.example.com", "b.example.com"],
        "acme": {"config": [config("a.example.com")]},
    }
    await world.create("Certificate", "nocfg", spec)
    await world.ready(NOCFG, "ConfigError")
    await world.everything_was_seen()

    assert await world.kubectl("get", CERTIFICATES, "nocfg", "-o", FIRST) == REFUSED
    assert await world.names(ORDERS) == []
    assert await world.names("certificaterequests.cert-manager.io") == []
    assert await world.told(NOCFG) == []

    entry = [{"op": "add", "path": "/spec/acme/config/-", "value": config("b.example.com")}]
    await world.kubectl("patch", NOCFG, "--type=json", "-p", json.dumps(entry))
    await world.kubectl("wait", "--for=condition=Ready", NOCFG, "--timeout=55s")

    assert await world.kubectl("get", CERTIFICATES, "nocfg", "-o", FIRST) == (
        "CertIssued: Certificate issued successfully"
    )
    assert len(await world.names(ORDERS)) == 1
    verified = sorted(message for reason, message in await world.told(NOCFG) if reason == "DomainVerified")
    assert verified == [f'Domain "{name}.example.com" verified with "dns-01" validation' for name in "ab"]
