"""One ACME client per issuer, for whoever acts with its account."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import MetricsHook
from certwright.acme.protocol.keys import AccountKey
from certwright.api.acme_v1 import AcmeIssuer as AcmeSpec
from certwright.api.core import Secret
from certwright.cluster.cluster import Cluster
from certwright.errors import Blocked, Retry
from certwright.issuers.acme.pacing import PacedTransport
from certwright.kube.wire.keys import ObjectKey
from certwright.pki.errors import PkiError
from certwright.pki.keys import parse_private_key, private_key_der
from certwright.rules.hub import HubIssuer, IssuerKey

DEFAULT_KEY = "tls.key"
KEY_UNUSABLE = "AccountKeyUnusable"


class AcmeOptions(Struct, frozen=True, kw_only=True):
    """How CAs are reached: `trusted_ca_pem` is trusted besides what an issuer trusts.

    `connect_to` maps `name:port` to the `host:port` that is connected to. An empty user agent is the usual one.
    """

    trusted_ca_pem: bytes = b""
    connect_to: Mapping[str, str] = msgspec.field(default_factory=dict)
    user_agent: str = ""


class Account(Struct, frozen=True):
    """A client that speaks for the account of an issuer, and what follows from the account's key."""

    client: AcmeClient
    thumbprint: str
    key_hash: str
    """`status.acme.lastPrivateKeyHash`."""


class _Identity(Struct, frozen=True):
    """What a client is built for: where any of it changes, there is a new client."""

    uid: str
    server: str
    ca_bundle: bytes
    skip_tls_verify: bool
    key_hash: str


class _Entry(Struct, frozen=True):
    identity: _Identity
    secret_version: str
    account: Account
    transport: PacedTransport


class AcmeClients:
    """Built once by `app`, and shared by the issuer type and the controllers of Orders and Challenges."""

    def __init__(self, cluster: Cluster, options: AcmeOptions, metrics: MetricsHook | None = None) -> None:
        self._cluster = cluster
        self._options = options
        self._metrics = metrics
        self._entries: dict[IssuerKey, _Entry] = {}
        self._building = asyncio.Lock()
        self._doubted: set[IssuerKey] = set()
        self._listeners: list[Callable[[IssuerKey], None]] = []

    async def account(self, issuer: HubIssuer) -> Account:
        """The account of an issuer; `Retry` where its key is absent, `Blocked` where the key cannot be used."""
        key = self.key_secret(issuer)
        entry = self._entries.get(issuer.key)
        if entry is not None and self._is_current(entry, issuer, key):
            return entry.account
        secret = await self._cluster.secrets.find(*key)
        if secret is None:
            raise Retry(f"The account key of {issuer.key.kind} {issuer.key.name} is absent: Secret {key} is not there")
        return await self.take(issuer, secret)

    async def take(self, issuer: HubIssuer, secret: Secret) -> Account:
        """The account whose key is in that Secret; an existing client is kept where nothing has changed."""
        spec = _spec(issuer)
        key, key_hash = _read_key(secret, spec.private_key_secret_ref.key or DEFAULT_KEY)
        identity = _Identity(issuer.metadata.uid, spec.server, spec.ca_bundle, spec.skip_tls_verify, key_hash)
        async with self._building:
            old = self._entries.get(issuer.key)
            if old is not None and old.identity == identity:
                entry = msgspec.structs.replace(old, secret_version=secret.metadata.resource_version)
            else:
                entry = self._build(issuer, identity, key, secret.metadata.resource_version)
            self._entries[issuer.key] = entry
            if old is not None and old.transport is not entry.transport:
                await old.transport.close()
                await self._forget_gone()
        return entry.account

    def key_secret(self, issuer: HubIssuer) -> ObjectKey:
        """Where the account key lies."""
        namespace = issuer.secrets_namespace(self._cluster.settings.cluster_resource_namespace)
        return ObjectKey(namespace, _spec(issuer).private_key_secret_ref.name)

    def server_of(self, issuer: HubIssuer) -> str:
        """The server for which this process has a client; empty where it has none."""
        entry = self._entries.get(issuer.key)
        return entry.identity.server if entry is not None else ""

    def doubt(self, issuer: HubIssuer) -> None:
        """The CA says that it does not know the account: it is to be registered again."""
        if issuer.key not in self._doubted:
            self._doubted.add(issuer.key)
            for listener in self._listeners:
                listener(issuer.key)

    def is_doubted(self, issuer: HubIssuer) -> bool:
        """Whether `doubt` was called since the account was last registered."""
        return issuer.key in self._doubted

    def registered(self, issuer: HubIssuer) -> None:
        """The account has been registered or found."""
        self._doubted.discard(issuer.key)

    def on_doubt(self, listener: Callable[[IssuerKey], None]) -> None:
        """Call when an account has to be registered again."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Close every connection."""
        while self._entries:
            _, entry = self._entries.popitem()
            await entry.transport.close()

    def _is_current(self, entry: _Entry, issuer: HubIssuer, key: ObjectKey) -> bool:
        spec, built = _spec(issuer), entry.identity
        wanted = _Identity(issuer.metadata.uid, spec.server, spec.ca_bundle, spec.skip_tls_verify, built.key_hash)
        return built == wanted and entry.secret_version == self._cluster.caches.foreign_secrets.get(key)

    async def _forget_gone(self) -> None:
        for key in [key for key in self._entries if self._cluster.issuers.get(key) is None]:
            await self._entries.pop(key).transport.close()

    def _build(self, issuer: HubIssuer, identity: _Identity, key: AccountKey, version: str) -> _Entry:
        options = TransportOptions(
            ca_bundle_pem=identity.ca_bundle,
            trusted_ca_pem=self._options.trusted_ca_pem,
            skip_tls_verify=identity.skip_tls_verify,
            connect_to=dict(self._options.connect_to),
        )
        if self._options.user_agent:
            options = msgspec.structs.replace(options, user_agent=self._options.user_agent)
        try:
            transport = PacedTransport(options, self._cluster.clock, self._metrics)
        except ValueError as error:
            raise Blocked("InvalidConfig", f"spec.acme.caBundle cannot be used: {error}") from error
        client = AcmeClient(transport, identity.server, key, self._cluster.clock, _known_url(issuer, identity))
        return _Entry(identity, version, Account(client, key.thumbprint, identity.key_hash), transport)


def _spec(issuer: HubIssuer) -> AcmeSpec:
    spec = issuer.spec.acme
    if spec is None:
        raise Blocked("InvalidConfig", f"{issuer.key.kind} {issuer.key.name} is not an ACME issuer")
    return spec


def _known_url(issuer: HubIssuer, identity: _Identity) -> str:
    """The account's URL where the status is about this key and server; another account's would be refused."""
    found = issuer.status.acme
    if found is None or found.last_private_key_hash != identity.key_hash:
        return ""
    return found.uri if host_of(found.uri) == host_of(identity.server) else ""


def host_of(url: str) -> str:
    """Host and port of a URL; empty where it has none."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _read_key(secret: Secret, entry: str) -> tuple[AccountKey, str]:
    where = f"Secret {secret.metadata.namespace}/{secret.metadata.name}"
    pem = secret.data.get(entry)
    if not pem:
        raise Blocked(KEY_UNUSABLE, f"{where} has no {entry}; put the account key there, or delete the Secret")
    try:
        key = parse_private_key(pem, f"{entry} of {where}")
        digest = hashlib.sha256(private_key_der(key)).digest()
        return AccountKey(key), base64.b64encode(digest).decode()
    except (PkiError, ValueError) as error:
        raise Blocked(KEY_UNUSABLE, str(error)) from error
