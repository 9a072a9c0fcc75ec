"""Issuers that sign in this process: their reasons, their Secrets, and what becomes of them when those change."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, condition_of, controllers
from tests.integration.certificate.test_requests import ask, told
from tests.integration.certificate.test_requests import until as until_request
from tests.integration.rows.test_fields import with_ca
from tests.kubernetes.eventually import eventually

from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE_REQUEST, CLUSTER_ISSUER, ISSUER
from certwright.api.meta import JSONObject
from certwright.kube.wire.keys import ObjectKey

URLS: JSONObject = {
    "crlDistributionPoints": ["http://crl.example.test/a.crl"],
    "ocspServers": ["http://ocsp.example.test"],
    "issuingCertificateURLs": ["http://ca.example.test/ca.crt"],
}


async def until_issuer(user: User, name: str, reason: str) -> Any:
    """The Ready condition of an Issuer, once it has that reason."""

    async def look() -> Any:
        found: Any = await user.client.get(ISSUER, user.key(name))
        ready = condition_of(found, "Ready")
        return ready if ready is not None and ready.reason == reason else None

    return await eventually(look)


async def test_every_url_of_a_ca_issuer(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await with_ca(user)
        await user.ca_issuer("urls", "root", **URLS)
        await user.certificate("leaf", {"issuerRef": {"name": "urls"}})
        await user.until("leaf")
        data = (await user.secret("leaf")).data
        root = (await user.secret("root")).data["tls.crt"]

    leaf = x509.load_pem_x509_certificate(data["tls.crt"])
    (point,) = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name == [x509.UniformResourceIdentifier("http://crl.example.test/a.crl")]
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [(each.access_method, each.access_location.value) for each in access] == [
        (AuthorityInformationAccessOID.OCSP, "http://ocsp.example.test"),
        (AuthorityInformationAccessOID.CA_ISSUERS, "http://ca.example.test/ca.crt"),
    ]
    assert data["ca.crt"] == root
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(root))


async def test_reasons_of_a_ca_issuer_follow_its_secret(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await user.ca_issuer("ca", "pair")
        await until_issuer(user, "ca", "ErrGetKeyPair")
        await user.self_signed_issuer()
        await until_issuer(user, "selfsigned", "IsReady")
        await user.certificate("pair")
        await until_issuer(user, "ca", "ErrInvalidKeyPair")
        await user.patch("pair", isCA=True, commonName="pair")
        ready = await until_issuer(user, "ca", "KeyPairVerified")
        await running.rest()

        assert (ready.status, ready.message) == ("True", "Signing CA verified")
        reasons = [event[:2] for event in await user.events("ca")]
        assert {("Warning", "ErrGetKeyPair"), ("Warning", "ErrInvalidKeyPair"), ("Normal", "KeyPairVerified")} <= set(
            reasons
        )
        await user.client.delete(SECRET, user.key("pair"))
        await user.until("pair", revision=3)
        await until_issuer(user, "ca", "KeyPairVerified")


async def test_an_issuer_of_another_type(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await with_ca(user)
        await user.create(ISSUER, "turned", {"selfSigned": {}})
        await until_issuer(user, "turned", "IsReady")
        await user.client.merge_patch(
            ISSUER, user.key("turned"), {"spec": {"selfSigned": None, "ca": {"secretName": "root"}}}
        )
        await until_issuer(user, "turned", "KeyPairVerified")
        await user.certificate("leaf", {"issuerRef": {"name": "turned"}})
        await user.until("leaf")

    leaf = x509.load_pem_x509_certificate((await user.secret("leaf")).data["tls.crt"])
    assert leaf.issuer.rfc4514_string() == "CN=root"


async def test_an_issuer_that_is_not_ready_is_told_once_and_waited_for(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await user.ca_issuer("ca", "pair")
        await until_issuer(user, "ca", "ErrGetKeyPair")
        await ask(user, "early", {"name": "ca"})
        await until_request(user, "early", "False", "Pending")
        await user.self_signed_issuer()
        await user.certificate("pair", {"isCA": True, "commonName": "pair"})
        await until_request(user, "early", "True", "Issued")
        await running.rest()

        assert Counter(event[1] for event in await user.events("early"))["IssuerNotReady"] == 1


async def test_without_the_approver_a_request_waits_until_somebody_approves_it(cluster: Cluster, user: User) -> None:
    async with controllers(cluster, approve=False):
        await user.self_signed_issuer()
        await user.certificate("waiting")
        await eventually(lambda: told(user, "waiting-1", "WaitingForApproval"))
        (request,) = await user.requests()
        assert request.status.conditions == ()
        approved: JSONObject = {"type": "Approved", "status": "True", "reason": "policy", "message": "by a person"}
        patch: JSONObject = {"status": {"conditions": [{**approved, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}
        await user.client.merge_patch(CERTIFICATE_REQUEST, user.key("waiting-1"), patch, subresource="status")
        await user.until("waiting")
        (request,) = await user.requests()

    assert condition_of(request, "Approved").reason == "policy"  # type: ignore[union-attr]


async def test_the_secret_of_a_cluster_issuer_is_in_the_namespace_of_the_cluster(cluster: Cluster, user: User) -> None:
    """The Certificate's namespace holds a Secret of the same name, which must not be used."""
    elsewhere, name = f"{cluster.namespace}-resources", cluster.namespace
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": elsewhere}}
    (await cluster.http.post("/api/v1/namespaces", namespace)).ok  # noqa: B018 asserts success
    async with controllers(cluster):
        await with_ca(user)
        await user.certificate("theirs", {"isCA": True, "commonName": "theirs", "dnsNames": []})
        await user.until("theirs")
    data: JSONObject = {
        key: base64.b64encode(value).decode() for key, value in (await user.secret("theirs")).data.items()
    }
    body: JSONObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root"}, "data": data}
    await user.client.create(SECRET, body, elsewhere)
    issuer: JSONObject = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": name},
        "spec": {"ca": {"secretName": "root"}},
    }
    await user.client.create(CLUSTER_ISSUER, issuer)
    try:
        async with controllers(cluster, namespace="", cluster_resource_namespace=elsewhere):
            await user.certificate("leaf", {"issuerRef": {"name": name, "kind": "ClusterIssuer"}})
            await user.until("leaf")
    finally:
        await user.client.delete(CLUSTER_ISSUER, ObjectKey("", name))
        await cluster.http.delete(f"/api/v1/namespaces/{elsewhere}")

    leaf = x509.load_pem_x509_certificate((await user.secret("leaf")).data["tls.crt"])
    assert leaf.issuer.rfc4514_string() == "CN=theirs"
