"""The three manifests of 2018, unmodified, from kubectl to a verified Secret: legacy acceptance checks 2 to 7."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import dns.message
import dns.rcode
import pytest
from tests import judges
from tests.cluster import Cluster
from tests.integration.main_job.rig import CERTIFICATES, SEED, World, world_of_2018

ISSUERS = "clusterissuers.certmanager.k8s.io"

pytestmark = [
    pytest.mark.needs("kubectl", "pebble", "openssl"),
    pytest.mark.skipif(not SEED.exists(), reason="absent: the seed manifests"),
]


@pytest.fixture
async def world(cluster: Cluster, tmp_path: Path) -> AsyncIterator[World]:
    async with world_of_2018(cluster, tmp_path) as found:
        yield found


def collapsed(text: str) -> str:
    """White space made single, as the acceptance checks compare."""
    return re.sub(r"\s+", " ", text)


async def test_the_post_of_2018_works_to_the_letter(world: World, tmp_path: Path) -> None:
    await _check_2_created(world)
    await world.kubectl("wait", "--for=condition=Ready", f"{ISSUERS}/cert-demo", "--timeout=50s")
    await _check_3_issuer_described(world)
    await _check_4_account_key(world)
    assert "demo-certi created" in await world.kubectl("apply", "-f", str(SEED / "certificate.yml"))
    await _check_6_ready(world)
    await _check_5_events(world)
    await _check_7_secret(world, tmp_path)


async def _check_2_created(world: World) -> None:
    created = await world.kubectl("-n", "kube-system", "create", "-f", str(SEED / "secret.yml"))
    assert created == "secret/cloudflare created\n"
    created = await world.kubectl("create", "-f", str(SEED / "clusterissuer.yml"))
    assert created == "clusterissuer.certmanager.k8s.io/cert-demo created\n"
    assert await world.kubectl("get", ISSUERS, "cert-demo", "-o", "jsonpath=[{.metadata.namespace}]") == "[]"


async def _check_3_issuer_described(world: World) -> None:
    wanted = [
        "Acme: Uri: https://",
        "Message: The ACME account was registered with the ACME server",
        "Reason: ACMEAccountRegistered",
        "Status: True",
        "Type: Ready",
    ]
    for name in ("clusterissuer/cert-demo", f"{ISSUERS}/cert-demo"):
        text = await world.kubectl("describe", name)
        flat = collapsed(text)
        for fragment in wanted:
            assert fragment in flat, f"{name} lacks {fragment}:\n{text}"
        assert flat.rstrip().endswith("Events: <none>"), text
        after = text.partition("Last Transition Time:")[2].splitlines()[1:5]
        assert [line.split(":")[0].strip() for line in after] == ["Message", "Reason", "Status", "Type"], text


async def _check_4_account_key(world: World) -> None:
    key = await world.kubectl("-n", "kube-system", "get", "secret", "cert-demo", "-o", r"jsonpath={.data.tls\.key}")
    assert base64.b64decode(key).splitlines()[0] == b"-----BEGIN RSA PRIVATE KEY-----"
    absent = world.cluster.kubectl("-n", "default", "get", "secret", "cert-demo")
    assert absent.returncode != 0
    assert "Error from server (NotFound)" in absent.stderr


async def _check_5_events(world: World) -> None:
    for name in ("certificate/demo-certi", f"{CERTIFICATES}/demo-certi"):
        text = await world.kubectl("describe", name)
        events = text.partition("Events:")[2]
        wanted = [
            ("CreateOrder", "Created new ACME order, attempting validation..."),
            ("DomainVerified", 'Domain "test.hwchiu.com" verified with "dns-01" validation'),
            ("IssueCert", "Issuing certificate..."),
            ("CertObtained", "Obtained certificate from ACME server"),
            ("CertIssued", "Certificate issued successfully"),
        ]
        lines = [re.split(r"\s{2,}", line.strip(), maxsplit=4) for line in events.splitlines()[3:] if line.strip()]
        assert all(line[0] == "Normal" for line in lines), text
        found = [(line[1], line[4]) for line in lines if line[3] == "cert-manager"]
        assert [each for each in found if each in wanted] == wanted, text


async def _check_6_ready(world: World) -> None:
    waited = await world.kubectl("wait", "--for=condition=Ready", f"{CERTIFICATES}/demo-certi", "--timeout=50s")
    assert waited == "certificate.certmanager.k8s.io/demo-certi condition met\n"
    ready = "{.status.conditions[?(@.type=='Ready')]"
    path = f"jsonpath={ready}.reason}}|{ready}.message}}"
    assert await world.kubectl("get", CERTIFICATES, "demo-certi", "-o", path) == (
        "CertIssued|Certificate issued successfully"
    )


async def _check_7_secret(world: World, folder: Path) -> None:
    path = (
        r"jsonpath={.type} {.metadata.labels.certmanager\.k8s\.io/certificate-name} "
        r"{.metadata.annotations.certmanager\.k8s\.io/issuer-kind} "
        r"{.metadata.annotations.certmanager\.k8s\.io/alt-names}"
    )
    facts = await world.kubectl("get", "secret", "demo-certi-tls", "-o", path)
    assert facts == "kubernetes.io/tls demo-certi ClusterIssuer test.hwchiu.com"
    chain, key = folder / "tls.crt", folder / "tls.key"
    for file, field in ((chain, r"tls\.crt"), (key, r"tls\.key")):
        value = await world.kubectl("get", "secret", "demo-certi-tls", "-o", f"jsonpath={{.data.{field}}}")
        file.write_bytes(base64.b64decode(value))
    root = folder / "root.pem"
    root.write_bytes(world.pebble.root())
    assert "DNS:test.hwchiu.com" in _openssl("x509", "-in", str(chain), "-noout", "-ext", "subjectAltName")
    _openssl("verify", "-CAfile", str(root), "-untrusted", str(chain), str(chain))
    of_key = _openssl("pkey", "-in", str(key), "-pubout")
    assert of_key == _openssl("x509", "-in", str(chain), "-noout", "-pubkey")
    _check_cloudflare(world)


def _check_cloudflare(world: World) -> None:
    # The stand-in answers only to X-Auth-Email and X-Auth-Key of its account, so an accepted call carried both.
    verbs = [call.method for call in world.cloudflare.calls if "/dns_records" in call.path]
    assert "POST" in verbs
    assert "DELETE" in verbs
    query = dns.message.make_query("_acme-challenge.test.hwchiu.com.", "TXT")
    assert world.dns.answer(query).rcode() == dns.rcode.NXDOMAIN


def _openssl(*args: str) -> str:
    done = subprocess.run(
        [str(judges.require("openssl")), *args], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
