"""Sessions with Vault: one for each issuer, kept until its token or what it was made from ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from certwright.api.issuer_types import VaultIssuer
from certwright.cluster.cluster import Cluster
from certwright.issuers.vault.api import Issued, Token, VaultApi, is_unknown_token, words
from certwright.issuers.vault.connection import Connection, connect
from certwright.issuers.vault.logins import Login, Logins
from certwright.issuers.vault.options import VaultOptions
from certwright.issuers.vault.secrets import IssuerSecrets
from certwright.issuers.vault.unready import Unready
from certwright.kube.wire.keys import ObjectKey
from certwright.rest import RestError, SecretText, Transport
from certwright.rules.hub import HubIssuer, IssuerKey


class Session(Struct, frozen=True, kw_only=True):
    """An API and the token to call it with; it stands as long as the issuer and its Secrets are as they were."""

    api: VaultApi
    token: Token
    uid: str
    vault: VaultIssuer
    secrets: dict[ObjectKey, str]
    ends: datetime | None

    async def sign(self, body: Mapping[str, str]) -> Issued:
        """What Vault signs at the issuer's path."""
        return await self.api.sign(self.token, self.vault.path, body)


class _Door:
    """Of one issuer: who comes while it is being opened shares what comes of that."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.tries = 0
        self.session: Session | None = None
        self.problem: Unready | None = None


class Sessions:
    """Built once by the issuer type."""

    def __init__(self, cluster: Cluster, transport: Transport, options: VaultOptions) -> None:
        self._cluster = cluster
        self._transport = transport
        self._options = options
        self._logins = Logins(cluster, transport, options)
        self._doors: dict[IssuerKey, _Door] = {}

    async def get(self, issuer: HubIssuer, vault: VaultIssuer) -> Session:
        """The session of an issuer, opened where there is none that stands; Unready where Vault gives none."""
        door = self._doors.setdefault(issuer.key, _Door())
        tries = door.tries
        if (session := self._standing(door, issuer, vault)) is not None:
            return session
        async with door.lock:
            if (session := self._standing(door, issuer, vault)) is not None:
                return session
            if door.tries > tries and door.problem is not None:
                raise door.problem
            return await self._open(door, issuer, vault)

    def drop(self, issuer: HubIssuer, session: Session | None = None) -> None:
        """The next session is a new one, where that of the issuer is still this one (or whichever it is)."""
        door = self._doors.get(issuer.key)
        if door is not None and (session is None or session is door.session):
            door.session = None

    def _standing(self, door: _Door, issuer: HubIssuer, vault: VaultIssuer) -> Session | None:
        found = door.session
        if found is None or found.uid != issuer.metadata.uid or found.vault != vault:
            return None
        if found.ends is not None and found.ends <= self._cluster.clock.now():
            return None
        versions = self._cluster.caches.secret_version
        return found if all(versions(*key) == version for key, version in found.secrets.items()) else None

    async def _open(self, door: _Door, issuer: HubIssuer, vault: VaultIssuer) -> Session:
        door.session = door.problem = None
        try:
            door.session = await self._new(issuer, vault)
        except Unready as problem:
            door.problem = problem
            raise
        finally:
            door.tries += 1
        self._forget_gone(issuer.key)
        return door.session

    async def _new(self, issuer: HubIssuer, vault: VaultIssuer) -> Session:
        namespace = issuer.secrets_namespace(self._cluster.settings.cluster_resource_namespace)
        secrets = IssuerSecrets(self._cluster.secrets, namespace)
        connection = await connect(vault, secrets, self._transport, self._options.trusted_ca_pem)
        api = VaultApi(connection.client(), vault.namespace)
        await api.require_health()
        login = await self._logins.prepare(issuer, vault, secrets)
        begun = self._cluster.clock.now()
        token = await _token(login, connection, api)
        return Session(
            api=api,
            token=token,
            uid=issuer.metadata.uid,
            vault=vault,
            secrets={ObjectKey(namespace, name): version for name, version in secrets.versions.items()},
            # A third of the lease is left for what is under way, and for clocks that differ.
            ends=begun + token.lease * 2 / 3 if token.lease else None,
        )

    def _forget_gone(self, current: IssuerKey) -> None:
        find = self._cluster.issuers.get
        for key in [key for key in self._doors if key != current and find(key) is None]:
            if not self._doors[key].lock.locked():
                del self._doors[key]


async def _token(login: Login | SecretText, connection: Connection, api: VaultApi) -> Token:
    try:
        if isinstance(login, SecretText):
            return await api.look_up(login)
        client = connection.client(login.pair, login.secrets)
        return await VaultApi(client, connection.vault.namespace).log_in(login.path, login.body)
    except RestError as error:
        ref = connection.vault.auth.token_secret_ref
        if ref is not None and is_unknown_token(error):
            text = f"Vault does not know the token in Secret {ref.name}; store a valid one there"
            raise Unready(text) from error
        text = f"Failed to initialize Vault client: Vault gives no token: {words(error)}"
        raise Unready(text, retry_after=error.retry_after) from error
