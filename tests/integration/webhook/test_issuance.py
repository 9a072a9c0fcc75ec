"""Our own controller issues under the webhook, with the rights it needs and not one more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.cluster import Cluster
from tests.controller_process import ControllerProcess
from tests.integration.certificate.rig import User
from tests.integration.policies.rig import RBAC, granted
from tests.integration.webhook.rig import Guarded
from tests.integration.wiring import client_of
from tests.kubernetes.eventually import eventually
from tests.kubernetes.kubeconfig import write_kubeconfig

from certwright.clock import SystemClock

GROUPS = ["cert-manager.io", "acme.cert-manager.io", "certmanager.k8s.io"]
RULES: list[dict[str, Any]] = [
    {
        "apiGroups": GROUPS,
        "resources": ["*"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
    },
    {
        "apiGroups": [""],
        "resources": ["secrets"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
    },
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
]


@asynccontextmanager
async def at_work(guarded: Guarded, folder: Path, *signers: str) -> AsyncIterator[User]:
    """The controller as the user `controller`, who may approve for those signers; and a person who looks."""
    cluster, user = guarded.cluster, f"controller-{guarded.namespace}"
    kubeconfig = folder / "kubeconfig"
    write_kubeconfig(kubeconfig, cluster.server.address, cluster.server.ca, cluster.server.user(user))
    process = ControllerProcess(folder, kubeconfig, [f"--namespace={guarded.namespace}"])
    async with (
        granted(cluster, user, *signers),
        allowed(cluster, user),
        client_of(cluster, SystemClock(), f"user/{guarded.namespace}") as client,
    ):
        process.start()
        try:
            yield User(client, guarded.namespace)
        finally:
            process.stop()


@asynccontextmanager
async def allowed(cluster: Cluster, user: str) -> AsyncIterator[None]:
    """Within it the user has the rights of a controller."""
    name = f"{user}-rules"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subject = {"kind": "User", "name": user, "apiGroup": role["apiGroup"]}
    await cluster.http.post(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": RULES})
    binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
    (await cluster.http.post(f"{RBAC}/clusterrolebindings", binding)).ok  # noqa: B018 asserts success
    try:
        yield
    finally:
        await cluster.http.delete(f"{RBAC}/clusterrolebindings/{name}")
        await cluster.http.delete(f"{RBAC}/clusterroles/{name}")


async def test_a_ca_and_its_leaf_are_issued(guarded: Guarded, tmp_path: Path) -> None:
    async with at_work(guarded, tmp_path, "issuers.cert-manager.io/*") as user:
        await user.self_signed_issuer()
        await user.certificate("ca", {"isCA": True, "commonName": "ca"})
        await user.until("ca")
        await user.ca_issuer("ca", "ca")

        await user.certificate("web", {"issuerRef": {"name": "ca"}})
        await user.until("web")

        requests = await user.requests()
    assert len(requests) == 2
    assert {request.spec.username for request in requests} == {f"controller-{guarded.namespace}"}


async def test_without_the_permission_nothing_is_approved_and_so_nothing_issued(
    guarded: Guarded, tmp_path: Path
) -> None:
    async with at_work(guarded, tmp_path, "clusterissuers.cert-manager.io/*") as user:
        await user.self_signed_issuer()
        await user.certificate("web")
        await user.until("web", "False")

        async def is_refused() -> bool:
            return b"may not approve or deny for this issuer" in (tmp_path / "controller.log").read_bytes()

        await eventually(is_refused)
        requests = await user.requests()
        secret = await user.secret("web")

    assert [request.status.conditions for request in requests] == [()]
    assert secret is None
