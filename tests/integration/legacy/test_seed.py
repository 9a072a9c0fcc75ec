"""The three manifests of 2018, unmodified, through kubectl: legacy acceptance check 2, and their twins."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.legacy.rig import MODERN, Rig
from tests.kubernetes.eventually import eventually

SEED = Path(__file__).resolve().parents[4] / "shared" / "seed"

pytestmark = [
    pytest.mark.needs("kubectl"),
    pytest.mark.skipif(not SEED.exists(), reason="absent: the seed manifests"),
]


async def test_they_are_created_and_mirrored(rig: Rig) -> None:
    await rig.kubectl("-n", "kube-system", "delete", "--ignore-not-found", "secret", "cloudflare")
    try:
        made = await rig.kubectl("-n", "kube-system", "create", "-f", str(SEED / "secret.yml"))
        assert made == "secret/cloudflare created\n"
        created = await rig.kubectl("create", "--validate=strict", "-f", str(SEED / "clusterissuer.yml"))
        assert created == "clusterissuer.certmanager.k8s.io/cert-demo created\n"
        created = await rig.kubectl("apply", "-f", str(SEED / "certificate.yml"))
        assert created == "certificate.certmanager.k8s.io/demo-certi created\n"
        namespace = await rig.kubectl(
            "get", "clusterissuers.certmanager.k8s.io", "cert-demo", "-o", "jsonpath=[{.metadata.namespace}]"
        )
        assert namespace == "[]"
        await _mirrored(rig)
    finally:
        await rig.kubectl("delete", "--ignore-not-found", "clusterissuers.certmanager.k8s.io/cert-demo")
        await rig.kubectl("-n", "kube-system", "delete", "--ignore-not-found", "secret", "cloudflare")


async def _mirrored(rig: Rig) -> None:
    async def both() -> bool:
        certificate = await rig.get(MODERN, "certificates", "demo-certi")
        answer = await rig.server.http.get(f"{MODERN}/clusterissuers/cert-demo")
        return certificate is not None and answer.code == 200

    await eventually(both)
    issuer = (await rig.server.http.get(f"{MODERN}/clusterissuers/cert-demo")).ok
    (solver,) = issuer["spec"]["acme"]["solvers"]
    assert solver["dns01"]["cloudflare"]["apiKeySecretRef"] == {"name": "cloudflare", "key": "api"}
    certificate = await rig.get(MODERN, "certificates", "demo-certi")
    assert certificate is not None
    assert certificate["spec"]["dnsNames"] == ["test.hwchiu.com"]
