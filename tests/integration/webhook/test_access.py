"""The rights in `deploy/webhook/access.yaml` are enough for the webhook, and no more than it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster import Cluster
from tests.integration.certificate.rig import movable_now
from tests.integration.policies.rig import RBAC
from tests.integration.webhook.rig import FOLDER
from tests.kubernetes.eventually import eventually
from tests.kubernetes.kubeconfig import write_kubeconfig
from tests.unit.webhook.questions import APPROVED, judged, question, refusal

from certwright.app.webhook import build_admission
from certwright.kube.client.client import KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Forbidden
from certwright.rules.gates import Gates
from certwright.webhook.serving.authority import RAW_SECRET, AuthoritySecret
from certwright.webhook.serving.source import NotYet

CA = "cert-manager-webhook-ca"
PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
}


@asynccontextmanager
async def granted_to(cluster: Cluster, user: str) -> AsyncIterator[None]:
    """Within it the user has, in the test's namespace, what the file gives to the ServiceAccount."""
    made = []
    for found in yaml.safe_load_all((FOLDER / "access.yaml").read_text()):
        path = _path(found, cluster.namespace)
        (await cluster.http.post(path, _for_user(found, cluster.namespace, user))).ok  # noqa: B018 asserts success
        made.append(f"{path}/{cluster.namespace}-{found['metadata']['name']}")
    try:
        yield
    finally:
        for path in reversed(made):
            await cluster.http.delete(path)


def _path(found: dict[str, Any], namespace: str) -> str:
    scope = f"/namespaces/{namespace}" if "namespace" in found["metadata"] else ""
    return f"{RBAC}{scope}/{PLURALS[found['kind']]}"


def _for_user(found: dict[str, Any], namespace: str, user: str) -> dict[str, Any]:
    changed = {**found, "metadata": {"name": f"{namespace}-{found['metadata']['name']}"}}
    if "roleRef" in found:
        changed["roleRef"] = {**found["roleRef"], "name": f"{namespace}-{found['roleRef']['name']}"}
        changed["subjects"] = [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}]
    return changed


async def test_the_rights_of_the_webhook(cluster: Cluster, tmp_path: Path) -> None:
    await cluster.install_crds()
    user, path, clock = f"webhook-{cluster.namespace}", tmp_path / "kubeconfig", movable_now()
    write_kubeconfig(path, cluster.server.address, cluster.server.ca, cluster.server.user(user))
    client = KubeClient(find_connection({}, str(path)), clock)
    secret = AuthoritySecret(client, clock, ObjectKey(cluster.namespace, CA))
    asked = question("certificaterequests", judged(APPROVED), judged(), subresource="status")
    try:
        async with granted_to(cluster, user):

            async def has_a_ca() -> bool:
                try:
                    return bool(await secret.current())
                except NotYet:
                    return False

            await eventually(has_a_ca)
            first = await secret.current()
            clock.advance(timedelta(days=300))
            second = await secret.current()
            message = refusal(await build_admission(client, clock, Gates()).validate(asked))
            with pytest.raises(Forbidden):
                await client.get(RAW_SECRET, ObjectKey(cluster.namespace, "other"))
    finally:
        await client.close()

    assert second.facts.serial != first.facts.serial
    assert "User 'ann' may not approve or deny" in message
