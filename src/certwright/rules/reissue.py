"""Whether a certificate has to be issued again: checks in order, of which the first that fails gives the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectReference, parse_duration
from certwright.api.wellknown import Annotation, CertificateReason, ConditionType, LegacyKey
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeySpec
from certwright.pki.names import Subject, name_from_text, subject_of
from certwright.pki.usages import usages_from
from certwright.rules import defaults
from certwright.rules.conditions import find_condition
from certwright.rules.facts import TLS_CERT, TLS_KEY, Identity, KeyFacts, RequestFacts, SecretFacts
from certwright.rules.hub import HubCertificate
from certwright.rules.owner import recorded_issuer, recorded_owners
from certwright.rules.request_content import alternative_names, subject_parts

TEMPORARY_CERTIFICATE = "TemporaryCertificate"
STILL_GOOD = frozenset({CertificateReason.RENEWING, CertificateReason.CA_CHANGED})
"""Why a certificate is replaced that goes on to be right until then."""


class Violation(Struct, frozen=True):
    """Why the certificate in the Secret is not the one that is wanted."""

    reason: str
    message: str


class Subjects(Struct, frozen=True, kw_only=True):
    """What is compared: the Certificate, its target Secret and the request of its present revision."""

    certificate: HubCertificate
    secret: SecretFacts | None
    current: RequestFacts | None

    @property
    def spec(self) -> cm.CertificateSpec:
        """What is wanted."""
        return self.certificate.spec

    @property
    def was_accepted(self) -> bool:
        """Whether the spec at hand was found to be fulfilled before, by us or by a predecessor of ours."""
        ready = find_condition(self.certificate.status.conditions, ConditionType.READY)
        generation = self.certificate.metadata.generation
        return ready is not None and ready.status == "True" and ready.observed_generation == generation


def violation(found: Subjects) -> Violation | None:
    """The first check that fails; None where the Secret holds what is wanted. Says nothing of the time."""
    for check in _CHECKS:
        if (failed := check(found)) is not None:
            return failed
    return None


def expired(secret: SecretFacts | None, now: datetime) -> Violation | None:
    """Whether the certificate has ended."""
    if secret is None or secret.leaf is None or now < secret.leaf.not_after:
        return None
    return Violation(CertificateReason.EXPIRED, f"Certificate expired on {_date(secret.leaf.not_after)}")


def renewing(when: datetime | None, now: datetime) -> Violation | None:
    """Whether the time of renewal has come."""
    if when is None or now < when:
        return None
    return Violation(CertificateReason.RENEWING, f"Renewing certificate as renewal was scheduled at {_date(when)}")


def former_authority(when: datetime | None, now: datetime, issuer: ObjectReference) -> Violation | None:
    """Whether the time has come to replace a certificate that a former key of its CA has signed."""
    if when is None or now < when:
        return None
    text = f"Issuing certificate as the CA of {issuer.kind or defaults.DEFAULT_KIND} {issuer.name} has a new key"
    return Violation(CertificateReason.CA_CHANGED, text)


def request_differences(request: RequestFacts, spec: cm.CertificateSpec) -> tuple[str, ...]:
    """The fields of a Certificate that its CertificateRequest does not fulfil; none where it cannot be read."""
    asked = request.identity
    if asked is None or asked.problem:
        return ()
    names = list(_identity_differences(asked, spec))
    if request.spec.is_ca != spec.is_ca:
        names.append("spec.isCA")
    if not _same_usages(request.spec, spec):
        names.append("spec.usages")
    if not _same_duration(request.spec.duration, spec.duration):
        names.append("spec.duration")
    if not defaults.is_same_issuer(request.spec.issuer_ref, spec.issuer_ref):
        names.append("spec.issuerRef")
    return tuple(names)


def key_fits(key: KeyFacts, spec: cm.CertificateSpec) -> bool:
    """Whether a key is of the algorithm and size that the spec asks for."""
    return _is_met(defaults.key_spec(spec), key.spec)


# Thousands of Certificates ask for a few kinds of keys.
@lru_cache(maxsize=64)
def _is_met(wanted: KeySpec, made: KeySpec) -> bool:
    try:
        return wanted.resolved().is_met_by(made)
    except PkiError:
        return False


def _absent(found: Subjects) -> Violation | None:
    if found.secret is None:
        return Violation(CertificateReason.DOES_NOT_EXIST, "Issuing certificate as Secret does not exist")
    return None


def _incomplete(found: Subjects) -> Violation | None:
    assert found.secret is not None
    data = found.secret.data
    if not data:
        return Violation(CertificateReason.MISSING_DATA, "Issuing certificate as Secret does not contain any data")
    if TLS_KEY not in data:
        text = "Issuing certificate as Secret does not contain a private key"
        return Violation(CertificateReason.MISSING_DATA, text)
    if TLS_CERT not in data:
        return Violation(CertificateReason.MISSING_DATA, "Issuing certificate as Secret does not contain a certificate")
    return None


def _no_pair(found: Subjects) -> Violation | None:
    secret = found.secret
    assert secret is not None
    if secret.key is None:
        text = f"Issuing certificate as Secret contains an invalid private key: {secret.key_problem}"
        return Violation(CertificateReason.INVALID_KEY_PAIR, text)
    if secret.leaf is None or secret.leaf.identity.problem:
        problem = secret.leaf_problem if secret.leaf is None else secret.leaf.identity.problem
        text = f"Issuing certificate as Secret contains an invalid certificate: {problem}"
        return Violation(CertificateReason.INVALID_CERTIFICATE, text)
    if secret.key.public_key != secret.leaf.identity.public_key:
        text = "Issuing certificate as Secret contains a private key that does not belong to its certificate"
        return Violation(CertificateReason.INVALID_KEY_PAIR, text)
    return None


def _temporary(found: Subjects) -> Violation | None:
    assert found.secret is not None
    if found.secret.leaf is not None and found.secret.leaf.is_temporary:
        text = "Secret holds a temporary certificate that nobody trusts until the issuer has answered"
        return Violation(TEMPORARY_CERTIFICATE, text)
    return None


def _other_issuer(found: Subjects) -> Violation | None:
    assert found.secret is not None
    recorded, wanted = recorded_issuer(found.secret.metadata), found.spec.issuer_ref
    if recorded is None or recorded == wanted:
        return None
    # Secrets of the legacy group, and those that v0.5 wrote, do not say of which group their issuer is.
    by_old_words = LegacyKey.CERTIFICATE_NAME in found.secret.metadata.annotations or _is_old(found)
    if by_old_words and not recorded.group:
        recorded = ObjectReference(name=recorded.name, kind=recorded.kind, group=wanted.group)
    if defaults.is_same_issuer(recorded, wanted):
        return None
    was, now = defaults.full_reference(recorded), defaults.full_reference(wanted)
    text = (
        f"Issuing certificate as Secret was previously issued by {was.kind}.{was.group}/{was.name}, "
        f"and {now.kind}.{now.group}/{now.name} is wanted"
    )
    return Violation(CertificateReason.INCORRECT_ISSUER, text)


def _is_old(found: Subjects) -> bool:
    assert found.secret is not None
    marks = found.secret.metadata
    return LegacyKey.ISSUER_NAME in marks.annotations or LegacyKey.CERTIFICATE_NAME in marks.labels


def _other_certificate(found: Subjects) -> Violation | None:
    assert found.secret is not None
    marks, name = found.secret.metadata, found.certificate.key.name
    if marks.annotations.get(Annotation.CERTIFICATE_NAME) == name:
        return None
    recorded = recorded_owners(marks)
    if not recorded or name in [key.name for key in recorded]:
        return None
    return incorrect_certificate(recorded[0].name)


def incorrect_certificate(other: str) -> Violation:
    """The Secret belongs to another Certificate."""
    text = (
        f'Secret was issued for "{other}". If this message is not transient, you might have two conflicting '
        "Certificates pointing to the same secret."
    )
    return Violation(CertificateReason.INCORRECT_CERTIFICATE, text)


def _other_key(found: Subjects) -> Violation | None:
    assert found.secret is not None
    assert found.secret.key is not None
    if key_fits(found.secret.key, found.spec):
        return None
    has, wants = found.secret.key.spec, defaults.key_spec(found.spec)
    text = f"Existing private key is not up to date for spec: [spec.privateKey] (it is {has}, and {wants} is wanted)"
    return Violation(CertificateReason.SECRET_MISMATCH, text)


def _other_pair(found: Subjects) -> Violation | None:
    assert found.secret is not None
    assert found.secret.key is not None
    assert found.secret.leaf is not None
    current = found.current
    if current is None or (found.secret.leaf.digest == current.leaf_digest and found.was_accepted):
        return None
    if current.identity is None or current.unreadable:
        text = f"Current CertificateRequest {current.metadata.name} cannot be read: {current.unreadable}"
        return Violation(CertificateReason.INVALID_CERTIFICATE_REQUEST, text)
    if current.identity.public_key != found.secret.key.public_key:
        text = "Secret contains a private key that the current CertificateRequest was not made with"
        return Violation(CertificateReason.SECRET_MISMATCH, text)
    return None


def _changed(found: Subjects) -> Violation | None:
    """A request never changes: one that was found to fulfil this generation of the spec is not compared again.

    What a predecessor has accepted is then not issued again because it was less exact.
    """
    if found.current is None or found.was_accepted:
        return None
    names = request_differences(found.current, found.spec)
    if not names:
        return None
    text = f"Fields on existing CertificateRequest resource not up to date: [{' '.join(names)}]"
    return Violation(CertificateReason.REQUEST_CHANGED, text)


def _other_names(found: Subjects) -> Violation | None:
    """With no request to compare with, names may stand in the common name or among the DNS names as the CA likes."""
    assert found.secret is not None
    assert found.secret.leaf is not None
    if found.current is not None:
        return None
    names = tuple(_loose_differences(found.secret.leaf.identity, found.spec))
    if not names:
        return None
    text = f"Existing issued Secret is not up to date for spec: [{' '.join(names)}]"
    return Violation(CertificateReason.SECRET_MISMATCH, text)


_CHECKS: tuple[Callable[[Subjects], Violation | None], ...] = (
    _absent,
    _incomplete,
    _no_pair,
    _temporary,
    _other_issuer,
    _other_certificate,
    _other_key,
    _other_pair,
    _changed,
    _other_names,
)


def _identity_differences(asked: Identity, spec: cm.CertificateSpec) -> Iterator[str]:
    has, wants = asked.names, alternative_names(spec)
    if has != wants:
        yield from _name_differences(has, wants)
        if sorted(has.other_names) != sorted(wants.other_names):
            yield "spec.otherNames"
    if spec.literal_subject:
        if asked.subject != _literal(spec.literal_subject):
            yield "spec.literalSubject"
    elif asked.parts != (subject := subject_parts(spec)):
        yield from _subject_differences(asked.parts, subject)


def _name_differences(has: AlternativeNames, wants: AlternativeNames) -> Iterator[str]:
    if not AlternativeNames(ip_addresses=has.ip_addresses).is_same_as(
        AlternativeNames(ip_addresses=wants.ip_addresses)
    ):
        yield "spec.ipAddresses"
    if sorted(set(has.uris)) != sorted(set(wants.uris)):
        yield "spec.uris"
    if sorted(set(has.email_addresses)) != sorted(set(wants.email_addresses)):
        yield "spec.emailAddresses"
    if sorted(set(has.dns_names)) != sorted(set(wants.dns_names)):
        yield "spec.dnsNames"


def _subject_differences(has: Subject, wants: Subject) -> Iterator[str]:
    if has.common_name != wants.common_name:
        yield "spec.commonName"
    if has.serial_number != wants.serial_number:
        yield "spec.subject.serialNumber"
    pairs = (
        ("organizations", has.organizations, wants.organizations),
        ("countries", has.countries, wants.countries),
        ("localities", has.localities, wants.localities),
        ("organizationalUnits", has.organizational_units, wants.organizational_units),
        ("postalCodes", has.postal_codes, wants.postal_codes),
        ("provinces", has.provinces, wants.provinces),
        ("streetAddresses", has.street_addresses, wants.street_addresses),
    )
    for name, found, wanted in pairs:
        if found != wanted and sorted(found) != sorted(wanted):
            yield f"spec.subject.{name}"


def _loose_differences(has: Identity, spec: cm.CertificateSpec) -> Iterator[str]:
    names, wants = has.names, alternative_names(spec)
    common_name = spec.common_name or (_literal_common_name(spec.literal_subject) if spec.literal_subject else "")
    found = {*names.dns_names, has.parts.common_name} - {""}
    if not {*wants.dns_names} <= found or ({*names.dns_names} - {*wants.dns_names, common_name}):
        yield "spec.dnsNames"
    if common_name and common_name not in found:
        yield "spec.commonName"
    for difference in _name_differences(names, wants):
        if difference != "spec.dnsNames":
            yield difference


def _literal(text: str) -> bytes:
    try:
        return name_from_text(text)
    except PkiError:
        return b""


def _literal_common_name(text: str) -> str:
    found = _literal(text)
    return subject_of(found).common_name if found else ""


def _same_usages(request: cm.CertificateRequestSpec, spec: cm.CertificateSpec) -> bool:
    if request.usages == spec.usages:
        return True
    try:
        return usages_from(request.usages).is_same_as(usages_from(spec.usages))
    except PkiError:
        return False


def _same_duration(one: str | None, other: str | None) -> bool:
    if one is None or other is None or one == other:
        return True
    try:
        return parse_duration(one) == parse_duration(other)
    except ValueError:
        return False


def _date(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")
