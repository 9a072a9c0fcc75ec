"""The first issuance, with each issuer that signs in process."""

from __future__ import annotations

from collections import Counter

from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, controllers
from tests.kubernetes.audit import Write

from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import parse_private_key, public_key_digest

BUDGET = Counter(
    {
        Write("create", "certificaterequests.cert-manager.io"): 1,
        Write("patch", "certificaterequests.cert-manager.io/status"): 1,
        Write("patch", "secrets"): 1,
        Write("patch", "certificates.cert-manager.io/status"): 1,
        Write("create", "events"): 1,
    }
)


async def test_a_self_signed_certificate_reaches_its_secret(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()

    async with controllers(cluster):
        await user.certificate("web", {"commonName": "web"})
        ready = await user.until("web")

    secret = await user.secret("web")
    leaf = parse_certificate(secret.data["tls.crt"])
    assert leaf.public_key_digest == public_key_digest(parse_private_key(secret.data["tls.key"]))
    assert secret.type == "kubernetes.io/tls"
    assert ready.status.revision == 1
    assert ready.status.not_after == leaf.not_after


async def test_an_issuance_costs_four_writes_and_an_event(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster) as running:
        await user.certificate("root", {"isCA": True, "commonName": "root", "duration": "87600h"})
        await user.until("root")
        await user.ca_issuer("ca", "root")
        await user.certificate("first", {"issuerRef": {"name": "ca"}})
        await user.until("first")
        await user.calm(running)
        before = cluster.writes(agent(cluster))

        await user.certificate("second", {"issuerRef": {"name": "ca"}})
        await user.until("second")
        await user.calm(running)

    assert cluster.writes(agent(cluster)) - before == BUDGET
