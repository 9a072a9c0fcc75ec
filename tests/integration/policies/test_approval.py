"""Who may approve: those with the permission for the signer, by any of its names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.certificate.rig import agent, movable_now
from tests.integration.policies.rig import (
    EXTERNAL_BINDING,
    approve,
    certificate_request,
    definition,
    granted,
    in_force,
    requests_of,
)
from tests.integration.wiring import background, build_cluster, client_of
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually

from certwright.cluster.settings import Settings
from certwright.controllers.issuer_kinds.controller import NEXT_LOOK, NEXT_SEARCH, IssuerKindController

OURS = {"name": "ca"}
CLUSTERS = {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}
LEGACY = {"name": "ca", "kind": "ClusterIssuer", "group": "certmanager.k8s.io"}


NAMES = (
    (OURS, "issuers.cert-manager.io/*", True),
    (OURS, "issuers.cert-manager.io/{namespace}.ca", True),
    (OURS, "issuers.cert-manager.io/ca", False),
    (OURS, "issuers.cert-manager.io/other.ca", False),
    (OURS, "clusterissuers.cert-manager.io/*", False),
    (OURS, "", False),
    (CLUSTERS, "clusterissuers.cert-manager.io/*", True),
    (CLUSTERS, "clusterissuers.cert-manager.io/ca", True),
    (CLUSTERS, "clusterissuers.cert-manager.io/{namespace}.ca", False),
    (CLUSTERS, "issuers.cert-manager.io/*", False),
    (LEGACY, "clusterissuers.certmanager.k8s.io/*", True),
    (LEGACY, "clusterissuers.cert-manager.io/*", False),
)


async def test_names_that_allow(guarded: Cluster) -> None:
    for number, (issuer, signer, allowed) in enumerate(NAMES):
        user, name = f"approver-{number}", f"request-{number}"
        await guarded.http.post(requests_of(guarded.namespace), certificate_request(name, issuer))
        signers = (signer.format(namespace=guarded.namespace),) if signer else ()

        async with granted(guarded, user, *signers), guarded.caller(user) as approver:
            answer = await approve(approver, guarded.namespace, name)

        assert answer.code == (200 if allowed else 403), (issuer, signer, answer.body)
        if not allowed:
            assert f"{user} may not approve or deny for this issuer: let a ClusterRole grant" in answer.body["message"]
            assert answer.body["reason"] == "Forbidden"


async def test_a_denial_needs_the_permission_too(guarded: Cluster) -> None:
    await guarded.http.post(requests_of(guarded.namespace), certificate_request("a"))

    async with granted(guarded, "alice"), guarded.caller("alice") as alice:
        refused = await approve(alice, guarded.namespace, "a", "Denied")
    async with granted(guarded, "alice", "issuers.cert-manager.io/*"), guarded.caller("alice") as alice:
        allowed = await approve(alice, guarded.namespace, "a", "Denied")

    assert (refused.code, allowed.code) == (403, 200)


async def test_what_is_approved_already_may_be_answered_without_the_permission(guarded: Cluster) -> None:
    await guarded.http.post(requests_of(guarded.namespace), certificate_request("a"))
    await approve(guarded.http, guarded.namespace, "a")
    status = requests_of(guarded.namespace, "a", "status")

    async with granted(guarded, "alice"), guarded.caller("alice") as alice:
        answer = await alice.patch(status, {"status": {"certificate": "YQ=="}})
        taken = await alice.patch(status, {"status": {"conditions": []}})

    assert answer.code == 200
    assert taken.code == 422
    assert "condition Approved is final" in taken.body["message"]


async def test_an_unknown_kind_is_refused_to_everybody(guarded: Cluster) -> None:
    issuers = {
        "none": {"name": "x", "kind": "NoIssuer", "group": "none.example.com"},
        "odd": {"name": "x", "kind": "VaultIssuer", "group": "certmanager.k8s.io"},
        "note": {"name": "x", "kind": "Note", "group": "notes.example.com"},
    }
    note = {"metadata": {"annotations": {"notes.example.com/Note": "see/there"}}}
    (await guarded.http.patch(EXTERNAL_BINDING, note)).ok  # noqa: B018 asserts success
    for name, issuer in issuers.items():
        await guarded.http.post(requests_of(guarded.namespace), certificate_request(name, issuer))

        answer = await approve(guarded.http, guarded.namespace, name)

        assert answer.code == 403
        assert f"there is no issuer kind {issuer['kind']} in group {issuer['group']}" in answer.body["message"]


@asynccontextmanager
async def telling_kinds(cluster: Cluster, clock: MovableClock) -> AsyncIterator[None]:
    """The controller that keeps the binding is at work."""
    async with client_of(cluster, clock, agent(cluster)) as client:
        ours = build_cluster(client, clock, Settings(namespace=cluster.namespace))
        async with background(ours.caches.run(), ours.recorder.run()):
            await ours.caches.synced()
            async with background(IssuerKindController(ours).run()):
                yield


async def test_without_the_policies_nothing_is_written_and_later_ones_are_found(cluster: Cluster) -> None:
    await cluster.install_crds()
    group, clock = f"{cluster.namespace}.example.com", movable_now()
    await cluster.install_crd(definition(group, "StepIssuer", "Namespaced"))

    async with telling_kinds(cluster, clock):
        await clock.run_for(3 * NEXT_SEARCH)
        before = cluster.writes(agent(cluster))
        async with in_force(cluster):

            async def told() -> bool:
                clock.advance(NEXT_SEARCH)
                metadata = (await cluster.http.get(EXTERNAL_BINDING)).ok["metadata"]
                return f"{group}/StepIssuer" in metadata.get("annotations", {})

            await eventually(told)

    assert not before
    await cluster.http.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stepissuers.{group}")


async def test_kinds_of_others_are_known_while_the_controller_runs(guarded: Cluster) -> None:
    group = f"{guarded.namespace}.example.com"
    kinds = {"StepIssuer": "Namespaced", "StepClusterIssuer": "Cluster", "Signatory": "Cluster"}
    clock = movable_now()
    for kind in kinds:
        issuer = {"name": "x", "kind": kind, "group": group}
        await guarded.http.post(requests_of(guarded.namespace), certificate_request(kind.lower(), issuer))

    async with telling_kinds(guarded, clock):
        for kind, scope in kinds.items():
            await guarded.install_crd(definition(group, kind, scope))

        async def told() -> bool:
            clock.advance(NEXT_LOOK)
            annotations: dict[str, str] = (
                (await guarded.http.get(EXTERNAL_BINDING)).ok["metadata"].get("annotations", {})
            )
            return {f"{group}/{kind}" for kind in kinds} <= annotations.keys()

        await eventually(told)
    written = guarded.writes(agent(guarded))

    names = (f"stepissuers.{group}/{guarded.namespace}.x", f"stepclusterissuers.{group}/x", f"signatorys.{group}/*")
    async with granted(guarded, "alice", *names), guarded.caller("alice") as alice:

        async def approved() -> bool:
            """A real server takes up a change of the parameter after a moment."""
            answers = [await approve(alice, guarded.namespace, kind.lower()) for kind in kinds]
            return all(answer.code == 200 for answer in answers)

        await eventually(approved)
    assert set(written) == {Write("patch", "validatingadmissionpolicybindings.admissionregistration.k8s.io")}
    assert sum(written.values()) <= len(kinds)
    for kind in kinds:
        await guarded.http.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.lower()}s.{group}")
