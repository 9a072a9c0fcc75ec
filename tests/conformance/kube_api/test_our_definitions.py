"""The product's own definitions: both servers take them, and their rules say the same."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.objects import causes, grouped
from tests.kubernetes.http import Http

MODERN = "cert-manager.io/v1"
ACME = "acme.cert-manager.io/v1"
LEGACY = "certmanager.k8s.io/v1alpha1"
ISSUER = {"name": "ca"}


@pytest.fixture(autouse=True)
async def _definitions(cluster: Cluster) -> None:
    await cluster.install_crds()


def body(api_version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}


CERTIFICATE = {"secretName": "tls", "dnsNames": ["example.com"], "issuerRef": ISSUER}
REFUSED = [
    ("certificates", "Certificate", {"secretName": "tls", "issuerRef": ISSUER}, {"spec"}),
    ("certificates", "Certificate", {**CERTIFICATE, "issuerRef": {"name": ""}}, {"spec.issuerRef.name"}),
    ("certificates", "Certificate", {**CERTIFICATE, "secretName": "No_Secret"}, {"spec.secretName"}),
    ("certificates", "Certificate", {**CERTIFICATE, "duration": "30m"}, {"spec.duration"}),
    (
        "certificates",
        "Certificate",
        {**CERTIFICATE, "duration": "2h", "renewBefore": "3h", "commonName": "x" * 65},
        {"spec.renewBefore", "spec.commonName"},
    ),
    ("certificates", "Certificate", {**CERTIFICATE, "privateKey": {"size": 1024}}, {"spec.privateKey.size"}),
    ("issuers", "Issuer", {"selfSigned": {}, "ca": {"secretName": "x"}}, {"spec"}),
    ("issuers", "Issuer", {"ca": {"secretName": ""}}, {"spec.ca.secretName"}),
]


@pytest.mark.parametrize(("plural", "kind", "spec", "fields"), REFUSED)
async def test_what_rules_refuse(
    http: Http, ns: str, plural: str, kind: str, spec: dict[str, Any], fields: set[str]
) -> None:
    answer = await http.post(grouped(MODERN, ns, plural), body(MODERN, kind, spec))

    assert answer.code == 422, answer.body
    assert {field for _, field, _ in causes(answer.body)} == fields


async def test_a_certificate_lives(http: Http, ns: str) -> None:
    path = grouped(MODERN, ns, "certificates", "a")
    condition = {"type": "Ready", "status": "True", "reason": "Ready", "message": "up to date"}
    moment = {"lastTransitionTime": "2026-01-01T00:00:00Z"}

    created = await http.apply(path, body(MODERN, "Certificate", CERTIFICATE), "user")
    status = {"status": {"conditions": [{**condition, **moment}], "revision": 1}}
    reported = await http.patch(f"{path}/status", status)
    table = await http.get(path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")

    assert created.code == 201
    assert reported.ok["status"]["revision"] == 1
    assert reported.ok["spec"] == created.ok["spec"]
    [row] = table.ok["rows"]
    assert row["cells"][:3] == ["a", "True", "tls"]


async def test_a_request_is_fixed(http: Http, ns: str) -> None:
    path = grouped(MODERN, ns, "certificaterequests")
    request = {"request": "LS0tLS1CRUdJTg==", "issuerRef": ISSUER, "usages": ["digital signature"]}
    (await http.post(path, body(MODERN, "CertificateRequest", request))).ok  # noqa: B018 asserts success

    same = await http.patch(f"{path}/a", {"metadata": {"labels": {"l": "1"}}})
    other = await http.patch(f"{path}/a", {"spec": {"request": "LS0tLS1FTkQ=", "usages": None}})

    assert same.code == 200
    assert {field for _, field, _ in causes(other.body)} == {"spec.request", "spec.usages"}


async def test_a_denied_request_stays_denied(http: Http, ns: str) -> None:
    path = grouped(MODERN, ns, "certificaterequests")
    request = {"request": "LS0tLS1CRUdJTg==", "issuerRef": ISSUER}
    (await http.post(path, body(MODERN, "CertificateRequest", request))).ok  # noqa: B018 asserts success
    denied = {"type": "Denied", "status": "True", "reason": "Policy", "message": "not here"}
    (await http.patch(f"{path}/a/status", {"status": {"conditions": [denied]}})).ok  # noqa: B018 asserts success

    cleared = await http.patch(f"{path}/a/status", {"status": {"conditions": []}})
    doubled = await http.patch(f"{path}/a/status", {"status": {"conditions": [denied, {**denied, "type": "Approved"}]}})

    assert (cleared.code, doubled.code) == (422, 422)


async def test_the_old_group_is_as_open_as_it_was(http: Http, ns: str) -> None:
    spec = {
        "secretName": "tls",
        "dnsNames": ["example.com"],
        "issuerRef": ISSUER,
        "acme": {"config": [{"anything": 1}]},
    }

    created = await http.post(grouped(LEGACY, ns, "certificates"), body(LEGACY, "Certificate", spec))
    strict = await http.post(
        grouped(LEGACY, ns, "certificates"), body(LEGACY, "Certificate", spec), fieldValidation="Strict", dryRun="All"
    )

    assert created.ok["spec"] == spec
    assert (created.warnings, strict.code) == ((), 409)


async def test_an_order_keeps_its_url(http: Http, ns: str) -> None:
    path = grouped(ACME, ns, "orders")
    order = {"request": "LS0tLS1CRUdJTg==", "issuerRef": ISSUER, "dnsNames": ["example.com"]}
    (await http.post(path, body(ACME, "Order", order))).ok  # noqa: B018 asserts success
    (await http.patch(f"{path}/a/status", {"status": {"url": "https://ca.example/1"}})).ok  # noqa: B018 as above

    answer = await http.patch(f"{path}/a/status", {"status": {"url": "https://ca.example/2"}})

    assert answer.code == 422
