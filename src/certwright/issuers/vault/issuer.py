"""The Vault issuer type: an approved request is signed by one call of Vault's PKI engine."""

from __future__ import annotations

from datetime import timedelta

from certwright.api.issuer_types import VaultIssuer
from certwright.api.meta import format_duration
from certwright.api.wellknown import IssuerReason, RequestEvent
from certwright.cluster.cluster import Cluster
from certwright.issuers.base import IssuerType, Outcome, Pending, Refused, RequestToSign, Signed, Verdict
from certwright.issuers.vault.api import FORBIDDEN, Issued, is_passing, is_unknown_token, words
from certwright.issuers.vault.options import VaultOptions
from certwright.issuers.vault.problems import problems
from certwright.issuers.vault.sessions import Sessions
from certwright.issuers.vault.unready import Unready
from certwright.pki.chain import parse_chain
from certwright.pki.errors import PkiError
from certwright.rest import RestError, Transport
from certwright.rules import defaults
from certwright.rules.hub import HubIssuer

VERIFIED = "Vault verified"
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_ASKED = timedelta(hours=1)


class VaultIssuerType(IssuerType):
    """Signs through HashiCorp Vault. Sessions are kept, so that a lease is not made for each certificate."""

    def __init__(self, cluster: Cluster, transport: Transport, options: VaultOptions | None = None) -> None:
        self._cluster = cluster
        self._sessions = Sessions(cluster, transport, options or VaultOptions())

    async def check(self, issuer: HubIssuer) -> Verdict:
        """Ready where Vault serves and lets us in, which is tried anew."""
        vault = _spec(issuer)
        problem = self._problem(issuer, vault)
        if problem:
            return Verdict(ready=False, reason=IssuerReason.VAULT_ERROR, message=problem)
        self._sessions.drop(issuer)
        try:
            await self._sessions.get(issuer, vault)
        except Unready as unready:
            return Verdict(ready=False, reason=IssuerReason.VAULT_ERROR, message=unready.message, retry=True)
        return Verdict(ready=True, reason=IssuerReason.VAULT_VERIFIED, message=VERIFIED)

    async def sign(self, issuer: HubIssuer, request: RequestToSign) -> Outcome:
        """What Vault signs; requests that it will never sign are refused, all others wait and are sent again."""
        vault = _spec(issuer)
        problem = self._problem(issuer, vault)
        if problem:
            return Pending(problem, RequestEvent.VAULT_INIT_ERROR)
        try:
            body = _body(request)
        except ValueError as error:
            return Refused(f"The duration asked for cannot be used: {error}")
        try:
            issued = await self._issued(issuer, vault, body)
            chain = parse_chain(issued.pem, "the answer of Vault")
        except Unready as unready:
            return self._wait(request, unready)
        except RestError as error:
            return self._unsigned(vault, request, error)
        except PkiError as error:
            return Refused(f"Vault failed to sign the certificate: {error}.")
        return Signed(chain.chain_pem, chain.ca_pem)

    async def _issued(self, issuer: HubIssuer, vault: VaultIssuer, body: dict[str, str]) -> Issued:
        session = await self._sessions.get(issuer, vault)
        try:
            return await session.sign(body)
        except RestError as error:
            if error.status != FORBIDDEN:
                raise
        # The token may have ended before its time, as revoked ones do; a new one is tried once.
        self._sessions.drop(issuer, session)
        session = await self._sessions.get(issuer, vault)
        return await session.sign(body)

    def _problem(self, issuer: HubIssuer, vault: VaultIssuer) -> str:
        """Why the spec cannot work until it, or a flag of ours, changes."""
        found = next(problems(vault), "")
        if found or vault.auth.aws is None or vault.auth.aws.service_account_ref is not None:
            return found
        settings, of_cluster = self._cluster.settings, issuer.key.kind == "ClusterIssuer"
        if settings.cluster_issuer_ambient_credentials if of_cluster else settings.issuer_ambient_credentials:
            return ""
        flag = "--cluster-issuer-ambient-credentials" if of_cluster else "--issuer-ambient-credentials"
        return (
            f"An {issuer.key.kind} may not use the AWS identity of the controller; set serviceAccountRef and "
            f"iamRoleArn in spec.vault.auth.aws, or run the controller with {flag}"
        )

    def _unsigned(self, vault: VaultIssuer, request: RequestToSign, error: RestError) -> Pending | Refused:
        text = f"Vault failed to sign the certificate: {words(error)}"
        if is_passing(error):
            return self._wait(request, Unready(text, RequestEvent.SIGNING_ERROR, error.retry_after))
        if is_unknown_token(error):
            return self._wait(request, Unready(text))
        if error.status == FORBIDDEN:
            return Refused(f"{text}; the policy of our token must allow create and update on {vault.path}")
        return Refused(text)

    def _wait(self, request: RequestToSign, unready: Unready) -> Pending:
        """As long again as the request has waited already: back-off that survives a restart."""
        created = request.metadata.creation_timestamp
        waited = FIRST_WAIT if created is None else self._cluster.clock.now() - created
        after = min(max(waited, FIRST_WAIT), LONGEST_WAIT)
        if unready.retry_after is not None:
            after = max(after, min(unready.retry_after, LONGEST_ASKED))
        return Pending(unready.message, unready.event, after)


def _spec(issuer: HubIssuer) -> VaultIssuer:
    assert issuer.spec.vault is not None, "the issuer is of another type"
    return issuer.spec.vault


def _body(request: RequestToSign) -> dict[str, str]:
    """The parameters of Vault's sign endpoint; ValueError where the duration is none."""
    names = request.csr.names
    return {
        "common_name": request.csr.subject_parts.common_name,
        "alt_names": ",".join(names.dns_names),
        "ip_sans": ",".join(names.ip_addresses),
        "uri_sans": ",".join(names.uris),
        "ttl": format_duration(defaults.duration(request.spec.duration)),
        "csr": request.spec.request.decode("ascii", "replace"),
        "exclude_cn_from_sans": "true",
    }
