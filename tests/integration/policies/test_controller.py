"""The controller under a ServiceAccount with the rights that it needs, and not one more, issues under the policies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster import Cluster
from tests.controller_process import ControllerProcess
from tests.integration.certificate.rig import User
from tests.integration.policies.rig import EXTERNAL_BINDING, RBAC, definition, requests_of
from tests.integration.wiring import client_of
from tests.kubernetes.eventually import eventually

from certwright.clock import SystemClock

HOME, NAME = "cert-manager", "cert-manager"
GROUPS = ("cert-manager.io", "acme.cert-manager.io", "certmanager.k8s.io")
READ, WRITE = ["get", "list", "watch"], ["create", "update", "patch", "delete"]
# What cert-manager's chart gives to its controller, as far as the SelfSigned and CA issuers need it.
RULES = [
    {"apiGroups": list(GROUPS), "resources": ["*"], "verbs": [*READ, *WRITE]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": [*READ, *WRITE]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
]


@pytest.fixture
async def kubeconfig(guarded: Cluster, tmp_path: Path) -> AsyncIterator[Path]:
    """Of the ServiceAccount that `deploy/policies` names."""
    http, name = guarded.http, f"{guarded.namespace}-controller"
    await http.post("/api/v1/namespaces", {"metadata": {"name": HOME}})
    accounts = f"/api/v1/namespaces/{HOME}/serviceaccounts"
    await http.post(accounts, {"metadata": {"name": NAME}})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": HOME}
    await http.post(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": RULES})
    binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
    (await http.post(f"{RBAC}/clusterrolebindings", binding)).ok  # noqa: B018 asserts success
    token = (await http.post(f"{accounts}/{NAME}/token", {"spec": {"expirationSeconds": 3600}})).ok["status"]["token"]
    config = yaml.safe_load(guarded.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    yield path
    await http.delete(f"{RBAC}/clusterrolebindings/{name}")
    await http.delete(f"{RBAC}/clusterroles/{name}")


@contextmanager
def controller(kubeconfig: Path, folder: Path) -> Iterator[ControllerProcess]:
    """At work in all namespaces."""
    process = ControllerProcess(folder, kubeconfig)
    process.start()
    try:
        yield process
    finally:
        process.stop()


async def test_a_certificate_of_a_ca_is_issued(guarded: Cluster, kubeconfig: Path, tmp_path: Path) -> None:
    async with client_of(guarded, SystemClock(), f"user/{guarded.namespace}") as client:
        user = User(client, guarded.namespace)
        with controller(kubeconfig, tmp_path):
            await user.self_signed_issuer()
            await user.certificate("root", {"isCA": True, "commonName": "root"})
            await user.until("root")
            await user.ca_issuer("ca", "root")
            await user.certificate("web", {"issuerRef": {"name": "ca"}})
            await user.until("web")

    [spec] = [found["spec"] for found in await requests(guarded) if found["spec"]["issuerRef"]["name"] == "ca"]
    assert spec["username"] == f"system:serviceaccount:{HOME}:{NAME}"
    assert set(spec["groups"]) == {"system:serviceaccounts", f"system:serviceaccounts:{HOME}", "system:authenticated"}


async def test_without_the_permission_nothing_is_issued(guarded: Cluster, kubeconfig: Path, tmp_path: Path) -> None:
    await guarded.http.delete(f"{RBAC}/clusterrolebindings/certwright-approver")

    async with client_of(guarded, SystemClock(), f"user/{guarded.namespace}") as client:
        user = User(client, guarded.namespace)
        with controller(kubeconfig, tmp_path) as process:
            await user.self_signed_issuer()
            await user.certificate("web")

            async def refused() -> bool:
                return "may not approve or deny for this issuer" in process.log.read_text()

            await eventually(refused)
            changed = await user.patch("web", revisionHistoryLimit=2)

            async def looked_again() -> bool:
                conditions = (await user.get("web")).status.conditions
                return any(each.observed_generation == changed.metadata.generation for each in conditions)

            await eventually(looked_again)
            secret = await user.secret("web")

    assert secret is None
    assert [found.get("status", {}).get("conditions") for found in await requests(guarded)] == [None]


async def requests(cluster: Cluster) -> list[dict[str, Any]]:
    """All CertificateRequests of the test."""
    found: list[dict[str, Any]] = (await cluster.http.get(requests_of(cluster.namespace))).ok["items"]
    return found


async def test_kinds_of_others_are_told_with_the_rights_that_come_with_the_policies(
    guarded: Cluster, kubeconfig: Path, tmp_path: Path
) -> None:
    group = f"{guarded.namespace}.example.com"
    await guarded.install_crd(definition(group, "StepIssuer", "Namespaced"))

    async def told() -> bool:
        metadata = (await guarded.http.get(EXTERNAL_BINDING)).ok["metadata"]
        known: dict[str, str] = metadata.get("annotations", {})
        return known.get(f"{group}/StepIssuer") == "Namespaced/stepissuers"

    with controller(kubeconfig, tmp_path):
        await eventually(told)

    await guarded.http.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stepissuers.{group}")
