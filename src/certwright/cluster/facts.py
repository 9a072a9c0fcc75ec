"""How what the caches keep of Certificates, CertificateRequests and Secrets is read off those objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from sys import intern
from typing import TypeVar

from msgspec import Raw, Struct, field
from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.api import core
from certwright.api.core_kinds import SECRET
from certwright.api.meta import ApiStruct, ObjectMeta, ObjectReference, decode
from certwright.api.resource import kind_of
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP, LEGACY_GROUP, Annotation, Label
from certwright.cluster.sharing import NOTHING, one, shared_conditions, shared_owners
from certwright.pki.certificate import Leaf, parse_leaf
from certwright.pki.csr import Request, parse_request
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeySpec, examine_private_key
from certwright.pki.pem import CERTIFICATE, DEFAULT_LIMITS, first, refuse_larger, split
from certwright.pki.signing import load_public_key
from certwright.rules.facts import (
    COMBINED_PEM,
    KEY_DER,
    TARGET_MANAGER,
    TEMPORARY_ISSUER,
    TLS_CERT,
    TLS_KEY,
    Identity,
    KeyFacts,
    LeafFacts,
    OwnedFields,
    RequestFacts,
    SecretFacts,
    is_answered,
)
from certwright.rules.mirrors import LAST_APPLIED, is_mirror
from certwright.rules.secret_contents import combined_pem

__all__ = ["RequestFacts", "SecretFacts"]

T = TypeVar("T")


class _OwnedMetadata(Struct, frozen=True):
    labels: dict[str, object] = field(name="f:labels", default_factory=dict)
    annotations: dict[str, object] = field(name="f:annotations", default_factory=dict)
    owner_references: dict[str, object] = field(name="f:ownerReferences", default_factory=dict)


class _Fields(Struct, frozen=True):
    metadata: _OwnedMetadata = field(name="f:metadata", default_factory=_OwnedMetadata)
    data: dict[str, object] = field(name="f:data", default_factory=dict)


class FieldsEntry(ApiStruct, frozen=True, kw_only=True):
    """What one manager owns of a Secret (metav1.ManagedFieldsEntry)."""

    manager: str = ""
    operation: str = ""
    fields: Raw = field(name="fieldsV1", default=Raw(b"{}"))


class TargetMeta(ObjectMeta, frozen=True, kw_only=True):
    """Metadata with the managers of the fields."""

    managed_fields: tuple[FieldsEntry, ...] = ()


class TargetSecret(core.Secret, frozen=True, kw_only=True):
    """A Secret, read with the managers of its fields."""

    metadata: TargetMeta = field(default_factory=TargetMeta)


TARGET_SECRET = kind_of(SECRET.resource, TargetSecret)
"""Secrets as target Secrets have to be read."""


def lean_certificate(found: cm.Certificate) -> cm.Certificate:
    """A Certificate without the copy of the manifest that kubectl leaves, as large as the rest; a mirror needs it."""
    metadata, spec, status = found.metadata, found.spec, found.status
    if is_mirror(metadata):
        return found
    annotations = metadata.annotations
    if LAST_APPLIED in annotations:
        annotations = {k: v for k, v in annotations.items() if k != LAST_APPLIED}
    return replace(
        found,
        metadata=replace(
            metadata,
            namespace=intern(metadata.namespace),
            labels=metadata.labels or NOTHING,
            annotations=annotations or NOTHING,
        ),
        spec=replace(
            spec,
            issuer_ref=one(spec.issuer_ref),
            private_key=one(spec.private_key),
            usages=one(spec.usages),
        ),
        status=replace(status, conditions=shared_conditions(status.conditions)) if status.conditions else status,
    )


def request_facts(found: cm.CertificateRequest) -> RequestFacts:
    """What is kept of a CertificateRequest."""
    spec, status = found.spec, found.status
    is_over = is_answered(status)
    return RequestFacts(
        metadata=_lean(found.metadata, {}, _ours(found.metadata.annotations)) if is_over else found.metadata,
        spec=_answered_spec(spec) if is_over else replace(spec, groups=(), extra={}),
        status=replace(status, certificate=b"", ca=b"", conditions=shared_conditions(status.conditions)),
        is_answered=is_over,
        text=spec.request,
        fault="" if is_over else _fault(spec.request),
        leaf_digest=_leaf_digest(status.certificate),
    )


def secret_facts(found: TargetSecret) -> SecretFacts:
    """What is kept of a Secret."""
    (facts,) = all_secret_facts((found,))
    return facts


def all_secret_facts(found: Sequence[TargetSecret]) -> list[SecretFacts]:
    """What is kept of each Secret.

    First all keys are read, then all certificates: a key takes the library through so much code and so large tables
    that everything else is slow behind it.
    """
    keys = [_key_facts(secret.data.get(TLS_KEY, b"")) for secret in found]
    leaves = [leaf_facts(secret.data.get(TLS_CERT, b"")) for secret in found]
    return [_secret_facts(*parts) for parts in zip(found, keys, leaves, strict=True)]


def _secret_facts(
    found: TargetSecret, key: tuple[KeyFacts | None, str], leaf: tuple[LeafFacts | None, str]
) -> SecretFacts:
    owned = _owned(found.metadata.managed_fields)
    return SecretFacts(
        metadata=_own_metadata(found.metadata, owned),
        type=intern(found.type),
        data=_shared(tuple(sorted([name for name, value in found.data.items() if value]))),
        key=key[0],
        key_problem=key[1],
        leaf=leaf[0],
        leaf_problem=leaf[1],
        formats=_shared(_right_formats(found)),
        owned=owned,
    )


def identity_of(leaf: Leaf) -> Identity:
    """Who a certificate is for."""
    return Identity(leaf.subject, leaf.general_names, leaf.public_key_digest)


@lru_cache(maxsize=64)
def parsed_request(text: bytes) -> Request:
    """The signing request, which several passes look at within moments; raises `PkiError`."""
    return parse_request(text, "spec.request")


@lru_cache(maxsize=64)
def _fault(text: bytes) -> str:
    """Why a request cannot be signed by anybody; nobody looks any more at one that is answered."""
    try:
        load_public_key(parsed_request(text).public_key_info)
    except PkiError as error:
        return str(error)
    return ""


def _key_facts(text: bytes) -> tuple[KeyFacts | None, str]:
    if not text:
        return None, ""
    try:
        spec, public_key = examine_private_key(text, "tls.key")
    except PkiError as error:
        return None, str(error)
    return KeyFacts(_shared_spec(spec), public_key), ""


@lru_cache(maxsize=64)
def leaf_facts(text: bytes) -> tuple[LeafFacts | None, str]:
    """The first certificate of a PEM text, or why it cannot be read; neither of no text."""
    if not text:
        return None, ""
    try:
        leaf = parse_leaf(text, "tls.crt")
    except PkiError as error:
        return None, str(error)
    facts = LeafFacts(
        identity=identity_of(leaf),
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        is_temporary=leaf.issuer == TEMPORARY_ISSUER,
        digest=leaf.fingerprint,
        authority_key=one(leaf.authority_key_id),
        serial=leaf.serial,
    )
    return facts, ""


def _leaf_digest(chain: bytes) -> bytes:
    if not chain:
        return b""
    try:
        refuse_larger(chain, DEFAULT_LIMITS.chain, "status.certificate")
        block = first(chain, "status.certificate")
    except PkiError:
        return b""
    return sha256(block.der).digest() if block.label == CERTIFICATE else b""


def _right_formats(found: TargetSecret) -> tuple[str, ...]:
    key_pem, chain_pem = found.data.get(TLS_KEY, b""), found.data.get(TLS_CERT, b"")
    right = []
    if (der := found.data.get(KEY_DER)) and der in _ders(key_pem):
        right.append(KEY_DER)
    if found.data.get(COMBINED_PEM) == combined_pem(key_pem, chain_pem):
        right.append(COMBINED_PEM)
    return tuple(right)


def _ders(key_pem: bytes) -> tuple[bytes, ...]:
    try:
        return tuple(block.der for block in split(key_pem, "the private key"))
    except PkiError:
        return ()


def _owned(entries: tuple[FieldsEntry, ...]) -> OwnedFields:
    return _owned_fields(tuple(bytes(entry.fields) for entry in entries if entry.manager == TARGET_MANAGER))


# What we own of one Secret is what we own of the next.
@lru_cache(maxsize=256)
def _owned_fields(texts: tuple[bytes, ...]) -> OwnedFields:
    mine = [decode(_Fields, text) for text in texts]
    return OwnedFields(
        labels=_names(*(fields.metadata.labels for fields in mine)),
        annotations=_names(*(fields.metadata.annotations for fields in mine)),
        data=_names(*(fields.data for fields in mine)),
        owner_reference=any(fields.metadata.owner_references for fields in mine),
    )


def _names(*fields: dict[str, object]) -> tuple[str, ...]:
    """`f:tls.key` → `tls.key`; the entry `.` is the map itself."""
    return tuple(sorted({intern(name[2:]) for part in fields for name in part if name.startswith("f:")}))


def _own_metadata(metadata: TargetMeta, owned: OwnedFields) -> ObjectMeta:
    return _lean(metadata, _ours(metadata.labels, owned.labels), _ours(metadata.annotations, owned.annotations))


def _ours(texts: Mapping[str, str], owned: tuple[str, ...] = ()) -> dict[str, str]:
    return {
        intern(k): intern(v) if k in _REPEATED else v
        for k, v in texts.items()
        if k.startswith(_OUR_GROUPS) or k in owned
    }


_OUR_GROUPS = (f"{CERT_MANAGER_GROUP}/", f"{LEGACY_GROUP}/", f"{ACME_GROUP}/", Label.FILTERED)
_REPEATED = frozenset(
    {Annotation.ISSUER_NAME, Annotation.ISSUER_KIND, Annotation.ISSUER_GROUP, Annotation.CERTIFICATE_REVISION}
)


def _lean(metadata: ObjectMeta, labels: dict[str, str], annotations: dict[str, str]) -> ObjectMeta:
    """What passes look at, in parts that other objects share."""
    return ObjectMeta(
        name=metadata.name,
        namespace=intern(metadata.namespace),
        uid=metadata.uid,
        resource_version=metadata.resource_version,
        creation_timestamp=metadata.creation_timestamp,
        deletion_timestamp=metadata.deletion_timestamp,
        labels=labels or NOTHING,
        annotations=annotations or NOTHING,
        owner_references=shared_owners(metadata.owner_references),
    )


def _answered_spec(spec: cm.CertificateRequestSpec) -> cm.CertificateRequestSpec:
    return _asked(spec.issuer_ref, spec.usages, spec.duration, spec.is_ca)


# An issuer is asked for the same thing again and again.
@lru_cache(maxsize=1024)
def _asked(
    issuer_ref: ObjectReference, usages: tuple[cm.KeyUsage, ...], duration: str | None, is_ca: bool
) -> cm.CertificateRequestSpec:
    return cm.CertificateRequestSpec(issuer_ref=issuer_ref, usages=usages, duration=duration, is_ca=is_ca, request=b"")


# Thousands of Secrets name the same fields and sizes: one value serves them all.
@lru_cache(maxsize=4096)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(intern(name) for name in names)


@lru_cache(maxsize=64)
def _shared_spec(spec: KeySpec) -> KeySpec:
    return spec
