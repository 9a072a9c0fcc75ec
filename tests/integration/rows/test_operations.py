"""What operators see: one namespace, and who reports what."""

from __future__ import annotations

from typing import Any

from tests.cluster import Cluster
from tests.integration.certificate.rig import User, condition_of, controllers
from tests.integration.certificate.test_requests import ask
from tests.integration.certificate.test_requests import until as until_request
from tests.integration.rows.test_fields import with_ca

from certwright.api.kinds import CERTIFICATE, CLUSTER_ISSUER, ISSUER
from certwright.api.meta import JSONObject
from certwright.kube.wire.keys import ObjectKey


async def test_one_namespace_is_watched_and_no_cluster_issuer_served(cluster: Cluster, user: User) -> None:
    elsewhere, name = f"{cluster.namespace}-other", cluster.namespace
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": elsewhere}}
    (await cluster.http.post("/api/v1/namespaces", namespace)).ok  # noqa: B018 asserts success
    await user.self_signed_issuer()
    other = User(user.client, elsewhere)
    await other.self_signed_issuer()
    issuer: JSONObject = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": name},
        "spec": {"selfSigned": {}},
    }
    await user.client.create(CLUSTER_ISSUER, issuer)
    async with controllers(cluster) as running:
        await other.certificate("theirs")
        await user.certificate("wide", {"issuerRef": {"name": name, "kind": "ClusterIssuer"}})
        waiting = await user.until("wide", "False", reason="DoesNotExist")
        await user.certificate("mine")
        await user.until("mine")
        await running.rest()
        found: Any = await user.client.get(CERTIFICATE, other.key("theirs"))
        theirs: Any = await user.client.get(ISSUER, other.key("selfsigned"))
        wide: Any = await user.client.get(CLUSTER_ISSUER, ObjectKey("", name))

    assert waiting.status.revision is None
    for each in (found, theirs, wide):
        assert condition_of(each, "Ready") is None
    assert await other.requests() == ()
    await user.client.delete(CLUSTER_ISSUER, ObjectKey("", name))
    await cluster.http.delete(f"/api/v1/namespaces/{elsewhere}")


async def test_events_come_from_the_controllers_that_users_know(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await user.certificate("slow")
        await user.until("slow", kind="Issuing")
        await with_ca(user)
        await user.until("slow")
        await ask(user, "direct")
        await until_request(user, "direct", "True", "Issued")
        await user.calm(running)
        path = f"/api/v1/namespaces/{user.namespace}/events"
        events: list[dict[str, Any]] = (await cluster.http.get(path)).ok["items"]

    told = {(each["involvedObject"]["kind"], each["reason"], each["source"]["component"]) for each in events}
    assert {
        ("Certificate", "Issuing", "cert-manager-certificates-trigger"),
        ("Certificate", "Generated", "cert-manager-certificates-key-manager"),
        ("Certificate", "Requested", "cert-manager-certificates-request-manager"),
        ("Certificate", "Issuing", "cert-manager-certificates-issuing"),
        ("CertificateRequest", "cert-manager.io", "cert-manager-certificaterequests-approver"),
        ("CertificateRequest", "CertificateIssued", "cert-manager-certificaterequests-issuer-ca"),
        ("Issuer", "KeyPairVerified", "cert-manager-issuers"),
    } <= told
