"""The CA issuer: signs with a key pair in a Secret."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from certwright.api.core import Secret
from certwright.api.wellknown import IssuerReason, RequestEvent
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
from certwright.pki.certificate import Certificate, parse_certificate_der
from certwright.pki.chain import Chain, complete, order_chain
from certwright.pki.errors import PkiError
from certwright.pki.issuance import Signer, Terms, sign, signer_from
from certwright.pki.keys import key_spec_of, parse_private_key, public_key_digest
from certwright.pki.pem import split_certificates
from certwright.rules import defaults
from certwright.rules.facts import CA_CERT, TLS_CERT, TLS_KEY
from certwright.rules.hub import HubIssuer
from certwright.rules.key_choice import ungated

VERIFIED = "Signing CA verified"
CLIPPED = "ClippedToCA"
_LEAST_LIFE = timedelta(seconds=1)


class SigningPair(Struct, frozen=True, kw_only=True):
    """A CA ready to sign; `chain` begins with its certificate."""

    signer: Signer
    certificate: Certificate
    chain: Chain

    def __repr__(self) -> str:
        return f"SigningPair({self.certificate.subject_text!r})"


class NoPair(Struct, frozen=True, kw_only=True):
    """Why there is none: the issuer's reason, the event of a request that wants it, and a sentence."""

    reason: str
    event: str
    message: str


class CA(IssuerType):
    """Signs with the key pair in the Secret that the issuer names; the pair is read once for each version of it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._read: dict[ObjectKey, tuple[str, SigningPair | NoPair]] = {}
        self._verified: dict[ObjectKey, str] = {}

    @property
    def in_process(self) -> bool:
        """It signs here."""
        return True

    async def check(self, issuer: HubIssuer) -> Verdict:
        """Ready where the Secret holds a CA certificate that has not ended, and its key."""
        pair = _alive(await self._pair(issuer), self._cluster.clock.now())
        if isinstance(pair, NoPair):
            events = () if _says(issuer, pair) else (EventText("Warning", pair.reason, pair.message),)
            return Verdict(ready=False, reason=pair.reason, message=pair.message, events=events)
        changed = self._is_news(issuer)
        return Verdict(
            ready=True,
            reason=IssuerReason.KEY_PAIR_VERIFIED,
            message=VERIFIED,
            events=(EventText("Normal", IssuerReason.KEY_PAIR_VERIFIED, VERIFIED),) if changed else (),
            look_again=pair.certificate.not_after,
        )

    async def sign(self, issuer: HubIssuer, request: RequestToSign) -> Outcome:
        """The certificate, with the CA's own chain behind it; it outlives the CA only where the settings let it."""
        now = self._cluster.clock.now()
        pair = _alive(await self._pair(issuer), now)
        if isinstance(pair, NoPair):
            return Pending(pair.message, pair.event)
        try:
            asked = defaults.duration(request.spec.duration)
        except ValueError as error:
            return Refused(f"The duration asked for cannot be used: {error}")
        left = pair.certificate.not_after - now.replace(microsecond=0)
        lifetime = min(asked, left) if self._cluster.settings.clip_to_ca else asked
        terms = _terms(issuer, request, lifetime)
        try:
            chain = complete(sign(request.csr, pair.signer, terms, now), pair.chain)
        except PkiError as error:
            return Refused(f"The certificate cannot be signed: {error}.")
        return Signed(chain.chain_pem, chain.ca_pem, _clipped(pair, asked, lifetime))

    async def signing_key(self, issuer: HubIssuer) -> bytes:
        """That of the key in the Secret, where it can sign."""
        pair = _alive(await self._pair(issuer), self._cluster.clock.now())
        return b"" if isinstance(pair, NoPair) else pair.signer.key_id

    async def _pair(self, issuer: HubIssuer) -> SigningPair | NoPair:
        assert issuer.spec.ca is not None
        namespace = issuer.secrets_namespace(self._cluster.settings.cluster_resource_namespace)
        key = ObjectKey(namespace, issuer.spec.ca.secret_name)
        version = self._cluster.caches.secret_version(*key)
        read = self._read.get(key)
        if read is not None and version is not None and read[0] == version:
            return read[1]
        secret = await self._cluster.secrets.find(*key)
        if secret is None:
            self._read.pop(key, None)
            return _missing(key)
        pair = self._gated(read_pair(secret), key)
        self._read[key] = (secret.metadata.resource_version, pair)
        return pair

    def _gated(self, pair: SigningPair | NoPair, secret: ObjectKey) -> SigningPair | NoPair:
        if isinstance(pair, NoPair):
            return pair
        why = ungated(key_spec_of(pair.signer.key).algorithm, self._cluster.settings.gates)
        return _invalid(f"in Secret {secret} {why}") if why else pair

    def _is_news(self, issuer: HubIssuer) -> bool:
        """Whether this pair was not announced: a new one, or one that was not there before."""
        assert issuer.spec.ca is not None
        namespace = issuer.secrets_namespace(self._cluster.settings.cluster_resource_namespace)
        at = ObjectKey(issuer.metadata.namespace, f"{issuer.key.dialect.value}/{issuer.key.name}")
        read = self._read.get(ObjectKey(namespace, issuer.spec.ca.secret_name))
        version = "" if read is None else read[0]
        before = self._verified.get(at)
        self._verified[at] = version
        return not issuer.is_ready if before is None else before != version


