"""The SelfSigned issuer: each certificate is signed with its own key."""

from __future__ import annotations

from certwright.api.wellknown import Annotation, IssuerReason, RequestEvent
from certwright.cluster.cluster import Cluster
from certwright.issuers.base import (
    EventText,
    IssuerType,
    Outcome,
    Pending,
    Refused,
    RequestToSign,
    Signed,
    Verdict,
)
from certwright.kube.wire.keys import ObjectKey
from certwright.pki.chain import Chain
from certwright.pki.errors import PkiError
from certwright.pki.issuance import Terms, sign_with_own_key
from certwright.pki.keys import PrivateKey, parse_private_key, public_key_info
from certwright.pki.names import EMPTY_NAME
from certwright.rules import defaults
from certwright.rules.facts import TLS_KEY
from certwright.rules.hub import HubIssuer

NO_ISSUER_NAME = (
    "Certificate will be issued with an empty Issuer DN, which contravenes RFC 5280 and could break some strict "
    "clients; set spec.commonName or spec.subject"
)


class SelfSigned(IssuerType):
    """Signs with the key that waits in this process, or with the one in the Secret that the request names."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def in_process(self) -> bool:
        """It signs here."""
        return True

    async def check(self, issuer: HubIssuer) -> Verdict:  # noqa: ARG002 - other types look at it
        """Always ready: it needs nothing."""
        return Verdict(ready=True, reason=IssuerReason.IS_READY, message="")

    async def sign(self, issuer: HubIssuer, request: RequestToSign) -> Outcome:
        """The certificate, which is its own CA."""
        key = await self._key(request)
        if isinstance(key, Pending | Refused):
            return key
        if request.csr.public_key_info != public_key_info(key):
            text = "The private key is not the one that the signing request is for; name the right Secret."
            return Refused(text, RequestEvent.ERROR_KEY_MATCH)
        try:
            terms = _terms(issuer, request)
        except ValueError as error:
            return Refused(f"The certificate cannot be made: {error}", RequestEvent.ERROR_GENERATING)
        try:
            data = sign_with_own_key(request.csr, key, terms, self._cluster.clock.now())
        except PkiError as error:
            return Refused(f"The certificate cannot be signed: {error}.", RequestEvent.ERROR_SIGNING)
        nameless = request.csr.subject == EMPTY_NAME
        events = (EventText("Warning", RequestEvent.BAD_CONFIG, NO_ISSUER_NAME),) if nameless else ()
        chain = Chain((data,), data)
        return Signed(chain.chain_pem, chain.ca_pem, events)

    async def _key(self, request: RequestToSign) -> PrivateKey | Pending | Refused:
        waiting = self._cluster.pending.get(ObjectKey(request.namespace, request.metadata.name))
        if waiting is not None:
            return waiting
        name = request.metadata.annotations.get(Annotation.PRIVATE_KEY_SECRET_NAME, "")
        if not name:
            text = (
                f'Annotation "{Annotation.PRIVATE_KEY_SECRET_NAME}" missing or reference empty: '
                "name the Secret with the private key, and make the request anew."
            )
            return Refused(text, RequestEvent.MISSING_ANNOTATION)
        value = await self._cluster.secrets.value(request.namespace, name, TLS_KEY)
        if value is None:
            text = f"Secret {request.namespace}/{name} with the private key in {TLS_KEY} does not exist yet."
            return Pending(text, RequestEvent.MISSING_SECRET)
        try:
            return parse_private_key(value, f"{TLS_KEY} in Secret {name}")
        except PkiError as error:
            return Pending(f"The private key cannot be read: {error}.", RequestEvent.ERROR_PARSING_KEY)


def _terms(issuer: HubIssuer, request: RequestToSign) -> Terms:
    spec = issuer.spec.self_signed
    assert spec is not None
    return Terms(
        usages=request.spec.usages,
        is_ca=request.spec.is_ca,
        lifetime=defaults.duration(request.spec.duration),
        crl_distribution_points=spec.crl_distribution_points,
    )
