"""CertificateRequests: whose they are, what may change, and who may approve them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.integration.policies.rig import approve, certificate_request, definition, granted, requests_of
from tests.integration.webhook.rig import DENIED, Guarded

from certwright.pki import pem

OURS = {"name": "ca"}
CERTIFICATE = base64.b64encode(pem.write(pem.CERTIFICATE, b"x")).decode()
CLUSTERS = {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}
FORGED: dict[str, Any] = {"username": "eve", "uid": "0", "groups": ["system:masters"], "extra": {"a": ["b"]}}


async def test_forged_identities_are_overwritten(guarded: Guarded) -> None:
    async with granted(guarded.cluster, "ann"), guarded.cluster.caller("ann") as ann:
        answers = [
            await ann.post(requests_of(guarded.namespace), certificate_request(name, **claimed))
            for name, claimed in (("bare", {}), ("forged", FORGED))
        ]

    for answer in answers:
        stored = answer.ok["spec"]
        assert (stored["username"], stored["groups"]) == ("ann", ["system:authenticated"])
        assert stored["uid"] == ""
        # A real server tells by which credential somebody came.
        assert not set(stored.get("extra", {})) - {"authentication.kubernetes.io/credential-id"}


@pytest.mark.parametrize("field", ["username", "uid", "groups", "extra"])
async def test_identities_never_change(guarded: Guarded, field: str) -> None:
    await guarded.cluster.http.post(requests_of(guarded.namespace), certificate_request("a"))

    answer = await guarded.cluster.http.patch(requests_of(guarded.namespace, "a"), {"spec": {field: FORGED[field]}})

    assert answer.code in {403, 422}
    assert f"spec.{field}" in answer.body["message"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"request": "bm8gUEVN"}, "holds no PEM block"),
        ({"request": CERTIFICATE}, "a PEM block CERTIFICATE where"),
        ({"request": "QUFB" * 20_000}, "more than the 36500 that are read"),
        ({"isCA": True}, "cert sign"),
        ({"usages": ["server auth"]}, "they must be the same"),
        ({"issuer": {"name": "x", "kind": "Ghost"}}, "issuerRef.kind"),
    ],
)
async def test_requests_that_cannot_be(guarded: Guarded, changes: dict[str, Any], words: str) -> None:
    body = certificate_request("a", **changes)

    answer = await guarded.cluster.http.post(requests_of(guarded.namespace), body)

    assert answer.code in {403, 422}
    assert words in answer.body["message"]


async def test_annotations(guarded: Guarded) -> None:
    http, path = guarded.cluster.http, requests_of(guarded.namespace, "a")
    fixed, free = "cert-manager.io/certificate-name", "venafi.cert-manager.io/pickup-id"
    await http.post(requests_of(guarded.namespace), certificate_request("a", annotations={fixed: "a", free: "1"}))

    for change in ({fixed: "b"}, {fixed: None}, {"acme.cert-manager.io/new": "x"}):
        refused = await http.patch(path, {"metadata": {"annotations": change}})
        assert refused.code == 403
        assert refused.body["message"].startswith(f"{DENIED}metadata.annotations[{next(iter(change))}]: Forbidden: ")
    allowed = await http.patch(path, {"metadata": {"annotations": {free: "2", "example.test/x": "y"}}})

    assert allowed.code == 200


@pytest.mark.parametrize(
    ("issuer", "signer", "allowed"),
    [
        (OURS, "issuers.cert-manager.io/*", True),
        (OURS, "issuers.cert-manager.io/{namespace}.ca", True),
        (OURS, "issuers.cert-manager.io/ca", False),
        (OURS, "clusterissuers.cert-manager.io/*", False),
        (OURS, "", False),
        (CLUSTERS, "clusterissuers.cert-manager.io/*", True),
        (CLUSTERS, "clusterissuers.cert-manager.io/ca", True),
        (CLUSTERS, "clusterissuers.cert-manager.io/{namespace}.ca", False),
        (CLUSTERS, "", False),
    ],
)
async def test_who_may_approve(guarded: Guarded, issuer: dict[str, str], signer: str, allowed: bool) -> None:
    await guarded.cluster.http.post(requests_of(guarded.namespace), certificate_request("a", issuer))
    signers = (signer.format(namespace=guarded.namespace),) if signer else ()

    async with granted(guarded.cluster, "ann", *signers), guarded.cluster.caller("ann") as ann:
        answer = await approve(ann, guarded.namespace, "a")

    assert answer.code == (200 if allowed else 403), answer.body
    if not allowed:
        message = f"{DENIED}status.conditions: Forbidden: User 'ann' may not approve or deny for this issuer"
        assert answer.body["message"].startswith(message)


async def test_a_denial_needs_the_permission_too(guarded: Guarded) -> None:
    await guarded.cluster.http.post(requests_of(guarded.namespace), certificate_request("a"))

    async with granted(guarded.cluster, "ann"), guarded.cluster.caller("ann") as ann:
        refused = await approve(ann, guarded.namespace, "a", "Denied")
    async with granted(guarded.cluster, "bob", "issuers.cert-manager.io/*"), guarded.cluster.caller("bob") as bob:
        allowed = await approve(bob, guarded.namespace, "a", "Denied")
        changed = await approve(bob, guarded.namespace, "a", "Approved")

    assert (refused.code, allowed.code) == (403, 200)
    assert changed.code in {403, 422}


async def test_a_kind_of_issuers_that_does_not_exist_and_one_that_does(guarded: Guarded) -> None:
    http, group = guarded.cluster.http, f"g{guarded.namespace}.example.test"
    await guarded.cluster.install_crd(definition(group, "Forge", "Namespaced"))
    for name, kind in (("ghost", "Ghost"), ("forge", "Forge")):
        issuer = {"name": "x", "kind": kind, "group": group}
        await http.post(requests_of(guarded.namespace), certificate_request(name, issuer))

    async with (
        granted(guarded.cluster, "ann", f"forges.{group}/{guarded.namespace}.x"),
        guarded.cluster.caller("ann") as ann,
    ):
        ghost = await approve(ann, guarded.namespace, "ghost")
        forge = await approve(ann, guarded.namespace, "forge")

    assert ghost.code == 403
    message = f"{DENIED}spec.issuerRef: Forbidden: There is no kind Ghost of {group}"
    assert ghost.body["message"].startswith(message)
    assert forge.code == 200


async def test_a_dry_run_stores_nothing_and_is_judged_all_the_same(guarded: Guarded) -> None:
    http, path = guarded.cluster.http, requests_of(guarded.namespace)
    made = await http.post(path, certificate_request("dry", **FORGED), dryRun="All")
    await http.post(path, certificate_request("a"))
    status = {"conditions": [{"type": "Approved", "status": "True", "reason": "r", "message": "m"}]}

    async with granted(guarded.cluster, "ann"), guarded.cluster.caller("ann") as ann:
        refused = await ann.patch(f"{path}/a/status", {"status": status}, dryRun="All")
    judged = await http.patch(f"{path}/a/status", {"status": status}, dryRun="All")

    assert made.ok["spec"]["username"] == "admin"
    assert (await http.get(f"{path}/dry")).code == 404
    assert (refused.code, judged.code) == (403, 200)
    assert not (await http.get(f"{path}/a")).ok.get("status")
    assert {write.resource for write in guarded.cluster.writes("certwright-webhook")} <= {
        "secrets",
        "subjectaccessreviews.authorization.k8s.io",
    }
