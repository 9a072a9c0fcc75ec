"""What the webhook asks the API server, and for how long it believes the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.policies.rig import definition, granted
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually
from tests.kubernetes.kubeconfig import write_kubeconfig
from tests.unit.webhook.questions import APPROVED, judged, question

from certwright.app.webhook import build_admission
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.rules.gates import Gates
from certwright.rules.identity import Requester
from certwright.webhook.approval import CannotAsk, Signer
from certwright.webhook.asking import ACCESS_LASTS, NO_KIND_LASTS, AccessReviews, DiscoveredSigners, Remembered
from certwright.webhook.review import Refused

MOMENT = timedelta(milliseconds=1)
OURS = {
    "Issuer": Signer("issuers.cert-manager.io", namespaced=True),
    "ClusterIssuer": Signer("clusterissuers.cert-manager.io", namespaced=False),
}
REVIEWS = Write("create", "subjectaccessreviews.authorization.k8s.io")


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[KubeClient]:
    """Whose requests can be counted."""
    async with client_as(cluster, cluster.kubeconfig) as found:
        yield found


def agent(cluster: Cluster) -> str:
    return f"asking/{cluster.namespace}"


@asynccontextmanager
async def client_as(cluster: Cluster, kubeconfig: Path) -> AsyncIterator[KubeClient]:
    """A client with that kubeconfig."""
    connection = find_connection({}, str(kubeconfig))
    client = KubeClient(connection, MovableClock(), ClientOptions(user_agent=agent(cluster)))
    try:
        yield client
    finally:
        await client.close()


async def test_permissions_are_believed_for_a_second(cluster: Cluster, client: KubeClient) -> None:
    clock = MovableClock()
    access = AccessReviews(client, clock)
    ann = Requester(username="ann", uid="7", groups=("team",), extra={"k": ("v",)})
    signer = "issuers.cert-manager.io/*"

    async def asked(times: int) -> bool:
        return cluster.writes(agent(cluster))[REVIEWS] == times

    assert not await access.may_approve(ann, signer)
    assert not await access.may_approve(ann, signer)
    await eventually(lambda: asked(1))
    async with granted(cluster, "ann", signer):
        clock.advance(ACCESS_LASTS - MOMENT)
        assert not await access.may_approve(ann, signer)
        clock.advance(MOMENT)
        assert await access.may_approve(ann, signer)
        assert not await access.may_approve(Requester(username="bob"), signer)
    await eventually(lambda: asked(3))


async def test_kinds_are_found_by_discovery_and_an_unknown_one_is_asked_for_again_after_half_a_minute(
    cluster: Cluster, client: KubeClient
) -> None:
    clock, group = MovableClock(), f"g{cluster.namespace}.example.test"
    await cluster.install_crds()
    signers = DiscoveredSigners(client, clock)
    assert await signers.find("cert-manager.io", "Issuer") == Signer("issuers.cert-manager.io", namespaced=True)
    assert await signers.find("cert-manager.io", "ClusterIssuer") == Signer(
        "clusterissuers.cert-manager.io", namespaced=False
    )
    assert await signers.find("cert-manager.io", "Forge") is None
    assert await signers.find(group, "Forge") is None

    await cluster.install_crd(definition(group, "Forge", "Cluster"))
    clock.advance(NO_KIND_LASTS - MOMENT)
    assert await signers.find(group, "Forge") is None
    clock.advance(MOMENT)
    assert await signers.find(group, "Forge") == Signer(f"forges.{group}", namespaced=False)


@pytest.mark.parametrize("group", ["", "..", "a/b", "a?b", "a b", "ü"])
async def test_groups_that_cannot_be(cluster: Cluster, client: KubeClient, group: str) -> None:
    assert await DiscoveredSigners(client, MovableClock()).find(group, "Issuer") is None


async def test_who_may_not_ask_for_permissions_says_so(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.install_crds()
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, cluster.server.address, cluster.server.ca, cluster.server.user("powerless"))
    asked = question("certificaterequests", judged(APPROVED), judged(), subresource="status")
    async with client_as(cluster, path) as client:
        answer = await build_admission(client, MovableClock(), Gates()).validate(asked)

        with pytest.raises(CannotAsk):
            await AccessReviews(client, MovableClock()).may_approve(Requester(username="ann"), "x")

    assert isinstance(answer, Refused)
    assert (answer.code, answer.reason) == (500, "InternalError")
    assert "The API server does not say whether 'ann' may approve: " in answer.message


def test_what_is_remembered_is_bounded() -> None:
    kept: Remembered[int, int] = Remembered(MovableClock())

    for number in range(5000):
        kept.put(number, number, timedelta(hours=1))

    assert kept.get(4999) == 4999
    assert kept.get(0) is None
