"""How a Vault server is reached: trust, the name to expect, and the certificate to show."""

from __future__ import annotations

import ssl

from msgspec import Struct

from certwright.api.issuer_types import VaultIssuer
from certwright.api.meta import SecretKeySelector
from certwright.issuers.vault.secrets import IssuerSecrets
from certwright.issuers.vault.unready import Unready
from certwright.rest import RestClient, RestError, RestOptions, SecretText, Transport, show_certificate, tls_context
from certwright.rules.facts import CA_CERT, TLS_CERT, TLS_KEY

LARGEST_ANSWER = 1024 * 1024


class ClientPair(Struct, frozen=True):
    """A client certificate with its key, as PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "ClientPair([hidden])"


class Connection(Struct, frozen=True):
    """What is needed to talk to one Vault, once with the issuer's own client certificate and once with another."""

    transport: Transport
    vault: VaultIssuer
    ca_bundle: bytes
    """What alone is trusted, where there is any."""
    extra: bytes
    """What is trusted besides the system's roots, where there is no `ca_bundle`."""
    pair: ClientPair | None

    def client(self, pair: ClientPair | None = None, secrets: tuple[SecretText, ...] = ()) -> RestClient:
        """Requests to the server, showing `pair` or else the certificate of the issuer."""
        try:
            context = self._context(pair or self.pair)
        except ValueError as error:
            raise Unready(f"Failed to initialize a client of Vault: {error}") from error
        options = RestOptions(
            base_url=self.vault.server,
            # Agents and proxies of Vault may demand it, as it cannot be forged by a browser.
            headers={"X-Vault-Request": "true"},
            secrets=secrets,
            body_limit=LARGEST_ANSWER,
            tls=context,
            server_name=self.vault.server_name,
        )
        try:
            return RestClient(self.transport, options)
        except (RestError, ValueError) as error:
            raise Unready(f"spec.vault.server cannot be used: {error}") from error

    def _context(self, pair: ClientPair | None) -> ssl.SSLContext | None:
        trusted = self.ca_bundle or self.extra
        if not trusted and pair is None:
            return None
        context = tls_context(trusted, system_roots=not self.ca_bundle)
        if pair is not None:
            show_certificate(context, pair.certificate, pair.key)
        return context


async def connect(vault: VaultIssuer, secrets: IssuerSecrets, transport: Transport, extra: bytes) -> Connection:
    """Read what the issuer's spec names; `extra` is trusted besides the system's roots where it names no CA."""
    trusted = vault.ca_bundle
    if vault.ca_bundle_secret_ref is not None:
        trusted = await secrets.value(vault.ca_bundle_secret_ref, CA_CERT)
    return Connection(transport, vault, trusted, extra, await _own_pair(vault, secrets))


async def read_pair(secrets: IssuerSecrets, name: str) -> ClientPair:
    """The pair of a Secret of type kubernetes.io/tls."""
    ref = SecretKeySelector(name=name)
    return ClientPair(await secrets.value(ref, TLS_CERT), await secrets.value(ref, TLS_KEY))


async def _own_pair(vault: VaultIssuer, secrets: IssuerSecrets) -> ClientPair | None:
    if vault.client_cert_secret_ref is None or vault.client_key_secret_ref is None:
        return None
    certificate = await secrets.value(vault.client_cert_secret_ref, TLS_CERT)
    return ClientPair(certificate, await secrets.value(vault.client_key_secret_ref, TLS_KEY))
