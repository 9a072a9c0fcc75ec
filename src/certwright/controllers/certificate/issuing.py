"""The target Secret: written when a certificate is issued, and put right where it has drifted."""

from __future__ import annotations

from datetime import datetime, timedelta

from certwright.api import certmanager_v1 as cm
from certwright.api.kinds import CERTIFICATE_REQUEST
from certwright.api.meta import JSONObject, SecretKeySelector
from certwright.api.wellknown import Annotation, CertificateEvent
from certwright.cluster.cluster import Cluster
from certwright.cluster.facts import TARGET_SECRET, TargetSecret, identity_of, leaf_facts
from certwright.cluster.pending import Answer
from certwright.controllers.certificate.gather import CertificateView
from certwright.controllers.certificate.refusals import QUOTING, refusal
from certwright.errors import Blocked, Retry
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Forbidden, NotFound
from certwright.pki import pem
from certwright.pki.certificate import key_identifier, parse_leaf
from certwright.pki.csr import build_request, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.issuance import Signer, Terms, sign
from certwright.pki.keys import (
    KeyAlgorithm,
    KeySpec,
    PrivateKey,
    encode_private_key,
    generate,
    parse_private_key,
    public_key_info,
)
from certwright.pki.keystores import jks, pkcs12
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.rules import defaults
from certwright.rules.facts import CA_CERT, TARGET_MANAGER, TEMPORARY_ISSUER, TLS_CERT, TLS_KEY, LeafFacts, RequestFacts
from certwright.rules.hub import Dialect
from certwright.rules.request_content import request_content
from certwright.rules.secret_contents import (
    KEYSTORE_JKS,
    KEYSTORE_P12,
    TRUSTSTORE_JKS,
    TRUSTSTORE_P12,
    Material,
    Passwords,
    SecretMetadata,
    foreign_marks,
    issuer_to_record,
    secret_data,
    secret_metadata,
    secret_object,
)

TEMPORARY_LIFETIME = timedelta(days=90)
SECRET_NOT_WRITTEN = "SecretNotWritten"  # noqa: S105  a reason


class Unusable(Exception):
    """What the issuer gave is not a certificate for the request; the text is a sentence."""


