"""What is known of CertificateRequests and Secrets when something is decided: facts, no bodies, no keys, no chains."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition, ObjectMeta, OwnerReference
from certwright.api.wellknown import Annotation, ConditionType, Label, RequestReason
from certwright.kube.wire.keys import ObjectKey
from certwright.pki.alternative_names import AlternativeNames, decode_alternative_names
from certwright.pki.csr import applicant_of
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeySpec
from certwright.pki.names import Subject, encode_subject, subject_of

TARGET_MANAGER = "cert-manager-certificates-issuing"
"""Field manager of target Secrets: what it owns there is ours to change and to take away."""

TLS_KEY, TLS_CERT, CA_CERT = "tls.key", "tls.crt", "ca.crt"
KEY_DER, COMBINED_PEM = "key.der", "tls-combined.pem"

TEMPORARY_ISSUER = encode_subject(Subject(common_name="cert-manager.local"))
"""DER Name of the throw-away CA of temporary certificates."""


class Identity(Struct, frozen=True, gc=False):
    """Who a certificate or a request is for: DER Name, DER GeneralNames (no bytes: none), digest of the public key.

    Names are decoded when they are asked for, and raise `PkiError` where there is a `problem`.
    """

    subject: bytes
    general_names: bytes
    public_key: bytes

    @property
    def problem(self) -> str:
        """Why its names cannot be read; no text where they can be."""
        try:
            _ = self.parts, self.names
        except PkiError as error:
            return str(error)
        return ""

    @property
    def parts(self) -> Subject:
        """The parts of the subject."""
        return _parts(self.subject)

    @property
    def names(self) -> AlternativeNames:
        """The subject alternative names."""
        return _names(self.general_names)


# A pass asks for them several times; what is kept of thousands of certificates is the DER alone.
@lru_cache(maxsize=256)
def _parts(subject: bytes) -> Subject:
    return subject_of(subject)


@lru_cache(maxsize=256)
def _names(general_names: bytes) -> AlternativeNames:
    return decode_alternative_names(general_names) if general_names else AlternativeNames()


@lru_cache(maxsize=256)
def _applicant(text: bytes) -> tuple[Identity | None, str]:
    """Who a request is for, as it says, or why that cannot be told."""
    try:
        found = applicant_of(text, "spec.request")
    except PkiError as error:
        return None, str(error)
    return Identity(found.subject, found.general_names, sha256(found.public_key_info).digest()), ""


class RequestFacts(Struct, frozen=True, kw_only=True):
    """A CertificateRequest, without its answer; `text` is the PEM signing request.

    `is_answered` says that nobody will work on it any more: issued, failed, denied or invalid.
    `fault` says why nobody can sign it; nobody looks for one any more where it is answered.
    `leaf_digest` is the SHA-256 of the certificate that it got; no bytes where there is none that can be read.
    """

    metadata: ObjectMeta
    spec: cm.CertificateRequestSpec
    status: cm.CertificateRequestStatus
    is_answered: bool = False
    text: bytes = b""
    fault: str = ""
    leaf_digest: bytes = b""

    @property
    def identity(self) -> Identity | None:
        """Who it is for; None where not even the place of its parts can be told."""
        return None if self.fault else _applicant(self.text)[0]

    @property
    def unreadable(self) -> str:
        """Why it cannot be read; no text where it can be."""
        if self.fault:
            return self.fault
        identity, problem = _applicant(self.text)
        return problem if identity is None else identity.problem

    @property
    def key(self) -> ObjectKey:
        """Its name."""
        return ObjectKey(self.metadata.namespace, self.metadata.name)

    @property
    def revision(self) -> int | None:
        """The number of the issuance that it belongs to; None where the annotation is absent or no number."""
        text = self.metadata.annotations.get(Annotation.CERTIFICATE_REVISION, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    @property
    def key_secret_name(self) -> str:
        """Where its private key is said to lie."""
        return self.metadata.annotations.get(Annotation.PRIVATE_KEY_SECRET_NAME, "")

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type."""
        return next((condition for condition in self.status.conditions if condition.type == kind), None)

    def is_true(self, kind: str) -> bool:
        """Whether the condition of that type is True."""
        found = self.condition(kind)
        return found is not None and found.status == "True"


def is_answered(status: cm.CertificateRequestStatus) -> bool:
    """Whether a CertificateRequest of that status is issued, failed, denied or invalid."""
    for condition in status.conditions:
        match condition.type, condition.status, condition.reason:
            case ConditionType.READY, "True", _:
                return True
            case ConditionType.READY, "False", RequestReason.FAILED | RequestReason.DENIED:
                return True
            case ConditionType.INVALID_REQUEST, "True", _:
                return True
    return False


class KeyFacts(Struct, frozen=True, gc=False):
    """A private key, as far as it may be known outside its Secret."""

    spec: KeySpec
    public_key: bytes


class LeafFacts(Struct, frozen=True, gc=False):
    """A certificate; `is_temporary` where our throw-away CA made it; `digest` is the SHA-256 of its DER.

    `authority_key` is the identifier of the key that signed it; no bytes where the certificate does not say.
    `serial` is the number as DER holds it.
    """

    identity: Identity
    not_before: datetime
    not_after: datetime
    is_temporary: bool
    digest: bytes
    authority_key: bytes = b""
    serial: bytes = b""


class OwnedFields(Struct, frozen=True, kw_only=True):
    """The names of what our field manager owns of a Secret."""

    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    owner_reference: bool = False


class SecretFacts(Struct, frozen=True, kw_only=True):
    """A Secret of ours: `data` names its values that are not empty, `formats` those further forms that are right.

    `metadata` holds only those labels and annotations that are ours; the problems say why a value cannot be read.
    """

    metadata: ObjectMeta
    type: str
    data: tuple[str, ...]
    key: KeyFacts | None = None
    key_problem: str = ""
    leaf: LeafFacts | None = None
    leaf_problem: str = ""
    formats: tuple[str, ...] = ()
    owned: OwnedFields = OwnedFields()

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def is_next_key(self) -> bool:
        """Whether it holds the key of an issuance that is under way."""
        return self.metadata.labels.get(Label.NEXT_PRIVATE_KEY) == "true"

    @property
    def is_labelled(self) -> bool:
        """Whether the watch over our own Secrets shows it."""
        return self.metadata.labels.get(Label.FILTERED) == "true"


def controller_of(metadata: ObjectMeta) -> OwnerReference | None:
    """The object that controls this one."""
    return next((reference for reference in metadata.owner_references if reference.controller), None)
