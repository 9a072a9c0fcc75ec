"""The account of an ACME issuer: its key, its registration, and what the issuer's status says of them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from certwright.acme.client.errors import AcmeProblem, AcmeUnreachable
from certwright.acme.protocol import jws, messages
from certwright.acme.protocol.jws import ExternalAccount
from certwright.api.acme_v1 import AcmeIssuer as AcmeSpec
from certwright.api.acme_v1 import AcmeIssuerStatus
from certwright.api.acme_v1 import ExternalAccountBinding as Binding
from certwright.api.core import Secret
from certwright.api.core_kinds import SECRET
from certwright.api.meta import ObjectMeta
from certwright.api.wellknown import IssuerReason, Label
from certwright.cluster.cluster import Cluster
from certwright.errors import Blocked
from certwright.issuers.acme.clients import DEFAULT_KEY, KEY_UNUSABLE, Account, AcmeClients, host_of
from certwright.issuers.base import EventText, Verdict
from certwright.kube.client.client import Unreachable
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import AlreadyExists, ApiError
from certwright.pki.keys import KeyAlgorithm, KeySpec, encode_private_key, generate
from certwright.rules.hub import HubIssuer
from certwright.rules.secret_references import secret_references

REGISTERED = "The ACME account was registered with the ACME server"
NOT_REGISTERED = "Failed to register ACME account: "
NOT_UPDATED = "Failed to update ACME account: "
KEY_INVALID = "Account private key is invalid: "
MANAGERS = {"Issuer": "cert-manager-issuers", "ClusterIssuer": "cert-manager-clusterissuers"}
ACCOUNT_KEY = KeySpec(KeyAlgorithm.RSA, 2048)
_SUCCESSORS = {
    "https://acme-v01.api.letsencrypt.org/directory": "https://acme-v02.api.letsencrypt.org/directory",
    "https://acme-staging.api.letsencrypt.org/directory": "https://acme-staging-v02.api.letsencrypt.org/directory",
}


class Unready(Exception):
    """Why the issuer is not ready, as its Verdict."""

    def __init__(self, reason: str, message: str, *, retry: bool = False, told: bool = False) -> None:
        super().__init__(message)
        events = (EventText("Warning", reason, message),) if told else ()
        self.verdict = Verdict(ready=False, reason=reason, message=message, events=events, retry=retry)

    def until(self, when: datetime) -> Unready:
        """The same, to be looked at again at that time instead of with back-off."""
        self.verdict = msgspec.structs.replace(self.verdict, look_again=when, retry=False)
        return self


class Registration:
    """Brings the account of an issuer to what its spec asks for; may be repeated at any time."""

    def __init__(self, cluster: Cluster, clients: AcmeClients) -> None:
        self._cluster = cluster
        self._clients = clients

    async def check(self, issuer: HubIssuer, spec: AcmeSpec) -> AcmeIssuerStatus:
        """The `status.acme` of an account that is registered; raises `Unready`."""
        _refuse_server(spec.server)
        account = await self._account(issuer, spec)
        known = issuer.status.acme or AcmeIssuerStatus()
        if not self._is_settled(issuer, spec, account):
            known = await self._register(issuer, spec, account)
        await self._refuse_missing_solver_secrets(issuer, spec)
        return known

    def _is_settled(self, issuer: HubIssuer, spec: AcmeSpec, account: Account) -> bool:
        """Whether the status says already that this account is registered; an absent URL is taken over as it is."""
        known = issuer.status.acme
        if known is None or not issuer.is_ready or self._clients.is_doubted(issuer):
            return False
        same_host = not known.uri or host_of(known.uri) == host_of(spec.server)
        same_key = known.last_private_key_hash == account.key_hash
        return same_host and same_key and known.last_registered_email.lower() == spec.email.lower()

    async def _account(self, issuer: HubIssuer, spec: AcmeSpec) -> Account:
        before = self._clients.server_of(issuer)
        secret = await self._cluster.secrets.find(*self._clients.key_secret(issuer))
        if secret is None:
            secret = await self._make_key(issuer, spec)
        try:
            account = await self._clients.take(issuer, secret)
        except Blocked as problem:
            if problem.reason == KEY_UNUSABLE:
                raise Unready(IssuerReason.ERR_VERIFY_ACME_ACCOUNT, KEY_INVALID + problem.message) from problem
            raise Unready(problem.reason, problem.message) from problem
        if before and before != spec.server:
            # Another directory on the same host is another CA, which the account's URL does not show.
            self._clients.doubt(issuer)
        return account

    async def _make_key(self, issuer: HubIssuer, spec: AcmeSpec) -> Secret:
        key = self._clients.key_secret(issuer)
        if spec.disable_account_key_generation:
            raise Unready(
                IssuerReason.ERR_VERIFY_ACME_ACCOUNT,
                f"The account key is absent and disableAccountKeyGeneration is set: create Secret {key} with the key",
            )
        made = await asyncio.to_thread(generate, ACCOUNT_KEY)
        metadata = ObjectMeta(name=key.name, namespace=key.namespace, labels={Label.MANAGED_BY: "cert-manager"})
        entry = spec.private_key_secret_ref.key or DEFAULT_KEY
        secret = Secret(metadata=metadata, type="Opaque", data={entry: encode_private_key(made)})
        try:
            return await self._cluster.client.create(SECRET, secret, key.namespace, MANAGERS[issuer.key.kind])
        except AlreadyExists:
            # Another process was faster, or the answer to our own first try was lost: that key counts.
            return await self._cluster.client.get(SECRET, key)
        except (ApiError, Unreachable) as error:
            text = f"{NOT_REGISTERED}the account key could not be stored: {error}"
            raise Unready(IssuerReason.ERR_REGISTER_ACME_ACCOUNT, text, retry=True) from error

    async def _register(self, issuer: HubIssuer, spec: AcmeSpec, account: Account) -> AcmeIssuerStatus:
        contact = (f"mailto:{spec.email.lower()}",) if spec.email else ()
        binding = await self._binding(issuer, spec.external_account_binding)
        try:
            found = await account.client.register(contact, binding)
        except (AcmeProblem, AcmeUnreachable) as error:
            raise self._refused(IssuerReason.ERR_REGISTER_ACME_ACCOUNT, NOT_REGISTERED, error) from error
        await self._update(account, found, contact)
        self._clients.registered(issuer)
        return AcmeIssuerStatus(uri=found.url, last_registered_email=spec.email, last_private_key_hash=account.key_hash)

    async def _update(self, account: Account, found: messages.Account, contact: tuple[str, ...]) -> None:
        if sorted(each.lower() for each in found.contact) == sorted(contact):
            return
        try:
            await account.client.update_contact(contact)
        except (AcmeProblem, AcmeUnreachable) as error:
            raise self._refused(IssuerReason.ERR_UPDATE_ACME_ACCOUNT, NOT_UPDATED, error) from error

    def _refused(self, reason: str, prefix: str, error: AcmeProblem | AcmeUnreachable) -> Unready:
        told = reason == IssuerReason.ERR_UPDATE_ACME_ACCOUNT
        if isinstance(error, AcmeProblem) and error.retry_after is not None and not error.is_terminal:
            return Unready(reason, f"{prefix}{error}", told=told).until(self._cluster.clock.now() + error.retry_after)
        passing = isinstance(error, AcmeUnreachable) or not error.is_terminal
        return Unready(reason, f"{prefix}{error}", retry=passing, told=told)

    async def _binding(self, issuer: HubIssuer, wanted: Binding | None) -> ExternalAccount | None:
        if wanted is None:
            return None
        key = ObjectKey(self._clients.key_secret(issuer).namespace, wanted.key_secret_ref.name)
        value = await self._cluster.secrets.value(*key, wanted.key_secret_ref.key)
        if value is None:
            raise _binding_unusable(f"Secret {key} or its entry {wanted.key_secret_ref.key!r} is not there")
        try:
            return jws.external_account(wanted.key_id, value.decode("ascii"))
        except ValueError as error:
            raise _binding_unusable(f"Secret {key}: {error}") from None

    async def _refuse_missing_solver_secrets(self, issuer: HubIssuer, spec: AcmeSpec) -> None:
        namespace = self._clients.key_secret(issuer).namespace
        references = {ref for solver in spec.solvers if solver.dns01 for ref in secret_references(solver.dns01)}
        for reference in sorted(references, key=lambda ref: (ref.name, ref.key)):
            secret = await self._cluster.secrets.find(namespace, reference.name)
            if secret is None or (reference.key and reference.key not in secret.data):
                what = f"its entry {reference.key!r}" if secret else "it"
                text = f"A DNS-01 solver names Secret {namespace}/{reference.name}, but {what} is not there; create it"
                raise Unready(IssuerReason.INVALID_SOLVER, text)


def _refuse_server(server: str) -> None:
    successor = _SUCCESSORS.get(server.rstrip("/"))
    if successor:
        raise Unready(
            IssuerReason.INVALID_CONFIG,
            f"Your ACME server URL is set to a v1 endpoint ({server}). "
            f'You should update the spec.acme.server field to "{successor}"',
        )
    try:
        found = urlsplit(server)
        usable = found.scheme in {"https", "http"} and bool(found.hostname) and (found.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        text = f"The ACME server URL {server!r} cannot be used; give the https:// URL of the CA's directory"
        raise Unready(IssuerReason.INVALID_URL, text, told=True)


def _binding_unusable(why: str) -> Unready:
    text = f"{NOT_REGISTERED}the External Account Binding key cannot be used: {why}"
    return Unready(IssuerReason.ERR_REGISTER_ACME_ACCOUNT, text, told=True)