def read_pair(secret: Secret) -> SigningPair | NoPair:
    """The CA in a Secret, or why it holds none."""
    name = f"Secret {secret.metadata.namespace}/{secret.metadata.name}"
    for value in (TLS_CERT, TLS_KEY):
        if not secret.data.get(value):
            text = f"Error getting keypair for CA issuer: {name} has no {value}; store the CA's pair there."
            return NoPair(reason=IssuerReason.ERR_GET_KEY_PAIR, event=RequestEvent.SECRET_INVALID_DATA, message=text)
    try:
        key = parse_private_key(secret.data[TLS_KEY], TLS_KEY)
        own = split_certificates(secret.data[TLS_CERT], TLS_CERT)
        certificate = parse_certificate_der(own[0], TLS_CERT)
        chain = _chain(own, secret.data.get(CA_CERT, b""))
    except PkiError as error:
        text = f"Error getting keypair for CA issuer: in {name} {error}."
        return NoPair(reason=IssuerReason.ERR_GET_KEY_PAIR, event=RequestEvent.SECRET_INVALID_DATA, message=text)
    if not certificate.is_ca:
        return _invalid(f"the certificate in {name} is not a CA; store one with CA true in it")
    if certificate.public_key_digest != public_key_digest(key):
        return _invalid(f"{TLS_KEY} and {TLS_CERT} in {name} do not belong together; store a pair")
    return SigningPair(signer=signer_from(own[0], key), certificate=certificate, chain=chain)


def _chain(own: list[bytes], above: bytes) -> Chain:
    """The CA's certificates in order; `ca.crt` only where it belongs above them."""
    if above:
        try:
            return order_chain([*own, *split_certificates(above, CA_CERT)], "the chain of the CA")
        except PkiError:
            pass
    return order_chain(own, "the chain of the CA")


def _alive(pair: SigningPair | NoPair, now: datetime) -> SigningPair | NoPair:
    if isinstance(pair, NoPair) or pair.certificate.not_after - now >= _LEAST_LIFE:
        return pair
    ended = pair.certificate.not_after.strftime("%Y-%m-%d %H:%M:%S UTC")
    return _invalid(f"the CA certificate {pair.certificate.subject_text} ended on {ended}; renew it")


def _invalid(why: str) -> NoPair:
    return NoPair(
        reason=IssuerReason.ERR_INVALID_KEY_PAIR,
        event=RequestEvent.SECRET_INVALID_DATA,
        message=f"Error getting keypair for CA issuer: {why}.",
    )


def _missing(key: ObjectKey) -> NoPair:
    return NoPair(
        reason=IssuerReason.ERR_GET_KEY_PAIR,
        event=RequestEvent.SECRET_MISSING,
        message=f'Error getting keypair for CA issuer: secrets "{key.name}" not found in namespace {key.namespace}; '
        "create it with tls.crt and tls.key of the CA.",
    )


def _says(issuer: HubIssuer, pair: NoPair) -> bool:
    ready = issuer.ready
    return ready is not None and (ready.status, ready.reason, ready.message) == ("False", pair.reason, pair.message)


def _terms(issuer: HubIssuer, request: RequestToSign, lifetime: timedelta) -> Terms:
    spec = issuer.spec.ca
    assert spec is not None
    return Terms(
        usages=request.spec.usages,
        is_ca=request.spec.is_ca,
        lifetime=lifetime,
        ocsp_servers=spec.ocsp_servers,
        issuing_certificate_urls=spec.issuing_certificate_urls,
        crl_distribution_points=spec.crl_distribution_points,
    )


def _clipped(pair: SigningPair, asked: timedelta, lifetime: timedelta) -> tuple[EventText, ...]:
    if lifetime == asked:
        return ()
    ends = pair.certificate.not_after.strftime("%Y-%m-%d %H:%M:%S UTC")
    text = f"The certificate ends on {ends}, with its CA, earlier than asked for; renew the CA to get longer ones."
    return (EventText("Warning", CLIPPED, text),)
