"""The real webhook of cert-manager 1.21.1 is asked what ours is asked; where the two differ, it is said why."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from tests import judges
from tests.cluster import Cluster
from tests.kubernetes.eventually import eventually
from tests.kubernetes.processes import Process, free_ports
from tests.unit.rules.issuer_samples import BAD, DNS01, GOOD, SOLVERS, acme
from tests.unit.webhook import tls
from tests.unit.webhook.questions import ACME, APPROVED, CERTIFICATE, CM, DENIED, IDENTITY, REQUEST, Plain

from certwright.app.webhook import FromFiles, WebhookOptions, webhook_running
from certwright.clock import SystemClock
from certwright.kube.wire.patches import apply_json_patch

JUDGE = "cert-manager-webhook"
pytestmark = pytest.mark.needs(JUDGE)

CA = tls.new_ca()
KINDS = {
    "issuers": "Issuer",
    "clusterissuers": "ClusterIssuer",
    "certificates": "Certificate",
    "certificaterequests": "CertificateRequest",
    "orders": "Order",
    "challenges": "Challenge",
}
# What only ours refuses, by the field that it names, and why.
STRICTER = {
    "spec.selfSigned.crlDistributionPoints[0]": "the definition refuses it first",
    "spec.ca.crlDistributionPoints[0]": "the definition refuses it first",
    f"{SOLVERS}.http01.gatewayHTTPRoute.parentRefs[0].kind": "the definition refuses it first",
    f"{DNS01}.acmeDNS": "one of two providers would be ignored",
    f"{DNS01}.rfc2136.nameserver": "there are no ports 0 and 70000",
}
CHALLENGE: Plain = {
    "url": "u",
    "authorizationURL": "a",
    "dnsName": "d",
    "type": "DNS-01",
    "token": "t",
    "key": "k",
    "solver": {"dns01": {"cloudDNS": {"project": "p"}}},
    "issuerRef": {"name": "ca"},
}
ORDER: Plain = {"request": "eA==", "issuerRef": {"name": "ca"}}
PROOF: Plain = {"url": "https://ca/a", "identifier": "a.test", "wildcard": False, "challenges": []}


def obj(plural: str, spec: Plain, status: Plain | None = None, annotations: Plain | None = None) -> Plain:
    group = ACME if plural in {"orders", "challenges"} else CM
    metadata = {"name": "x", "namespace": "shop", "annotations": annotations or {}}
    return {
        "apiVersion": f"{group}/v1",
        "kind": KINDS[plural],
        "metadata": metadata,
        "spec": spec,
        "status": status or {},
    }


def request(status: Plain | None = None, annotations: Plain | None = None, **changes: Any) -> Plain:
    return obj("certificaterequests", {**REQUEST, **changes}, status, annotations)


def conditions(*found: Plain) -> Plain:
    return {"conditions": list(found)}


def order(**status: Any) -> Plain:
    return obj("orders", ORDER, status)


# Resource, the new object, the old one, and whether it may be.
WRITES: list[tuple[str, Plain, Plain | None, bool]] = [
    ("certificates", obj("certificates", CERTIFICATE), None, True),
    ("certificates", obj("certificates", {**CERTIFICATE, "secretName": ""}), None, False),
    ("certificates", obj("certificates", {**CERTIFICATE, "duration": "1m"}), obj("certificates", CERTIFICATE), False),
    ("certificaterequests", request(), None, True),
    ("certificaterequests", request(request="bm8gUEVN"), None, False),
    ("certificaterequests", request(isCA=True), None, False),
    ("certificaterequests", request(usages=["server auth"]), None, False),
    ("certificaterequests", request(issuerRef={"name": ""}), None, False),
    ("certificaterequests", request(username="eve"), None, False),
    ("certificaterequests", request(uid="0"), None, False),
    ("certificaterequests", request(groups=["system:masters"]), None, False),
    ("certificaterequests", request(groups=list(reversed(IDENTITY["groups"]))), None, True),
    ("certificaterequests", request(extra={"a": ["b"]}), None, False),
    ("certificaterequests", request(duration="1h"), request(), False),
    ("certificaterequests", request(duration="1h"), request(duration="60m"), True),
    ("certificaterequests", request(username="eve"), request(), False),
    ("certificaterequests", request(annotations={"cert-manager.io/x": "a"}), request(), False),
    ("certificaterequests", request(), request(annotations={"acme.cert-manager.io/x": "a"}), False),
    ("certificaterequests", request(annotations={"venafi.cert-manager.io/x": "a"}), request(), True),
    ("certificaterequests", request(), request(conditions(APPROVED)), False),
    ("certificaterequests", request(conditions(DENIED)), request(conditions(APPROVED)), False),
    ("certificaterequests", request(conditions(APPROVED, DENIED)), request(), False),
    ("certificaterequests", request(conditions({**APPROVED, "reason": "o"})), request(conditions(APPROVED)), False),
    ("certificaterequests", request(conditions({**APPROVED, "status": "False"})), request(), False),
    ("certificaterequests", request(conditions(APPROVED)), request(conditions(APPROVED)), True),
    ("orders", order(url="https://ca/1"), order(), True),
    ("orders", order(url="https://ca/2"), order(url="https://ca/1"), False),
    ("orders", order(authorizations=[PROOF]), order(authorizations=[{"url": PROOF["url"]}]), True),
    ("orders", order(authorizations=[{**PROOF, "identifier": "b"}]), order(authorizations=[PROOF]), False),
    ("orders", order(authorizations=[PROOF, PROOF]), order(authorizations=[PROOF]), False),
    ("orders", obj("orders", {**ORDER, "request": "eHg="}), order(), False),
    ("challenges", obj("challenges", CHALLENGE), None, True),
    ("challenges", obj("challenges", {**CHALLENGE, "key": "o"}), obj("challenges", CHALLENGE), False),
    ("challenges", obj("challenges", CHALLENGE, {"presented": True}), obj("challenges", CHALLENGE), True),
]


def review(plural: str, new: Plain, old: Plain | None = None, user: Plain | None = None) -> bytes:
    group = ACME if plural in {"orders", "challenges"} else CM
    subresource = "status" if old and old["status"] != new["status"] else ""
    asked = {
        "uid": "u1",
        "kind": {"group": group, "version": "v1", "kind": KINDS[plural]},
        "resource": {"group": group, "version": "v1", "resource": plural},
        "requestKind": {"group": group, "version": "v1", "kind": KINDS[plural]},
        "requestResource": {"group": group, "version": "v1", "resource": plural},
        "subResource": subresource,
        "requestSubResource": subresource,
        "name": "x",
        "namespace": "shop",
        "operation": "UPDATE" if old else "CREATE",
        "userInfo": user or IDENTITY,
        "object": new,
        "oldObject": old,
        "dryRun": False,
    }
    return msgspec.json.encode({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": asked})


class Both:
    """Ours and theirs."""

    def __init__(self, ours: int, theirs: int) -> None:
        self._ports = (ours, theirs)
        self._trust = tls.trusting(CA)

    async def ask(self, path: str, body: bytes) -> tuple[Any, Any]:
        """What each of them answers."""
        found = []
        for port in self._ports:
            status, text = await tls.post(port, path, body, self._trust)
            assert status == 200, text
            found.append(msgspec.json.decode(text)["response"])
        return found[0], found[1]


@pytest.fixture
async def both(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Both]:
    await cluster.install_crds()
    certificate, key = tls.write(tmp_path, tls.server_pair(CA))
    port, health = free_ports(2)
    log = tmp_path / "cert-manager-webhook.log"
    flags = [
        f"--kubeconfig={cluster.kubeconfig}",
        f"--secure-port={port}",
        f"--healthz-port={health}",
        "--metrics-listen-address=0",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
    ]
    process = Process(JUDGE, [str(judges.require(JUDGE)), *flags], log)
    options = WebhookOptions(
        serving=FromFiles(certificate, key),
        kubeconfig=cluster.kubeconfig,
        bind_address="127.0.0.1",
        secure_port=0,
        healthz_port=0,
        metrics_listen_address="0",
    )
    try:
        async with webhook_running(options, SystemClock()) as running:
            await eventually(lambda: _is_healthy(health))
            await eventually(lambda: _is_healthy(running.healthz_port))
            yield Both(running.port, port)
    finally:
        process.stop()


async def _is_healthy(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def test_issuers(both: Both) -> None:
    differing = []
    for spec, field in [*((spec, "") for spec in GOOD), *BAD]:
        ours, theirs = await both.ask("/validate", review("issuers", obj("issuers", spec)))
        assert ours["allowed"] is (field == "")
        if ours["allowed"] != theirs["allowed"]:
            differing.append((field, theirs.get("status", {}).get("message", "allowed"), spec))

    assert [each for each in differing if each[0] not in STRICTER] == []
    assert {field for field, *_ in differing} == set(STRICTER)


async def test_writes(both: Both) -> None:
    differing = []
    for plural, new, old, may_be in WRITES:
        ours, theirs = await both.ask("/validate", review(plural, new, old))
        assert ours["allowed"] is may_be, (plural, new, old, ours)
        if theirs["allowed"] is not may_be:
            differing.append((plural, theirs.get("status"), new, old))
        elif not may_be:
            codes = {(each["status"]["code"], each["status"]["reason"]) for each in (ours, theirs)}
            assert codes == {(403, "Forbidden")}

    assert differing == []


async def test_approvals_by_somebody_and_by_nobody(both: Both) -> None:
    master = {"username": "admin", "groups": ["system:masters"]}
    ghost = {"issuerRef": {"name": "x", "kind": "Ghost", "group": "ghosts.example.test"}}
    for user, changes, may_be in ((master, {}, True), (IDENTITY, {}, False), (master, ghost, False)):
        asked = review("certificaterequests", request(conditions(APPROVED), **changes), request(**changes), user)
        ours, theirs = await both.ask("/validate", asked)

        assert (ours["allowed"], theirs["allowed"]) == (may_be, may_be)
        if not may_be:
            assert ours["status"]["code"] == theirs["status"]["code"] == 403
            assert "Forbidden: " in ours["status"]["message"]
            assert "Forbidden: " in theirs["status"]["message"]


@pytest.mark.parametrize(
    "user",
    [
        IDENTITY,
        {"username": "ann", "groups": ["a", "b"], "extra": {"scopes": ["x", "y"]}},
        {"username": "system:anonymous"},
    ],
)
async def test_identities(both: Both, user: Plain) -> None:
    claimed = request(username="eve", uid="0", groups=["system:masters"], extra={"a": ["b"]})
    ours, theirs = (
        _patched(claimed, each) for each in await both.ask("/mutate", review("certificaterequests", claimed, user=user))
    )

    # An absent list and an empty one are the same to the API.
    assert {name: value for name, value in ours.items() if value != []} == {
        name: value for name, value in theirs.items() if value not in ([], None)
    }


def _patched(found: Plain, response: Plain) -> Plain:
    patch = msgspec.json.decode(base64.b64decode(response["patch"]))
    changed: Any = apply_json_patch(msgspec.json.decode(msgspec.json.encode(found)), patch)
    spec: Plain = changed["spec"]
    return spec


async def test_warnings(both: Both) -> None:
    binding = {"keyID": "1", "keySecretRef": {"name": "s", "key": "k"}, "keyAlgorithm": "HS256"}
    ours, theirs = await both.ask("/validate", review("issuers", obj("issuers", acme(externalAccountBinding=binding))))

    assert "deprecated" in ours["warnings"][0]
    assert "deprecated" in theirs["warnings"][0]
