"""Several names, several named providers: each name is proved by the one that the Certificate says (acceptance 9)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from tests.cluster import Cluster
from tests.integration.main_job.rig import API_KEY, EMAIL, World, main_job_world
from tests.servers.pebble import PebbleOptions

pytestmark = pytest.mark.needs("kubectl", "pebble")

Plain = dict[str, Any]  # JSON of an object
CERTIFICATES = "certificates.certmanager.k8s.io"
NAMES = ["*.example.com", "example.com", "foo.com"]


@pytest.fixture
async def world(cluster: Cluster, tmp_path: Path) -> AsyncIterator[World]:
    async with main_job_world(cluster, tmp_path, PebbleOptions()) as found:
        yield found


def legacy(kind: str, name: str, spec: Plain) -> str:
    api = "certmanager.k8s.io/v1alpha1"
    return json.dumps({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec})


def cloudflare(name: str, secret: str) -> Plain:
    return {"name": name, "cloudflare": {"email": EMAIL, "apiKeySecretRef": {"name": secret, "key": "api"}}}


async def an_issuer(world: World) -> None:
    """Provider p1 has the right key, p2 too, and p3 a wrong one."""
    for name, key in (("one", API_KEY), ("two", API_KEY), ("three", "no key of this account")):
        await world.kubectl("create", "secret", "generic", name, f"--from-literal=api={key}")
    acme: Plain = {
        "server": "https://acme-staging-v02.api.letsencrypt.org/directory",
        "privateKeySecretRef": {"name": "account"},
        "dns01": {"providers": [cloudflare("p3", "three"), cloudflare("p1", "one"), cloudflare("p2", "two")]},
    }
    await world.kubectl("create", "-f", "-", stdin=legacy("Issuer", "many", {"acme": acme}))
    await world.kubectl("wait", "--for=condition=Ready", "issuers.certmanager.k8s.io/many", "--timeout=50s")


def spec(provider_of_foo: str) -> Plain:
    config = [
        {"domains": NAMES[:2], "dns01": {"provider": "p1"}},
        {"domains": NAMES[2:], "dns01": {"provider": provider_of_foo}},
        {"domains": NAMES, "dns01": {"provider": "p3"}},
    ]
    ref = {"name": "many", "kind": "Issuer"}
    return {"secretName": "many-tls", "issuerRef": ref, "dnsNames": NAMES, "acme": {"config": config}}


async def told(world: World) -> list[tuple[str, str]]:
    """Reason and message of each event about the legacy Certificate."""
    uid = await world.kubectl("get", CERTIFICATES, "many", "-o", "jsonpath={.metadata.uid}")
    text = await world.kubectl("get", "events", f"--field-selector=involvedObject.uid={uid}", "-o", "json")
    events = sorted(json.loads(text)["items"], key=lambda event: str(event["lastTimestamp"]))
    return [(event["reason"], event["message"]) for event in events]


async def test_each_name_is_proved_by_its_provider_and_the_first_entry_wins(world: World) -> None:
    await an_issuer(world)
    await world.kubectl("create", "-f", "-", stdin=legacy("Certificate", "many", spec("p2")))
    await world.kubectl("wait", "--for=condition=Ready", f"{CERTIFICATES}/many", "--timeout=55s")

    events = await told(world)

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
    before = await world.kubectl("get", CERTIFICATES, "many", "-o", "jsonpath={.metadata.resourceVersion}")
    await asyncio.to_thread(world.controller.stop)
    await asyncio.to_thread(world.controller.start)
    # The Certificate was in the queue before this issuer.
    await world.kubectl("create", "-f", "-", stdin=legacy("Issuer", "later", {"selfSigned": {}}))
    await world.kubectl("wait", "--for=condition=Ready", "issuers.certmanager.k8s.io/later", "--timeout=50s")

    assert await told(world) == events
    after = await world.kubectl("get", CERTIFICATES, "many", "-o", "jsonpath={.metadata.resourceVersion}")
    assert after == before


async def test_an_unknown_provider_is_told_and_nothing_is_ordered(world: World) -> None:
    await an_issuer(world)
    await world.kubectl("create", "-f", "-", stdin=legacy("Certificate", "many", spec("p9")))
    ready = "jsonpath={.status.conditions[?(@.type=='Ready')].reason}"
    await world.kubectl("wait", f"--for={ready}=ValidateError", f"{CERTIFICATES}/many", "--timeout=20s")

    message = await world.kubectl("get", CERTIFICATES, "many", "-o", "jsonpath={.status.conditions[0].message}")
    assert message == 'issuer does not contain DNS01 configuration for provider named "p9"'
    assert await told(world) == []
    assert await world.kubectl("get", "orders.acme.cert-manager.io", "-o", "name") == ""
