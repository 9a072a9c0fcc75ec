"""The rules of admission on an API server, some of which its definitions hold already and some the webhook alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.integration.webhook.rig import DENIED, Guarded
from tests.unit.rules.issuer_samples import BAD, BUNDLE, GOOD, acme, dns01, solved
from tests.unit.webhook.questions import CERTIFICATE

REFUSED = {400, 403, 422}
REF = {"name": "s", "key": "k"}


@pytest.mark.parametrize("plural", ["issuers", "clusterissuers"])
async def test_issuers_that_can_be_and_issuers_that_cannot(guarded: Guarded, plural: str) -> None:
    good = await asyncio.gather(*(guarded.create(plural, spec, dryRun="All") for spec in GOOD))
    bad = await asyncio.gather(*(guarded.create(plural, spec, dryRun="All") for spec, _ in BAD))

    assert [(spec, each.body) for spec, each in zip(GOOD, good, strict=True) if each.code != 201] == []
    assert [sample for sample, each in zip(BAD, bad, strict=True) if each.code not in REFUSED] == []


@pytest.mark.parametrize(
    ("plural", "spec", "message"),
    [
        ("issuers", acme(caBundle="eA=="), "spec.acme.caBundle: Invalid value: It holds no certificate"),
        (
            "clusterissuers",
            dns01(rfc2136={"nameserver": ":53"}),
            "spec.acme.solvers[0].dns01.rfc2136.nameserver: Invalid value: ':53' is no nameserver",
        ),
        (
            "issuers",
            solved(http01={"ingress": {"serviceType": "LoadBalancer"}}),
            "spec.acme.solvers[0].http01.ingress.serviceType: Unsupported value: ",
        ),
        ("certificates", {**CERTIFICATE, "literalSubject": "nonsense"}, "spec.literalSubject: Invalid value: "),
        ("certificates", {**CERTIFICATE, "ipAddresses": ["10.0.0.256"]}, "spec.ipAddresses[0]: Invalid value: "),
        (
            "certificates",
            {**CERTIFICATE, "isCA": True, "nameConstraints": {"permitted": {"ipRanges": ["10.0.0.1"]}}},
            "spec.nameConstraints.permitted.ipRanges[0]: Invalid value: ",
        ),
    ],
)
async def test_what_only_the_webhook_knows(guarded: Guarded, plural: str, spec: dict[str, Any], message: str) -> None:
    answer = await guarded.create(plural, spec)

    assert (answer.code, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"].startswith(DENIED + message)


async def test_certificates_that_can_be(guarded: Guarded) -> None:
    answer = await guarded.create("certificates", CERTIFICATE)

    assert answer.code == 201


async def test_a_change_is_judged_and_what_did_not_change_is_not(guarded: Guarded) -> None:
    made = (await guarded.create("certificates", CERTIFICATE)).ok
    path = f"/apis/cert-manager.io/v1/namespaces/{guarded.namespace}/certificates/{made['metadata']['name']}"
    http = guarded.cluster.http

    bad = await http.patch(path, {"spec": {"emailAddresses": ["nobody"]}})
    good = await http.patch(path, {"spec": {"dnsNames": ["other.example.test"]}})
    told = await http.patch(f"{path}/status", {"status": {"revision": 7}})

    assert (bad.code, good.code, told.code) == (403, 200, 200)


async def test_warnings_reach_the_client(guarded: Guarded) -> None:
    binding = {"keyID": "1", "keySecretRef": REF, "keyAlgorithm": "HS256"}
    issuer = await guarded.create("issuers", acme(externalAccountBinding=binding))
    certificate = await guarded.create("certificates", {**CERTIFICATE, "renewBeforePercentage": 150})

    assert (issuer.code, certificate.code) == (201, 201)
    assert any("keyAlgorithm is deprecated" in warning for warning in issuer.warnings)
    assert any("renewBeforePercentage: 150 is ignored" in warning for warning in certificate.warnings)


async def test_orders_and_challenges_do_not_change(guarded: Guarded) -> None:
    http, base = guarded.cluster.http, f"/apis/acme.cert-manager.io/v1/namespaces/{guarded.namespace}"
    spec = {"request": "eA==", "issuerRef": {"name": "ca"}, "dnsNames": ["a.test"]}
    order = {"apiVersion": "acme.cert-manager.io/v1", "kind": "Order", "metadata": {"name": "a"}, "spec": spec}
    (await http.post(f"{base}/orders", order)).ok  # noqa: B018 asserts success
    proof = {"url": "https://ca/a", "identifier": "a.test", "wildcard": False, "challenges": []}
    status = {"url": "https://ca/o", "authorizations": [proof]}
    filled = await http.patch(f"{base}/orders/a/status", {"status": status})

    member = {"status": {"authorizations": [{**proof, "identifier": "b.test"}]}}
    changed = await http.patch(f"{base}/orders/a/status", member)

    assert filled.code == 200
    assert changed.code in REFUSED
    assert "authorizations" in changed.body["message"]


async def test_a_caller_of_the_webhook_is_told_of_a_certificate_it_can_trust(guarded: Guarded) -> None:
    assert (await guarded.create("issuers", acme(caBundle=BUNDLE))).code == 201
