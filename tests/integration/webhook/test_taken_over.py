"""The CA of cert-manager's own webhook is used on, and cert-manager uses ours on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests import judges
from tests.cluster import Cluster
from tests.integration.webhook.test_upstream import JUDGE
from tests.integration.wiring import client_of
from tests.kubernetes.eventually import eventually
from tests.kubernetes.processes import Process, free_ports
from tests.unit.webhook import tls

from certwright.api.core import Secret
from certwright.api.core_kinds import SECRET
from certwright.clock import SystemClock
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.pki import pem
from certwright.pki.certificate import is_issued_by
from certwright.webhook.serving.authority import AuthoritySecret
from certwright.webhook.serving.self_made import SelfMade

pytestmark = pytest.mark.needs(JUDGE)
NAME = "cert-manager-webhook-ca"


@asynccontextmanager
async def theirs(cluster: Cluster, folder: Path) -> AsyncIterator[int]:
    """The webhook of cert-manager with a certificate of its own CA."""
    port, health = free_ports(2)
    flags = [
        f"--kubeconfig={cluster.kubeconfig}",
        f"--secure-port={port}",
        f"--healthz-port={health}",
        "--metrics-listen-address=0",
        f"--dynamic-serving-ca-secret-namespace={cluster.namespace}",
        f"--dynamic-serving-ca-secret-name={NAME}",
        "--dynamic-serving-dns-names=localhost",
    ]
    process = Process(JUDGE, [str(judges.require(JUDGE)), *flags], folder / "cert-manager-webhook.log")
    try:
        yield port
    finally:
        process.stop()


async def secret(cluster: Cluster) -> Secret | None:
    async with client_of(cluster) as client:
        try:
            return await client.get(SECRET, ObjectKey(cluster.namespace, NAME))
        except NotFound:
            return None


async def test_their_ca_is_used_on(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.install_crds()
    async with theirs(cluster, tmp_path):
        found = await eventually(lambda: secret(cluster))
    async with client_of(cluster) as client:
        authority = AuthoritySecret(client, SystemClock(), ObjectKey(cluster.namespace, NAME))
        leaf = await SelfMade(authority, SystemClock(), ("localhost",)).look()

    after = await secret(cluster)
    assert after is not None
    assert after.metadata.resource_version == found.metadata.resource_version
    assert is_issued_by(*(pem.split_certificates(text, "it")[0] for text in (leaf.cert_pem, found.data["tls.crt"])))


async def test_ours_is_used_on_by_them(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.install_crds()
    async with client_of(cluster) as client:
        authority = AuthoritySecret(client, SystemClock(), ObjectKey(cluster.namespace, NAME))
        made = await authority.current()

    async with theirs(cluster, tmp_path) as port:

        async def is_trusted() -> bool:
            try:
                return bool(await tls.served_serial(port, tls.trusting_pem(made.bundle), "localhost"))
            except OSError:
                return False

        await eventually(is_trusted)

    after = await secret(cluster)
    assert after is not None
    assert after.data["tls.crt"] == made.authority.cert_pem
