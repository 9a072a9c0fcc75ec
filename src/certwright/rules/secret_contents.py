"""What a target Secret holds: data, labels and annotations, and what of it has drifted."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import JSONObject, ObjectMeta, ObjectReference, to_json
from certwright.api.wellknown import Annotation, Label, LegacyKey
from certwright.pki import pem
from certwright.pki.keys import PrivateKey
from certwright.pki.keystores import jks, pkcs12
from certwright.pki.keystores.entry import KeyEntry
from certwright.pki.names import Subject
from certwright.pki.pem import split_certificates
from certwright.rules import defaults
from certwright.rules.facts import CA_CERT, COMBINED_PEM, KEY_DER, TLS_CERT, TLS_KEY, Identity, SecretFacts
from certwright.rules.hub import Dialect, HubCertificate
from certwright.rules.owner import recorded_issuer
from certwright.rules.request_content import owner_reference

TLS_TYPE = "kubernetes.io/tls"
KEYSTORE_JKS, TRUSTSTORE_JKS = "keystore.jks", "truststore.jks"
KEYSTORE_P12, TRUSTSTORE_P12 = "keystore.p12", "truststore.p12"
FORMATS = frozenset({KEY_DER, COMBINED_PEM})
KEYSTORES = frozenset({KEYSTORE_JKS, TRUSTSTORE_JKS, KEYSTORE_P12, TRUSTSTORE_P12})
LONGEST_LABEL = 63
_NONE: frozenset[str] = frozenset()
_FORMAT_KEYS = {"DER": KEY_DER, "CombinedPEM": COMBINED_PEM}
_QUOTED = re.compile(r'[,"\r\n]|^\s|^\\\.\Z')
"""What Go's csv.Writer puts in quotes."""


class Passwords(Struct, frozen=True, kw_only=True):
    """The passwords of the key stores that are to be made; None: that store is not to be made."""

    jks: bytes | None = None
    pkcs12: bytes | None = None

    def __repr__(self) -> str:
        return "Passwords([hidden])"


class Material(Struct, frozen=True, kw_only=True):
    """A key, as such and as `tls.key`, with its certificates as PEM; `ca` is empty where the CA is not known."""

    key: PrivateKey
    key_pem: bytes
    chain: bytes
    ca: bytes = b""

    def __repr__(self) -> str:
        return f"Material(chain={self.chain!r})"


class SecretMetadata(Struct, frozen=True, kw_only=True):
    """The labels and annotations that are ours to set."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def secret_data(spec: cm.CertificateSpec, material: Material, passwords: Passwords, now: datetime) -> dict[str, bytes]:
    """Every value of the Secret that is ours; raises `PkiError` for a key store that cannot be written."""
    data = {TLS_KEY: material.key_pem, TLS_CERT: material.chain}
    if material.ca:
        data[CA_CERT] = material.ca
    formats = wanted_formats(spec)
    if KEY_DER in formats:
        data[KEY_DER] = key_der(material.key_pem)
    if COMBINED_PEM in formats:
        data[COMBINED_PEM] = combined_pem(material.key_pem, material.chain)
    return data | _keystores(spec, material, passwords, now)


def key_der(key_pem: bytes) -> bytes:
    """The value of `key.der`: the key in the encoding that `tls.key` has."""
    blocks = pem.split(key_pem, TLS_KEY)
    # OpenSSL writes the parameters of a curve before the key.
    return next((block for block in blocks if block.label.endswith("PRIVATE KEY")), blocks[0]).der


def combined_pem(key_pem: bytes, chain: bytes) -> bytes:
    """The value of `tls-combined.pem`."""
    return key_pem + b"\n" + chain


def secret_metadata(certificate: HubCertificate, leaf: Identity, issuer: ObjectReference) -> SecretMetadata:
    """The labels and annotations: those of the template, over which those that describe the certificate win."""
    template = certificate.spec.secret_template
    labels = {} if template is None else dict(template.labels)
    annotations = {} if template is None else dict(template.annotations)
    labels[Label.FILTERED] = "true"
    if certificate.key.dialect is Dialect.LEGACY:
        labels |= _legacy_labels(certificate.key.name)
        annotations |= _legacy_annotations(certificate.key.name, leaf, issuer)
    else:
        annotations |= certificate_details(leaf)
        annotations |= _provenance(certificate.key.name, issuer)
    return SecretMetadata(labels=labels, annotations=annotations)


def secret_object(
    certificate: HubCertificate, metadata: SecretMetadata, data: Mapping[str, bytes], *, kind: str, owned: bool
) -> JSONObject:
    """What is applied: everything that our field manager is to own; what is left out is taken away if it was ours."""
    meta: JSONObject = {
        "name": certificate.spec.secret_name,
        "namespace": certificate.key.namespace,
        "labels": dict(metadata.labels),
        "annotations": dict(metadata.annotations),
    }
    if owned:
        meta["ownerReferences"] = [to_json(owner_reference(certificate))]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta,
        "type": kind or TLS_TYPE,
        "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
    }


def foreign_marks(dialect: Dialect, metadata: ObjectMeta) -> JSONObject:
    """The merge patch that takes the other group's owner off a Secret, whoever wrote it; empty where there is none."""
    names = {Dialect.MODERN: LegacyKey.CERTIFICATE_NAME, Dialect.LEGACY: Annotation.CERTIFICATE_NAME}
    mark = names[dialect]
    gone: JSONObject = {}
    if mark in metadata.annotations:
        gone["annotations"] = {mark: None}
    if mark in metadata.labels:
        gone["labels"] = {mark: None}
    return {"metadata": gone} if gone else {}


