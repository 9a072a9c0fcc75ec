"""The Vault issuer type between an API server and a strict Vault, as its callers use it."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import msgspec
from tests.clock import MovableClock
from tests.cluster import Cluster as Server
from tests.integration.wiring import background, build_cluster, client_of
from tests.kubernetes.eventually import eventually
from tests.servers.vault_api import SIGN_PATH, VaultApi

from certwright.api import certmanager_v1 as cm
from certwright.api.kinds import CLUSTER_ISSUER, ISSUER
from certwright.api.meta import ObjectMeta, ObjectReference
from certwright.clock import SystemClock
from certwright.cluster.cluster import Cluster
from certwright.cluster.settings import Settings
from certwright.issuers.base import RequestToSign
from certwright.issuers.vault.issuer import VaultIssuerType
from certwright.issuers.vault.options import VaultOptions
from certwright.kube.client.client import KubeClient
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request, parse_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate
from certwright.pki.names import Subject, encode_subject
from certwright.rest import Proxies, Transport
from certwright.rules.hub import HubIssuer, modern_issuer

Plain = dict[str, Any]  # JSON
TOKEN_AUTH: Plain = {"tokenSecretRef": {"name": "vault-token"}}
NAMES = AlternativeNames(
    dns_names=("www.example.test", "api.example.test"),
    ip_addresses=("192.0.2.1", "2001:db8::1"),
    uris=("spiffe://example.test/www",),
)


@cache
def leaf_key() -> PrivateKey:
    """One for all requests."""
    return generate(KeySpec(KeyAlgorithm.ECDSA, 256))


@dataclass(frozen=True)
class Rig:
    """What a test looks at. The issuer type's clock moves by hand; sockets and the API server have their own."""

    server: Server
    cluster: Cluster
    client: KubeClient
    clock: MovableClock
    transport: Transport

    def issuer_type(self, environment: Mapping[str, str] | None = None, trusted: bytes = b"") -> VaultIssuerType:
        """A new one, as after a restart."""
        options = VaultOptions(environment=environment or {}, trusted_ca_pem=trusted)
        return VaultIssuerType(self.cluster, self.transport, options)

    def with_settings(self, **settings: Any) -> Rig:
        """The same with other flags."""
        changed = msgspec.structs.replace(self.cluster.settings, **settings)
        cluster = msgspec.structs.replace(self.cluster, settings=changed)
        return Rig(self.server, cluster, self.client, self.clock, self.transport)

    async def secret(self, name: str, **values: str | bytes) -> None:
        """A Secret with these values (`__` in a name is a dot), once it is in our caches."""
        data = {
            key.replace("__", "."): base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
            for key, value in values.items()
        }
        namespace = self.server.namespace
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        version = (await self.server.http.apply(path, body, force="true")).version

        async def known() -> bool:
            return self.cluster.caches.secret_version(namespace, name) == version

        await eventually(known)

    async def service_account(self, name: str) -> None:
        """A ServiceAccount."""
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
        answer = await self.server.http.post(f"/api/v1/namespaces/{self.server.namespace}/serviceaccounts", body)
        assert answer.code == 201, answer.body

    def issuer(self, vault: VaultApi, auth: Plain | None = None, *, cluster: bool = False, **spec: Any) -> HubIssuer:
        """An Issuer (or ClusterIssuer) that trusts that Vault."""
        wanted = {"server": vault.url, "path": SIGN_PATH, "auth": TOKEN_AUTH if auth is None else auth, **spec}
        if "caBundleSecretRef" not in wanted:
            wanted.setdefault("caBundle", base64.b64encode(vault.ca).decode())
        return self.issuer_of(wanted, cluster=cluster)

    def issuer_of(self, spec: Plain, *, cluster: bool = False) -> HubIssuer:
        """An Issuer (or ClusterIssuer) with that `spec.vault`."""
        metadata = {"name": "vault", "uid": "uid-of-issuer"}
        body: Plain = {"metadata": metadata, "spec": {"vault": spec}}
        if cluster:
            return modern_issuer(CLUSTER_ISSUER.read(json.dumps(body).encode()))
        metadata["namespace"] = self.server.namespace
        return modern_issuer(ISSUER.read(json.dumps(body).encode()))

    def request(
        self,
        *,
        common_name: str = "www.example.test",
        names: AlternativeNames = NAMES,
        duration: str | None = None,
        age: timedelta = timedelta(0),
    ) -> RequestToSign:
        """An approved request."""
        subject = encode_subject(Subject(common_name=common_name))
        csr = build_request(RequestContent(subject=subject, names=names), leaf_key())
        spec = cm.CertificateRequestSpec(request=csr, issuer_ref=ObjectReference(name="vault"), duration=duration)
        created = self.clock.now() - age
        metadata = ObjectMeta(name="www-1", namespace=self.server.namespace, creation_timestamp=created)
        return RequestToSign(metadata=metadata, spec=spec, csr=parse_request(csr))


@asynccontextmanager
async def vault_rig(server: Server, connect_to: Mapping[str, str] | None = None) -> AsyncIterator[Rig]:
    """Caches of the Secrets run; the cluster resource namespace is that of the test."""
    await server.install_crds()
    clock = MovableClock(SystemClock().now())
    settings = Settings(cluster_resource_namespace=server.namespace)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(client_of(server, SystemClock(), "vault-issuer"))
        cluster = build_cluster(client, SystemClock(), settings)
        caches = cluster.caches
        await stack.enter_async_context(background(caches.secrets.run(), caches.foreign_secrets.run()))
        await caches.secrets.synced()
        await caches.foreign_secrets.synced()
        transport = await stack.enter_async_context(Transport(SystemClock(), Proxies(), connect_to=connect_to))
        yield Rig(server, msgspec.structs.replace(cluster, clock=clock), client, clock, transport)
