"""The policies of `deploy/policies` in force on a server, people with and without permissions, and what they ask."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.cluster import Cluster
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Answer, Http
from tests.unit.rules.sample import csr, spec

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "policies"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_PLURALS = {
    "ClusterRole": f"{RBAC}/clusterroles",
    "ClusterRoleBinding": f"{RBAC}/clusterrolebindings",
    "ValidatingAdmissionPolicy": f"{ADMISSION}/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": f"{ADMISSION}/validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": f"{ADMISSION}/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": f"{ADMISSION}/mutatingadmissionpolicybindings",
}
EXTERNAL_BINDING = f"{ADMISSION}/validatingadmissionpolicybindings/certwright-external-approval"
PROBED = "default"
"""The namespace in which is looked whether policies are in force: no test labels it."""
REQUEST = base64.b64encode(csr(spec(commonName="web"))).decode()


def deployed() -> list[dict[str, Any]]:
    """The objects of all files, in the order in which `kubectl apply -f` takes them."""
    return [found for file in sorted(FOLDER.glob("*.yaml")) for found in yaml.safe_load_all(file.read_text())]


def path_of(found: dict[str, Any]) -> str:
    """Where an object of the files is served."""
    return f"{_PLURALS[found['kind']]}/{found['metadata']['name']}"


def requests_of(namespace: str, name: str = "", subresource: str = "") -> str:
    """The path of CertificateRequests."""
    path = f"/apis/cert-manager.io/v1/namespaces/{namespace}/certificaterequests"
    return "/".join(part for part in (path, name, subresource) if part)


def certificate_request(name: str, issuer: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A CertificateRequest; `annotations` go to its metadata, the rest into its spec."""
    metadata = {"name": name, "annotations": more.pop("annotations", {})}
    wanted = {"request": REQUEST, "issuerRef": issuer or {"name": "ca"}, **more}
    return {"apiVersion": "cert-manager.io/v1", "kind": "CertificateRequest", "metadata": metadata, "spec": wanted}


@asynccontextmanager
async def in_force(cluster: Cluster) -> AsyncIterator[None]:
    """The policies hold within; after it they are gone."""
    await cluster.install_crds()
    for found in deployed():
        (await cluster.http.apply(path_of(found), found, "installer")).ok  # noqa: B018 asserts success
    try:
        await eventually(lambda: _all_are(cluster, in_force=True))
        yield
    finally:
        for found in reversed(deployed()):
            await cluster.http.delete(path_of(found))
        # What was deleted is in force for a moment longer: a test that follows would take it for its own.
        await eventually(lambda: _all_are(cluster, in_force=False))


async def _all_are(cluster: Cluster, *, in_force: bool) -> bool:
    async with cluster.caller("nobody") as nobody, granted(cluster, "nobody"):
        names = [f"{cluster.namespace}-{kind}-{uuid.uuid4().hex[:6]}" for kind in ("ours", "external")]
        found = await _acting(cluster.http, nobody, names)
        for name in names:
            await cluster.http.delete(requests_of(PROBED, name))
    return found is not None and set(found) == {in_force}


async def _acting(http: Http, nobody: Http, names: list[str]) -> list[bool] | None:
    """Whether each of the policies changes or refuses what it should; None where a schema is not there yet."""
    ours, external = names
    annotated = {"metadata": {"annotations": {"cert-manager.io/x": "2"}}}
    issuer = {"name": "x", "kind": "X", "group": "x.example.com"}
    created = await http.post(requests_of(PROBED), certificate_request(ours, annotations={"cert-manager.io/x": "1"}))
    if created.code == 503:
        # A mutating policy waits for the schema of a new definition.
        return None
    (await http.post(requests_of(PROBED), certificate_request(external, issuer))).ok  # noqa: B018 asserts success
    refused = (
        await http.patch(requests_of(PROBED, ours), annotated),
        await approve(nobody, PROBED, ours),
        await approve(http, PROBED, external),
    )
    return [created.ok["spec"].get("username") == "admin", *(answer.code == 403 for answer in refused)]


def judgement(kind: str = "Approved") -> dict[str, Any]:
    """A patch of status that approves or denies."""
    moment = "2026-01-01T00:00:00Z"
    condition = {"type": kind, "status": "True", "reason": "test", "message": "judged", "lastTransitionTime": moment}
    return {"status": {"conditions": [condition]}}


async def approve(who: Http, namespace: str, name: str, kind: str = "Approved") -> Answer:
    """Approve or deny as that person."""
    return await who.patch(requests_of(namespace, name, "status"), judgement(kind))


@asynccontextmanager
async def granted(cluster: Cluster, user: str, *signers: str) -> AsyncIterator[None]:
    """Within it the user may write CertificateRequests and their status, and approve for those names of signers."""
    name = f"{cluster.namespace}-{uuid.uuid4().hex[:6]}"
    rules: list[dict[str, Any]] = [
        {
            "apiGroups": ["cert-manager.io"],
            "resources": ["certificaterequests", "certificaterequests/status"],
            "verbs": ["get", "create", "update", "patch"],
        }
    ]
    if signers:
        rules.append(_approval(signers))
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    bound = {"roleRef": role, "subjects": [{"kind": "User", "name": user, "apiGroup": role["apiGroup"]}]}
    await cluster.http.post(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    await cluster.http.post(f"{RBAC}/clusterrolebindings", {"metadata": {"name": name}, **bound})
    try:
        async with cluster.caller(user) as caller:
            await eventually(lambda: _may_write(caller, cluster.namespace))
            yield
    finally:
        await cluster.http.delete(f"{RBAC}/clusterrolebindings/{name}")
        await cluster.http.delete(f"{RBAC}/clusterroles/{name}")


def _approval(signers: Sequence[str]) -> dict[str, Any]:
    return {
        "apiGroups": ["cert-manager.io"],
        "resources": ["signers"],
        "verbs": ["approve"],
        "resourceNames": list(signers),
    }


async def _may_write(caller: Http, namespace: str) -> bool:
    return (await caller.get(requests_of(namespace, "not-there"))).code == 404


def definition(group: str, kind: str, scope: str) -> dict[str, object]:
    """The definition of an external issuer kind."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }
