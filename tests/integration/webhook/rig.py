"""The webhook at work in front of a server, registered as `deploy/webhook` says, for the test's namespace only."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.cluster import Cluster
from tests.integration.policies.rig import certificate_request, requests_of
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Answer

from certwright.app.webhook import FromOwnCA, Running, WebhookOptions, webhook_running
from certwright.clock import SystemClock
from certwright.kube.wire.keys import ObjectKey

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "webhook"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
NAME = "cert-manager-webhook"
CA_SECRET = "webhook-ca"
DENIED = 'admission webhook "webhook.cert-manager.io" denied the request: '
PATHS = {"Mutating": "mutate", "Validating": "validate"}


@dataclass
class Guarded:
    """A server that asks the webhook, which is at `port`."""

    cluster: Cluster
    running: Running

    @property
    def namespace(self) -> str:
        """The test's own."""
        return self.cluster.namespace

    async def create(self, plural: str, spec: dict[str, Any], **params: str) -> Answer:
        """An object of cert-manager.io of a new name."""
        scope = "" if plural == "clusterissuers" else f"namespaces/{self.namespace}/"
        body = {
            "apiVersion": "cert-manager.io/v1",
            "kind": KINDS[plural],
            "metadata": {"name": f"x-{uuid.uuid4().hex[:8]}"},
            "spec": spec,
        }
        return await self.cluster.http.post(f"/apis/cert-manager.io/v1/{scope}{plural}", body, **params)


KINDS = {
    "certificates": "Certificate",
    "issuers": "Issuer",
    "clusterissuers": "ClusterIssuer",
    "certificaterequests": "CertificateRequest",
}


def options_for(cluster: Cluster) -> WebhookOptions:
    """On free ports of loopback, with a certificate of its own CA."""
    return WebhookOptions(
        serving=FromOwnCA(ObjectKey(cluster.namespace, CA_SECRET), ("127.0.0.1", "localhost")),
        kubeconfig=cluster.kubeconfig,
        bind_address="127.0.0.1",
        secure_port=0,
        healthz_port=0,
        metrics_listen_address="127.0.0.1:0",
    )


@asynccontextmanager
async def guarded_by_webhook(cluster: Cluster) -> AsyncIterator[Guarded]:
    """Within it the webhook runs and is asked."""
    await cluster.install_crds()
    async with webhook_running(options_for(cluster), SystemClock()) as running:
        bundle = await eventually(lambda: ca_bundle(cluster))
        async with registered(cluster, running.port, bundle):
            yield Guarded(cluster, running)


async def ca_bundle(cluster: Cluster) -> str | None:
    """What clients are told to trust, in base64; None until the webhook has made it."""
    found = await cluster.http.get(f"/api/v1/namespaces/{cluster.namespace}/secrets/{CA_SECRET}")
    return str(found.body["data"]["ca.crt"]) if found.code == 200 else None


@asynccontextmanager
async def registered(cluster: Cluster, port: int, bundle: str) -> AsyncIterator[None]:
    """Within it the server asks whoever listens on the port."""
    try:
        for kind, path in PATHS.items():
            found = configuration(kind, f"https://127.0.0.1:{port}/{path}", bundle, cluster.namespace)
            (await cluster.http.apply(path_of(kind), found, "installer")).ok  # noqa: B018 asserts success
        await eventually(lambda: _is_asked(cluster))
        yield
    finally:
        for kind in PATHS:
            await cluster.http.delete(path_of(kind))


def path_of(kind: str) -> str:
    """Where the configuration is served."""
    return f"{ADMISSION}/{kind.lower()}webhookconfigurations/{NAME}"


def configuration(kind: str, url: str, bundle: str, namespace: str) -> dict[str, Any]:
    """The configuration of `deploy/webhook`, for a URL, and of the namespaced objects for those of one namespace."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{kind.lower()}.yaml").read_text())
    webhook = found["webhooks"][0]
    webhook["clientConfig"] = {"url": url, "caBundle": bundle}
    selector = webhook.setdefault("namespaceSelector", {"matchExpressions": []})
    here = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
    selector["matchExpressions"].append(here)
    return found


async def _is_asked(cluster: Cluster) -> bool:
    """Whether both configurations are in force: a real server takes them up after a moment."""
    path = requests_of(cluster.namespace)
    changed = await cluster.http.post(path, certificate_request("probe", username="eve"), dryRun="All")
    refused = await cluster.http.post(path, certificate_request("probe", request="bm9uZQ=="), dryRun="All")
    return changed.code == 201 and changed.ok["spec"]["username"] == "admin" and refused.code == 403
