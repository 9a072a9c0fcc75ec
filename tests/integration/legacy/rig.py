"""The legacy group in this process, on the API server of the test: caches, engine, presenters, mirrors."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.cluster import Cluster as ServerUnderTest
from tests.kubernetes.eventually import eventually

from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.clock import Clock, SystemClock
from certwright.cluster.caches import build_caches
from certwright.cluster.cluster import Cluster
from certwright.cluster.dialects import IssuerPresenter, IssuerSource
from certwright.cluster.issuers import IssuerDirectory
from certwright.cluster.legacy import LegacySources, legacy_sources
from certwright.cluster.modern import ModernIssuers
from certwright.cluster.pending import PendingKeys
from certwright.cluster.secrets import SecretReader
from certwright.cluster.settings import LegacyMode, Settings
from certwright.controllers.certificate.controller import CertificateController
from certwright.controllers.certificate.presenter import ModernCertificatePresenter
from certwright.controllers.certificate_request.controller import CertificateRequestController
from certwright.controllers.issuer.controller import IssuerController
from certwright.controllers.issuer.presenter import ModernIssuerPresenter
from certwright.controllers.legacy.legacy import LegacyGroup
from certwright.issuers.base import IssuerType, Outcome, Pending, RequestToSign, Verdict
from certwright.issuers.ca import CA
from certwright.issuers.selfsigned import SelfSigned
from certwright.kube.client.client import KubeClient
from certwright.kube.client.kubeconfig import load_kubeconfig
from certwright.kube.runtime.recorder import Recorder
from certwright.rules.hub import Dialect, HubIssuer

Plain = dict[str, Any]  # JSON of an object
LEGACY = "/apis/certmanager.k8s.io/v1alpha1"
MODERN = "/apis/cert-manager.io/v1"


@dataclass(frozen=True)
class Rig:
    """What a test looks at."""

    server: ServerUnderTest
    cluster: Cluster
    sources: LegacySources
    group: LegacyGroup

    @property
    def namespace(self) -> str:
        return self.server.namespace

    async def kubectl(self, *args: str, stdin: object = None) -> str:
        """kubectl's output; it must succeed. An object is given as JSON."""
        text = json.dumps(stdin) if isinstance(stdin, dict) else stdin
        assert text is None or isinstance(text, str)
        done = await asyncio.to_thread(self.server.kubectl, *args, stdin=text)
        assert done.returncode == 0, f"{args}: {done.stderr}"
        return done.stdout

    async def make(self, kind: str, name: str, spec: object, **rest: Any) -> Plain:
        """Create a legacy object by kubectl."""
        body = {
            "apiVersion": "certmanager.k8s.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
            **rest,
        }
        found: Plain = json.loads(await self.kubectl("create", "-f", "-", "-o", "json", stdin=body))
        return found

    async def get(self, group: str, plural: str, name: str) -> Plain | None:
        """An object of the test's namespace; None where there is none."""
        answer = await self.server.http.get(f"{group}/namespaces/{self.namespace}/{plural}/{name}")
        return None if answer.code == 404 else answer.ok

    async def ready(self, plural: str, name: str, reason: str, group: str = LEGACY) -> Plain:
        """The object, once its Ready condition has that reason."""

        async def look() -> Plain | None:
            found = await self.get(group, plural, name)
            ready = condition_of(found or {})
            return found if found and ready and ready.get("reason") == reason else None

        return await eventually(look)

    async def events(self, uid: str) -> list[tuple[str, str, str]]:
        """Type, reason and message of the events about an object, as `kubectl describe` would order them."""
        path = f"/api/v1/namespaces/{self.namespace}/events"
        found = (await self.server.http.get(path, fieldSelector=f"involvedObject.uid={uid}")).ok["items"]
        # kubectl sorts by the second, and leaves those of one second in the order of the list: that of their names.
        ordered = sorted(found, key=lambda event: datetime.fromisoformat(event["lastTimestamp"]))
        return [(event["type"], event["reason"], event["message"]) for event in ordered]


class ByHand(IssuerType):
    """An ACME issuer whose orders the test makes: it is always ready, and answers no request."""

    async def check(self, issuer: HubIssuer) -> Verdict:
        message = "The ACME account was registered with the ACME server"
        account = AcmeIssuerStatus(uri="https://acme/acct/1", last_registered_email="e", last_private_key_hash="h")
        return Verdict(ready=True, reason="ACMEAccountRegistered", message=message, acme=account)

    async def sign(self, issuer: HubIssuer, request: RequestToSign) -> Outcome:
        return Pending("the order is under way")


def condition_of(found: Plain, kind: str = "Ready") -> Plain | None:
    """The condition of that type."""
    conditions: list[Plain] = found.get("status", {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), None)


def collapsed(text: str) -> str:
    """White space made single."""
    return re.sub(r"\s+", " ", text)


@asynccontextmanager
async def legacy_rig(
    server: ServerUnderTest, mode: LegacyMode = "mirror", clock: Clock | None = None
) -> AsyncIterator[Rig]:
    """Everything of the legacy group runs, for the namespace of the test and for ClusterIssuers."""
    await server.install_crds()
    clock = clock or SystemClock()
    client = KubeClient(load_kubeconfig([server.kubeconfig]), clock)
    rig = _rig(client, clock, server, mode)
    caches, legacy = rig.cluster.caches, rig.sources.caches
    running = [asyncio.ensure_future(part) for part in (caches.run(), legacy.run(), rig.cluster.recorder.run())]
    try:
        await asyncio.gather(caches.synced(), legacy.synced())
        running += [asyncio.ensure_future(part) for part in _controllers(rig)]
        yield rig
    finally:
        for task in running:
            task.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
        await client.close()
        faults = [each for each in ended if isinstance(each, Exception)]
        assert not faults, faults


def _rig(client: KubeClient, clock: Clock, server: ServerUnderTest, mode: LegacyMode) -> Rig:
    settings = Settings(legacy_mode=mode)
    caches = build_caches(client, clock, settings)
    sources = legacy_sources(client, clock, settings, caches)
    by_dialect: dict[Dialect, IssuerSource] = {Dialect.MODERN: ModernIssuers(caches), Dialect.LEGACY: sources.issuers}
    cluster = Cluster(
        client=client,
        clock=clock,
        recorder=Recorder(client, clock),
        caches=caches,
        issuers=IssuerDirectory(by_dialect, mirrored=mode == "mirror"),
        secrets=SecretReader(client),
        pending=PendingKeys(),
        settings=settings,
    )
    return Rig(server, cluster, sources, LegacyGroup(cluster, sources))


def _controllers(rig: Rig) -> list[Coroutine[None, None, None]]:
    cluster, sources, group = rig.cluster, rig.sources, rig.group
    types: dict[str, IssuerType] = {"self_signed": SelfSigned(cluster), "ca": CA(cluster), "acme": ByHand()}
    issuer_words: dict[Dialect, IssuerPresenter] = {
        Dialect.MODERN: ModernIssuerPresenter(cluster),
        Dialect.LEGACY: group.issuers,
    }
    certificates = CertificateController(
        cluster,
        {Dialect.MODERN: sources.modern, Dialect.LEGACY: sources.certificates},
        {Dialect.MODERN: ModernCertificatePresenter(cluster), Dialect.LEGACY: group.certificates},
        types,
    )
    return [
        group.run(),
        IssuerController(cluster, types, issuer_words).run(),
        CertificateRequestController(cluster, types).run(),
        certificates.run(),
    ]
