"""Several names, several named providers: each name is proved by the one that the Certificate says (acceptance 9)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
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

MANY = f"{CERTIFICATES}/many"
NAMES = ["*.example.com", "example.com", "foo.com"]


@pytest.fixture
async def world(cluster: Cluster, tmp_path: Path) -> AsyncIterator[World]:
    async with main_job_world(cluster, tmp_path) as found:
        yield found


async def an_issuer(world: World) -> None:
    """Provider p1 has the right key, p2 too, and p3 a wrong one."""
    for name, key in (("one", API_KEY), ("two", API_KEY), ("three", "no key of this account")):
        await world.kubectl("create", "secret", "generic", name, f"--from-literal=api={key}")
    providers = [cloudflare("p3", "three"), cloudflare("p1", "one"), cloudflare("p2", "two")]
    await an_acme_issuer(world, "many", {"dns01": {"providers": providers}})


def spec(provider_of_foo: str) -> Plain:
    config = [
        {"domains": NAMES[:2], "dns01": {"provider": "p1"}},
        {"domains": NAMES[2:], "dns01": {"provider": provider_of_foo}},
        {"domains": NAMES, "dns01": {"provider": "p3"}},
    ]
    ref = {"name": "many", "kind": "Issuer"}
    return {"secretName": "many-tls", "issuerRef": ref, "dnsNames": NAMES, "acme": {"config": config}}


async def test_each_name_is_proved_by_its_provider_and_the_first_entry_wins(world: World) -> None:
    await an_issuer(world)
    await world.create("Certificate", "many", spec("p2"))
    await world.kubectl("wait", "--for=condition=Ready", MANY, "--timeout=55s")

    events = await world.told(MANY)

    verified = sorted(message for reason, message in events if reason == "DomainVerified")
    assert verified == [
        'Domain "example.com" verified with "dns-01" validation',
        'Domain "example.com" verified with "dns-01" validation',
        'Domain "foo.com" verified with "dns-01" validation',
    ]
    order = [reason for reason, _ in events]
    assert order == ["CreateOrder", *["DomainVerified"] * 3, "IssueCert", "CertObtained", "CertIssued"]
    value = await world.kubectl("get", "secret", "many-tls", "-o", r"jsonpath={.data.tls\.crt}")
    leaf = x509.load_pem_x509_certificate(base64.b64decode(value))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == set(NAMES)
    await _says_nothing_twice(world, events)


async def _says_nothing_twice(world: World, events: list[tuple[str, str]]) -> None:
    """A controller that starts anew finds everything told and written."""
    before = await world.kubectl("get", MANY, "-o", "jsonpath={.metadata.resourceVersion}")
    await world.restart()
    await world.everything_was_seen()

    assert await world.told(MANY) == events
    after = await world.kubectl("get", MANY, "-o", "jsonpath={.metadata.resourceVersion}")
    assert after == before


async def test_an_unknown_provider_is_told_and_nothing_is_ordered(world: World) -> None:
    await an_issuer(world)
    await world.create("Certificate", "many", spec("p9"))
    await world.ready(MANY, "ValidateError")

    message = await world.kubectl("get", MANY, "-o", "jsonpath={.status.conditions[0].message}")
    assert message == 'issuer does not contain DNS01 configuration for provider named "p9"'
    assert await world.told(MANY) == []
    assert await world.names(ORDERS) == []
