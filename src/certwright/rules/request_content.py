"""What is asked of an issuer for a Certificate: the signing request, and the CertificateRequest around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectMeta, OwnerReference, format_duration, parse_duration
from certwright.api.names import certificate_request_name
from certwright.api.wellknown import Annotation
from certwright.pki.alternative_names import AlternativeNames, OtherName
from certwright.pki.csr import RequestContent
from certwright.pki.errors import PkiError
from certwright.pki.extensions import NameConstraints, Subtrees
from certwright.pki.names import Subject, encode_subject, name_from_text
from certwright.pki.signing import SignatureAlgorithm
from certwright.rules.hub import Dialect, HubCertificate

SOLVER_PLAN = "certwright.io/solver-plan"
"""Annotation on the requests of legacy Certificates: their `acme.config` as JSON."""


def request_content(spec: cm.CertificateSpec, *, basic_constraints: bool = False) -> RequestContent:
    """What the signing request asks for; raises `PkiError` for a value that cannot be encoded.

    `basic_constraints` says that the request itself is to tell whether a CA is asked for.
    """
    return RequestContent(
        subject=subject_name(spec),
        names=alternative_names(spec),
        usages=spec.usages,
        is_ca=spec.is_ca,
        encode_usages=spec.encode_usages_in_request is not False,
        encode_basic_constraints=basic_constraints,
        name_constraints=_constraints(spec.name_constraints),
        signature_algorithm=_signature(spec.signature_algorithm),
    )


def subject_name(spec: cm.CertificateSpec) -> bytes:
    """The DER Name of the subject."""
    if spec.literal_subject:
        return name_from_text(spec.literal_subject)
    return encode_subject(subject_parts(spec))


def subject_parts(spec: cm.CertificateSpec) -> Subject:
    """The parts of the subject where it is no literal one."""
    parts = spec.subject
    if parts is None:
        return Subject(common_name=spec.common_name)
    return Subject(
        countries=parts.countries,
        provinces=parts.provinces,
        localities=parts.localities,
        street_addresses=parts.street_addresses,
        postal_codes=parts.postal_codes,
        organizations=parts.organizations,
        organizational_units=parts.organizational_units,
        common_name=spec.common_name,
        serial_number=parts.serial_number,
    )


def alternative_names(spec: cm.CertificateSpec) -> AlternativeNames:
    """The subject alternative names."""
    return AlternativeNames(
        dns_names=spec.dns_names,
        email_addresses=spec.email_addresses,
        ip_addresses=spec.ip_addresses,
        uris=spec.uris,
        other_names=tuple(OtherName(name.oid, name.utf8_value) for name in spec.other_names),
    )


class Asked(Struct, frozen=True, kw_only=True):
    """What a CertificateRequest is made from, beside the Certificate."""

    revision: int
    key_secret_name: str
    copied_prefixes: Sequence[str]


def certificate_request(certificate: HubCertificate, csr: bytes, asked: Asked) -> cm.CertificateRequest:
    """The CertificateRequest of the next revision; issuer and usages literally as the Certificate has them."""
    spec = certificate.spec
    annotations = copied_annotations(certificate.metadata.annotations, asked.copied_prefixes)
    if certificate.plan is not None:
        annotations[SOLVER_PLAN] = msgspec.json.encode(certificate.plan).decode()
    annotations[Annotation.CERTIFICATE_NAME] = certificate.key.name
    annotations[Annotation.CERTIFICATE_REVISION] = str(asked.revision)
    annotations[Annotation.PRIVATE_KEY_SECRET_NAME] = asked.key_secret_name
    return cm.CertificateRequest(
        metadata=ObjectMeta(
            name=request_name(certificate, asked.revision),
            namespace=certificate.key.namespace,
            labels=certificate.metadata.labels,
            annotations=annotations,
            owner_references=(owner_reference(certificate),),
        ),
        spec=cm.CertificateRequestSpec(
            request=csr,
            duration=_go_duration(spec.duration),
            issuer_ref=spec.issuer_ref,
            is_ca=spec.is_ca,
            usages=spec.usages,
        ),
    )


def request_name(certificate: HubCertificate, revision: int) -> str:
    """The name of the CertificateRequest of a revision."""
    # A modern Certificate of the same name must not meet the requests of a legacy one.
    name = certificate.key.name
    return certificate_request_name(f"{name}.legacy" if certificate.key.dialect is Dialect.LEGACY else name, revision)


def owner_reference(certificate: HubCertificate) -> OwnerReference:
    """The reference of an object to the Certificate that controls it."""
    return OwnerReference(
        api_version=certificate.key.dialect.api_version,
        kind="Certificate",
        name=certificate.key.name,
        uid=certificate.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )


def copied_annotations(annotations: Mapping[str, str], prefixes: Sequence[str]) -> dict[str, str]:
    """The annotations that go from a Certificate to its request: entries in order, `-x` takes out what was added."""
    kept: dict[str, str] = {}
    for prefix in prefixes:
        if prefix.startswith("-"):
            kept = {key: value for key, value in kept.items() if not key.startswith(prefix[1:])}
        else:
            kept |= {k: v for k, v in annotations.items() if prefix == "*" or k.startswith(prefix)}
    return kept


def _constraints(found: cm.NameConstraints | None) -> NameConstraints | None:
    if found is None:
        return None
    return NameConstraints(
        critical=found.critical, permitted=_subtrees(found.permitted), excluded=_subtrees(found.excluded)
    )


def _subtrees(found: cm.NameConstraintItem | None) -> Subtrees:
    item = found or cm.NameConstraintItem()
    return Subtrees(
        dns_domains=item.dns_domains,
        ip_ranges=item.ip_ranges,
        email_addresses=item.email_addresses,
        uri_domains=item.uri_domains,
    )


def _signature(word: str | None) -> SignatureAlgorithm | None:
    if word is None:
        return None
    try:
        return SignatureAlgorithm(word)
    except ValueError:
        raise PkiError(f"{word!r} is not a signature algorithm") from None


def _go_duration(text: str | None) -> str | None:
    return None if text is None else format_duration(parse_duration(text))