class Issuing:
    """Writes target Secrets, each whole and in one server-side apply."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def answer(self, request: RequestFacts) -> Answer:
        """What the issuer gave: from this process, or from the API server."""
        here = self._cluster.pending.answer(request.key, request.metadata.uid)
        if here is not None:
            return here
        try:
            found = await self._cluster.client.get(CERTIFICATE_REQUEST, request.key)
        except NotFound as error:
            raise Retry(f"CertificateRequest {request.key} is gone") from error
        if found.metadata.uid != request.metadata.uid:
            raise Retry(f"CertificateRequest {request.key} was made anew")
        return Answer(uid=found.metadata.uid, chain=found.status.certificate, ca=found.status.ca)

    async def store(
        self, view: CertificateView, request: RequestFacts, answer: Answer, key: PrivateKey
    ) -> TargetSecret:
        """The target Secret with the new pair in it; `Blocked` where it cannot be written before something changes."""
        leaf = _usable(answer, request, view.now)
        material = Material(
            key=key,
            key_pem=encode_private_key(key, defaults.key_encoding(view.spec)),
            chain=_chain(view, answer),
            ca=answer.ca,
        )
        return await self._apply(
            view, material, secret_metadata(view.certificate, leaf.identity, request.spec.issuer_ref)
        )

    async def refresh(self, view: CertificateView) -> TargetSecret | None:
        """The target Secret with all that is ours as wanted, around the pair it has; None where that has gone."""
        secret = await self._target(view)
        material = None if secret is None else _material(secret, view)
        if secret is None or material is None or view.secret is None or view.secret.leaf is None:
            return None
        issuer = issuer_to_record(view.secret, view.spec)
        metadata = secret_metadata(view.certificate, view.secret.leaf.identity, issuer)
        return await self._apply(view, material, metadata)

    async def stores_open(self, view: CertificateView) -> bool:
        """Whether the key stores in the target Secret open with the passwords of now and are as the spec says."""
        secret = await self._target(view)
        if secret is None:
            return True
        passwords = await self._passwords(view)
        stores = view.spec.keystores or cm.Keystores()
        return _jks_open(secret, stores.jks, passwords) and _pkcs12_open(secret, stores.pkcs12, passwords)

    async def put_temporary(self, view: CertificateView, key: PrivateKey) -> TargetSecret:
        """The target Secret with a certificate that nobody trusts, so that a server can start with it."""
        chain = pem.write_certificates([_temporary_certificate(view, key)])
        encoded = encode_private_key(key, defaults.key_encoding(view.spec))
        material = Material(key=key, key_pem=encoded, chain=chain)
        found = secret_metadata(view.certificate, identity_of(parse_leaf(chain, TLS_CERT)), view.spec.issuer_ref)
        named = {key: value for key, value in found.annotations.items() if key not in _PROVENANCE}
        metadata = SecretMetadata(labels=found.labels, annotations=named)
        body = secret_object(
            view.certificate,
            metadata,
            {TLS_KEY: encoded, TLS_CERT: material.chain},
            kind=view.secret.type if view.secret else "",
            owned=view.owner_reference,
        )
        return await self._write(view, body)

    async def _apply(self, view: CertificateView, material: Material, metadata: SecretMetadata) -> TargetSecret:
        passwords = await self._passwords(view)
        try:
            data = secret_data(view.spec, material, passwords, view.now)
        except PkiError as error:
            raise Blocked(SECRET_NOT_WRITTEN, f"The key stores cannot be written: {error}.") from error
        body = secret_object(
            view.certificate,
            metadata,
            data,
            kind=view.secret.type if view.secret else "",
            owned=view.owner_reference,
        )
        return await self._write(view, body)

    async def _write(self, view: CertificateView, body: JSONObject) -> TargetSecret:
        key = _target_key(view)
        try:
            applied = await self._cluster.client.apply(TARGET_SECRET, key, body, manager=TARGET_MANAGER)
        except (Forbidden, *QUOTING) as error:
            # Not `from error`: its text may hold the private key, and a log would show it.
            raise Blocked(SECRET_NOT_WRITTEN, f"Secret {key} cannot be written: {refusal(error)}") from None
        marks = foreign_marks(view.certificate.key.dialect, applied.metadata)
        if marks:
            applied = await self._cluster.client.merge_patch(TARGET_SECRET, key, marks, manager=TARGET_MANAGER)
        self._cluster.caches.secrets.remember(applied)
        return applied

    async def _target(self, view: CertificateView) -> TargetSecret | None:
        try:
            return await self._cluster.client.get(TARGET_SECRET, _target_key(view))
        except NotFound:
            return None

    async def _passwords(self, view: CertificateView) -> Passwords:
        stores = view.spec.keystores
        if stores is None:
            return Passwords()
        namespace = view.certificate.key.namespace
        found = {}
        for name, store in (("jks", stores.jks), ("pkcs12", stores.pkcs12)):
            if store is None or not store.create:
                continue
            word = "JKS" if name == "jks" else "PKCS12"
            if store.password_secret_ref is not None and store.password_secret_ref.name:
                found[name] = await self._password(namespace, store.password_secret_ref, word)
            else:
                found[name] = (store.password or "").encode()
        return Passwords(**found)

    async def _password(self, namespace: str, ref: SecretKeySelector, word: str) -> bytes:
        value = await self._cluster.secrets.value(namespace, ref.name, ref.key)
        if value is None:
            raise Blocked(
                CertificateEvent.KEYSTORE_PASSWORD_SECRET_NOT_FOUND,
                f'{word} keystore password Secret "{ref.name}" not found, or it has no key "{ref.key}"; create it.',
            )
        return value


_PROVENANCE = frozenset({Annotation.ISSUER_NAME, Annotation.ISSUER_KIND, Annotation.ISSUER_GROUP})


def _target_key(view: CertificateView) -> ObjectKey:
    return ObjectKey(view.certificate.key.namespace, view.spec.secret_name)


def _usable(answer: Answer, request: RequestFacts, now: datetime) -> LeafFacts:
    leaf, problem = leaf_facts(answer.chain)
    problem = problem if leaf is None else leaf.identity.problem
    if leaf is None or problem:
        raise Unusable(f"The issuer gave a certificate that cannot be read: {problem or 'it is empty'}.")
    if request.identity is None or leaf.identity.public_key != request.identity.public_key:
        raise Unusable("The issuer gave a certificate for another private key.")
    if leaf.not_after <= now:
        raise Unusable(f"The issuer gave a certificate that ended on {leaf.not_after:%Y-%m-%d %H:%M:%S UTC}.")
    return leaf


def _chain(view: CertificateView, answer: Answer) -> bytes:
    """Legacy Secrets of CA issuers hold the CA's certificate behind the leaf."""
    is_legacy = view.certificate.key.dialect is Dialect.LEGACY
    by_ca = view.issuer is not None and view.issuer.spec.ca is not None
    return answer.chain + answer.ca if is_legacy and by_ca and answer.ca not in answer.chain else answer.chain


def _material(secret: TargetSecret, view: CertificateView) -> Material | None:
    """What is in the Secret; the CA only where we put it there."""
    try:
        key = parse_private_key(secret.data.get(TLS_KEY, b""), TLS_KEY)
    except PkiError:
        return None
    is_ours = view.secret is not None and CA_CERT in view.secret.owned.data
    return Material(
        key=key,
        key_pem=secret.data[TLS_KEY],
        chain=secret.data.get(TLS_CERT, b""),
        ca=secret.data.get(CA_CERT, b"") if is_ours else b"",
    )


def _jks_open(secret: TargetSecret, wanted: cm.JKSKeystore | None, passwords: Passwords) -> bool:
    if wanted is None or passwords.jks is None:
        return True
    stores = ((KEYSTORE_JKS, wanted.alias or jks.DEFAULT_ALIAS), (TRUSTSTORE_JKS, ""))
    found = ((secret.data[name], alias) for name, alias in stores if name in secret.data)
    return all(opens_jks(data, passwords.jks, alias) for data, alias in found)


def _pkcs12_open(secret: TargetSecret, wanted: cm.PKCS12Keystore | None, passwords: Passwords) -> bool:
    if wanted is None or passwords.pkcs12 is None:
        return True
    profile = pkcs12.Profile(wanted.profile or pkcs12.Profile.LEGACY_RC2)
    found = (secret.data[name] for name in (KEYSTORE_P12, TRUSTSTORE_P12) if name in secret.data)
    return all(opens_pkcs12(data, passwords.pkcs12, profile) for data in found)


def _temporary_certificate(view: CertificateView, key: PrivateKey) -> bytes:
    """Signed by a CA that is thrown away at once."""
    authority = generate(KeySpec(KeyAlgorithm.ECDSA, 521))
    signer = Signer(name=TEMPORARY_ISSUER, key_id=key_identifier(public_key_info(authority)), key=authority)
    request = parse_request(build_request(request_content(view.spec), key))
    terms = Terms(usages=view.spec.usages, is_ca=False, lifetime=TEMPORARY_LIFETIME)
    return sign(request, signer, terms, view.now)
