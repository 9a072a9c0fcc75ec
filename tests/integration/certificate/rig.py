"""The certificate line on an API server, wired as the controller process wires it, in the test's own namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import Struct
from tests.clock import MovableClock
from tests.cluster import Cluster as Server
from tests.integration.wiring import Line, background, build_cluster, client_of, rest
from tests.kubernetes.eventually import eventually

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import EVENT, SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST, ISSUER
from certwright.api.meta import Condition, JSONObject, to_json
from certwright.api.resource import Kind
from certwright.api.wellknown import Label
from certwright.clock import Clock, SystemClock
from certwright.cluster.cluster import Cluster
from certwright.cluster.modern import ModernCertificates
from certwright.cluster.settings import Settings
from certwright.controllers.certificate.controller import CertificateController
from certwright.controllers.certificate.presenter import ModernCertificatePresenter
from certwright.controllers.certificate_request.controller import CertificateRequestController
from certwright.controllers.issuer.controller import IssuerController
from certwright.controllers.issuer.presenter import ModernIssuerPresenter
from certwright.issuers.base import IssuerType
from certwright.issuers.ca import CA
from certwright.issuers.selfsigned import SelfSigned
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import NotFound
from certwright.pki.keys import parse_private_key, public_key_digest
from certwright.rules.conditions import find_condition
from certwright.rules.hub import Dialect


def movable_now() -> MovableClock:
    """A clock that begins at the machine's time, since the API server stamps objects with that."""
    return MovableClock(SystemClock().now().replace(microsecond=0))


def agent(server: Server) -> str:
    """The User-Agent of the controllers under test."""
    return f"certificate-line/{server.namespace}"


class Controllers:
    """The four loops of the line, and their caches."""

    def __init__(self, cluster: Cluster, more: Mapping[str, IssuerType] | None = None) -> None:
        self.cluster = cluster
        types: dict[str, IssuerType] = {"ca": CA(cluster), "self_signed": SelfSigned(cluster), **(more or {})}
        sources = {Dialect.MODERN: ModernCertificates(cluster.caches, cluster.settings.gates)}
        presenters = {Dialect.MODERN: ModernCertificatePresenter(cluster)}
        self.issuers = IssuerController(cluster, types, {Dialect.MODERN: ModernIssuerPresenter(cluster)})
        self.requests = CertificateRequestController(cluster, types)
        self.certificates = CertificateController(cluster, sources, presenters, types)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Controllers]:
        """Until the block ends."""
        async with background(self.cluster.caches.run(), self.cluster.recorder.run()):
            await self.cluster.caches.synced()
            async with background(self.issuers.run(), self.requests.run(), self.certificates.run()):
                yield self

    async def rest(self) -> None:
        """Return when no pass is under way and every event is written."""
        await rest(self.cluster.recorder, self.issuers, self.requests, self.certificates)