def issuer_to_record(secret: SecretFacts | None, spec: cm.CertificateSpec) -> ObjectReference:
    """What the annotations are to say of the issuer: what they said, where that means the same."""
    recorded = recorded_issuer(secret.metadata) if secret is not None else None
    said = secret is not None and Annotation.ISSUER_NAME in secret.metadata.annotations
    if recorded is not None and said and defaults.is_same_issuer(recorded, spec.issuer_ref):
        return recorded
    return spec.issuer_ref


def drift(certificate: HubCertificate, secret: SecretFacts, *, owned: bool) -> tuple[str, ...]:
    """What in the Secret is ours and not as wanted; passwords of key stores are not looked at."""
    assert secret.leaf is not None
    wanted = secret_metadata(certificate, secret.leaf.identity, issuer_to_record(secret, certificate.spec))
    ours, found = secret.owned, []
    if _part(secret.metadata.labels, ours.labels) != wanted.labels:
        found.append("labels")
    if _part(secret.metadata.annotations, ours.annotations) != wanted.annotations:
        found.append("annotations")
    if TLS_KEY not in ours.data or TLS_CERT not in ours.data:
        found.append("data")
    formats = wanted_formats(certificate.spec)
    if formats != FORMATS.intersection(ours.data) or not formats.issubset(secret.formats):
        found.append("additional output formats")
    # A CA that others have put there does not go into trust stores of ours.
    if wanted_keystores(certificate.spec, has_ca=CA_CERT in ours.data) != KEYSTORES.intersection(ours.data):
        found.append("keystores")
    has_ours = ours.owner_reference
    if not (has_ours and _is_owned_by(secret, certificate) if owned else not has_ours):
        found.append("owner reference")
    return tuple(found)


def wanted_formats(spec: cm.CertificateSpec) -> frozenset[str]:
    """The data keys of the additional output formats."""
    asked = spec.additional_output_formats
    return frozenset(_FORMAT_KEYS[each.type] for each in asked if each.type in _FORMAT_KEYS) if asked else _NONE


def wanted_keystores(spec: cm.CertificateSpec, *, has_ca: bool) -> frozenset[str]:
    """The data keys of the key stores; trust stores only where the CA is known."""
    stores = spec.keystores
    if stores is None:
        return _NONE
    found: set[str] = set()
    if stores.jks and stores.jks.create:
        found |= {KEYSTORE_JKS, TRUSTSTORE_JKS}
    if stores.pkcs12 and stores.pkcs12.create:
        found |= {KEYSTORE_P12, TRUSTSTORE_P12}
    return frozenset(found if has_ca else found - {TRUSTSTORE_JKS, TRUSTSTORE_P12})


def certificate_details(leaf: Identity) -> dict[str, str]:
    """The annotations that describe the issued certificate; four are always there, the others only if not empty."""
    names, subject = leaf.names, leaf.parts
    details = {
        Annotation.COMMON_NAME: subject.common_name,
        Annotation.ALT_NAMES: csv_record(names.dns_names),
        Annotation.IP_SANS: csv_record(names.ip_addresses),
        Annotation.URI_SANS: csv_record(names.uris),
    }
    if addresses := csv_record(names.email_addresses):
        details[Annotation.EMAIL_SANS] = addresses
    if subject != Subject(common_name=subject.common_name):
        details |= _subject_details(subject)
    return details


