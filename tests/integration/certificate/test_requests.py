"""CertificateRequests by themselves: approval, answers, and what is left to others."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, condition_of, controllers
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually
from tests.unit.rules.sample import csr, key, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE_REQUEST, ISSUER
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Annotation
from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import encode_private_key

STATUS = Write("patch", "certificaterequests.cert-manager.io/status")


async def ask(user: User, name: str, issuer: JSONObject | None = None, **more: Any) -> None:
    """A CertificateRequest made by hand."""
    annotations = more.pop("annotations", {})
    wanted = spec(commonName="web")
    body: JSONObject = {
        "request": base64.b64encode(more.pop("csr", csr(wanted))).decode(),
        "issuerRef": issuer or {"name": "ca"},
        **more,
    }
    await user.create(CERTIFICATE_REQUEST, name, body, annotations=annotations)


async def until(user: User, name: str, status: str, reason: str, kind: str = "Ready") -> cm.CertificateRequest:
    """The request once its condition is so."""

    async def look() -> cm.CertificateRequest | None:
        found = await user.client.get(CERTIFICATE_REQUEST, user.key(name))
        condition = condition_of(found, kind)
        is_so = condition is not None and (condition.status, condition.reason) == (status, reason)
        return found if is_so else None

    return await eventually(look)


async def ca(user: User) -> None:
    await user.self_signed_issuer()
    await user.certificate("root", {"isCA": True, "commonName": "root", "duration": "87600h"})
    await user.until("root")
    await user.ca_issuer("ca", "root")


async def test_a_request_by_hand_is_signed_with_one_write_and_told(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await ca(user)
        await user.certificate("ready", {"issuerRef": {"name": "ca"}})
        await user.until("ready")
        await user.calm(running)
        before = cluster.writes(agent(cluster))

        await ask(user, "direct", duration="24h")
        found = await until(user, "direct", "True", "Issued")
        await running.rest()
        written = cluster.writes(agent(cluster)) - before

    assert [condition.type for condition in found.status.conditions] == ["Approved", "Ready"]
    assert written == Counter({STATUS: 1, Write("create", "events"): 2})
    assert [event[1] for event in await user.events("direct")] == ["cert-manager.io", "CertificateIssued"]
    leaf = parse_certificate(found.status.certificate)
    assert (leaf.not_after - leaf.not_before).days == 1
    assert found.status.ca


async def test_a_foreign_request_is_approved_and_otherwise_left_alone(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await ask(user, "foreign", {"name": "x", "kind": "AWSPCAIssuer", "group": "awspca.cert-manager.io"})
        found = await until(user, "foreign", "True", "cert-manager.io", "Approved")
        await ca(user)

    assert len(found.status.conditions) == 1
    last = await user.client.get(CERTIFICATE_REQUEST, user.key("foreign"))
    assert last.status == found.status


async def test_a_denied_request_is_ended(cluster: Cluster, user: User) -> None:
    async with controllers(cluster, approve=False):
        await user.self_signed_issuer()
        await ask(user, "refused", {"name": "selfsigned"})
        await eventually(lambda: told(user, "refused", "WaitingForApproval"))
        denied: JSONObject = {
            "type": "Denied",
            "status": "True",
            "reason": "policy",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        patch: JSONObject = {"status": {"conditions": [denied]}}
        await user.client.merge_patch(CERTIFICATE_REQUEST, user.key("refused"), patch, subresource="status")
        found = await until(user, "refused", "False", "Denied")

    assert found.status.failure_time is not None
    assert [event[1] for event in await user.events("refused")].count("WaitingForApproval") == 1


async def told(user: User, name: str, reason: str) -> bool:
    return reason in [event[1] for event in await user.events(name)]


async def test_pending_reasons_are_told_once_and_end_when_the_issuer_comes(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await ask(user, "early")
        waiting = await until(user, "early", "False", "Pending")
        await ca(user)
        await until(user, "early", "True", "Issued")
        await running.rest()

    ready = condition_of(waiting, "Ready")
    assert ready is not None
    assert "not found" in ready.message
    reasons = Counter(event[1] for event in await user.events("early"))
    assert reasons["IssuerNotFound"] == 1
    assert reasons["cert-manager.io"] == 1


async def test_an_issuer_of_no_type_that_is_served(cluster: Cluster, user: User) -> None:
    vault: JSONObject = {"server": "https://v.test", "path": "pki/sign/x", "auth": {"tokenSecretRef": {"name": "t"}}}
    async with controllers(cluster):
        await user.create(ISSUER, "vault", {"vault": vault})
        # The first request may be seen before the issuer is; then it is told of another reason.
        await ask(user, "early", {"name": "vault"})
        await until(user, "early", "False", "Pending")
        await ask(user, "odd", {"name": "vault"})
        await until(user, "odd", "False", "Pending")
        await eventually(lambda: told(user, "odd", "IssuerTypeMissing"))


async def test_a_request_that_contradicts_itself_is_invalid(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await ca(user)
        await ask(user, "usages", csr=csr(spec(usages=["server auth"])), usages=["client auth"])
        await ask(user, "torn", csr=b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n")

        for name in ("usages", "torn"):
            found = await until(user, name, "True", "InvalidRequest", "InvalidRequest")
            ready = condition_of(found, "Ready")
            assert ready is not None
            assert ready.reason == "Failed"
            assert found.status.failure_time is not None
            assert not found.status.certificate


async def test_a_self_signed_request_waits_for_its_key(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await user.self_signed_issuer()
        await ask(user, "nokey", {"name": "selfsigned"})
        await until(user, "nokey", "False", "Failed")
        await ask(user, "late", {"name": "selfsigned"}, annotations={Annotation.PRIVATE_KEY_SECRET_NAME: "mine"})
        await until(user, "late", "False", "Pending")

        value = base64.b64encode(encode_private_key(key())).decode()
        body: JSONObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine"}}
        await user.client.create(SECRET, {**body, "data": {"tls.key": value}}, user.namespace)
        await until(user, "late", "True", "Issued")


async def test_an_answer_is_final(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await ca(user)
        await ask(user, "once")
        await until(user, "once", "True", "Issued")
        await running.rest()
        before = cluster.writes(agent(cluster))

    async with controllers(cluster) as running:
        await user.client.merge_patch(CERTIFICATE_REQUEST, user.key("once"), {"metadata": {"labels": {"a": "b"}}})
        await ask(user, "twice")
        await until(user, "twice", "True", "Issued")
        await running.rest()

    assert (cluster.writes(agent(cluster)) - before)[STATUS] == 1