@asynccontextmanager
async def controllers(server: Server, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Controllers]:
    """The controllers at work in the test's namespace; renewals come to the second, if it is not told otherwise."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(client_of(server, clock, agent(server)))
        cluster = build_cluster(
            client, clock, Settings(**{"namespace": server.namespace, "renewal_spread": 0, **settings})
        )
        yield await stack.enter_async_context(Controllers(cluster).running())


class User:
    """What a person does and sees, with a client of their own."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self.client = client
        self.namespace = namespace

    def key(self, name: str) -> ObjectKey:
        """In the test's namespace."""
        return ObjectKey(self.namespace, name)

    async def create(self, kind: Kind[Any], name: str, spec: JSONObject, **metadata: Any) -> Any:
        """An object of ours."""
        body: JSONObject = {
            "apiVersion": kind.resource.api_version,
            "kind": kind.resource.kind,
            "metadata": {"name": name, **metadata},
            "spec": spec,
        }
        return await self.client.create(kind, body, self.namespace)

    async def self_signed_issuer(self, name: str = "selfsigned") -> None:
        """An Issuer of the type SelfSigned."""
        await self.create(ISSUER, name, {"selfSigned": {}})

    async def ca_issuer(self, name: str, secret_name: str, **more: Any) -> None:
        """An Issuer of the type CA."""
        await self.create(ISSUER, name, {"ca": {"secretName": secret_name, **more}})

    async def certificate(self, name: str, spec: JSONObject | None = None, **metadata: Any) -> cm.Certificate:
        """A Certificate; P-256, and the Secret is called as it is, unless `spec` says otherwise."""
        wanted: JSONObject = {
            "secretName": name,
            "dnsNames": [f"{name}.example.test"],
            "privateKey": {"algorithm": "ECDSA"},
            "issuerRef": {"name": "selfsigned"},
        }
        made: cm.Certificate = await self.create(CERTIFICATE, name, {**wanted, **(spec or {})}, **metadata)
        return made

    async def patch(self, name: str, **spec: Any) -> cm.Certificate:
        """Change fields of a Certificate's spec."""
        return await self.client.merge_patch(CERTIFICATE, self.key(name), {"spec": spec})

    async def renew(self, name: str) -> None:
        """As `cmctl renew` does."""
        found = await self.get(name)
        condition: JSONObject = {
            "type": "Issuing",
            "status": "True",
            "reason": "ManuallyTriggered",
            "message": "Certificate re-issuance manually triggered",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        others = [c for c in found.status.conditions if c.type != "Issuing"]
        patch: JSONObject = {"status": {"conditions": [*(to_json(c) for c in others), condition]}}
        await self.client.merge_patch(CERTIFICATE, self.key(name), patch, subresource="status")

    async def get(self, name: str) -> cm.Certificate:
        """The Certificate."""
        return await self.client.get(CERTIFICATE, self.key(name))

    async def secret(self, name: str) -> Any:
        """The Secret; None where there is none."""
        try:
            return await self.client.get(SECRET, self.key(name))
        except NotFound:
            return None

    async def requests(self) -> tuple[cm.CertificateRequest, ...]:
        """All CertificateRequests."""
        return (await self.client.list(CERTIFICATE_REQUEST, Selection(self.namespace))).items

    async def has_requests(self, *names: str) -> bool:
        """Whether these are all CertificateRequests there are."""
        return tuple(request.metadata.name for request in await self.requests()) == names

    async def key_digest(self, name: str) -> bytes:
        """Which private key the Secret holds."""
        return public_key_digest(parse_private_key((await self.secret(name)).data["tls.key"]))

    async def secrets(self, labels: str = "") -> tuple[Any, ...]:
        """All Secrets with those labels."""
        return (await self.client.list(SECRET, Selection(self.namespace, labels=labels))).items

    async def calm(self, running: Line) -> None:
        """Return when what an issuance leaves behind is gone and every event is written."""

        async def is_clear() -> bool:
            return not await self.secrets(f"{Label.NEXT_PRIVATE_KEY}=true") and len(running.cluster.pending) == 0

        await eventually(is_clear)
        await running.rest()

    async def events(self, name: str) -> list[tuple[str, str, str]]:
        """Type, reason and message of the events about the objects of that name, oldest first."""
        found = (await self.client.list(EVENT, Selection(self.namespace))).items
        about = [event for event in found if event.involved_object.name == name]
        return [(event.type, event.reason, event.message) for event in about]

    async def until(
        self, name: str, status: str = "True", *, kind: str = "Ready", reason: str = "", revision: int | None = None
    ) -> cm.Certificate:
        """The Certificate once its condition is so."""

        async def look() -> cm.Certificate | None:
            found = await self.get(name)
            condition = find_condition(found.status.conditions, kind)
            if condition is None or condition.status != status or (reason and condition.reason != reason):
                return None
            return found if revision is None or found.status.revision == revision else None

        try:
            return await eventually(look)
        except AssertionError:
            found = await self.get(name)
            raise AssertionError(f"{found.status}\n{await self.events(name)}") from None


def condition_of(found: Struct, kind: str) -> Condition | None:
    """The condition of that type."""
    conditions: tuple[Condition, ...] = found.status.conditions  # type: ignore[attr-defined]
    return find_condition(conditions, kind)