def _subject_details(subject: Subject) -> dict[str, str]:
    details = {
        Annotation.SUBJECT_ORGANIZATIONS: csv_record(subject.organizations),
        Annotation.SUBJECT_ORGANIZATIONAL_UNITS: csv_record(subject.organizational_units),
        Annotation.SUBJECT_COUNTRIES: csv_record(subject.countries),
        Annotation.SUBJECT_PROVINCES: csv_record(subject.provinces),
        Annotation.SUBJECT_LOCALITIES: csv_record(subject.localities),
        Annotation.SUBJECT_POSTAL_CODES: csv_record(subject.postal_codes),
        Annotation.SUBJECT_STREET_ADDRESSES: csv_record(subject.street_addresses),
        Annotation.SUBJECT_SERIAL_NUMBER: subject.serial_number,
    }
    return {key: value for key, value in details.items() if value}


def csv_record(values: Iterable[str]) -> str:
    """One CSV record as Go writes it: quoted where there is a comma, quote, line break or leading space."""
    return ",".join(map(_csv_field, values))


def _csv_field(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value


def _provenance(name: str, issuer: ObjectReference) -> dict[str, str]:
    return {
        Annotation.CERTIFICATE_NAME: name,
        Annotation.ISSUER_NAME: issuer.name,
        Annotation.ISSUER_KIND: issuer.kind,
        Annotation.ISSUER_GROUP: issuer.group,
    }


def _legacy_labels(name: str) -> dict[str, str]:
    return {LegacyKey.CERTIFICATE_NAME: name} if len(name) <= LONGEST_LABEL else {}


def _legacy_annotations(name: str, leaf: Identity, issuer: ObjectReference) -> dict[str, str]:
    kind = issuer.kind or defaults.DEFAULT_KIND
    return {
        LegacyKey.ALT_NAMES: ",".join(leaf.names.dns_names),
        LegacyKey.IP_SANS: ",".join(leaf.names.ip_addresses),
        LegacyKey.COMMON_NAME: leaf.parts.common_name,
        LegacyKey.ISSUER_NAME: issuer.name,
        LegacyKey.ISSUER_KIND: kind,
        LegacyKey.CERTIFICATE_NAME: name,
        # Without group and certificate name, so that cert-manager itself would adopt the Secret as it is.
        Annotation.ISSUER_NAME: issuer.name,
        Annotation.ISSUER_KIND: kind,
    }


def _part(values: Mapping[str, str], names: Iterable[str]) -> Mapping[str, str]:
    return values if values.keys() == set(names) else {name: values[name] for name in names if name in values}


def _is_owned_by(secret: SecretFacts, certificate: HubCertificate) -> bool:
    return any(reference.uid == certificate.metadata.uid for reference in secret.metadata.owner_references)


def _keystores(spec: cm.CertificateSpec, material: Material, passwords: Passwords, now: datetime) -> dict[str, bytes]:
    if passwords.jks is None and passwords.pkcs12 is None:
        return {}
    authorities = tuple(split_certificates(material.ca, CA_CERT)) if material.ca else ()
    entry = KeyEntry(material.key, tuple(split_certificates(material.chain, TLS_CERT)), authorities)
    stores: dict[str, bytes] = {}
    keystores = spec.keystores or cm.Keystores()
    if keystores.jks is not None and passwords.jks is not None:
        stores[KEYSTORE_JKS] = jks.write_keystore(entry, passwords.jks, now, keystores.jks.alias or jks.DEFAULT_ALIAS)
        if authorities:
            stores[TRUSTSTORE_JKS] = jks.write_truststore(authorities, passwords.jks, now)
    if keystores.pkcs12 is not None and passwords.pkcs12 is not None:
        profile = pkcs12.Profile(keystores.pkcs12.profile or pkcs12.Profile.LEGACY_RC2)
        stores[KEYSTORE_P12] = pkcs12.write_keystore(entry, passwords.pkcs12, profile)
        if authorities:
            stores[TRUSTSTORE_P12] = pkcs12.write_truststore(authorities, passwords.pkcs12, profile)
    return stores
