"""Legacy objects as hub issuers and hub Certificates: the decoder of the 2018 dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.acme_dns01 import DNS01
from certwright.api.convert import CA_DURATION, convert_certificate, convert_dns01, convert_issuer
from certwright.api.kinds import Unreadable
from certwright.api.legacy_words import LegacyReason
from certwright.api.meta import Condition, ObjectMeta, ObjectReference
from certwright.api.wellknown import CERT_MANAGER_GROUP, LEGACY_GROUP, ConditionType
from certwright.pki.keys import KeyAlgorithm, KeySpec
from certwright.rules.defaults import key_spec
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate, HubIssuer, IssuerKey
from certwright.rules.legacy_issuer_validation import issuer_errors, outdated_server
from certwright.rules.legacy_plan import Problem, plan_problem
from certwright.rules.legacy_validation import certificate_errors, certificate_errors_for, validation_failed

FindIssuer = Callable[[IssuerKey], HubIssuer | None]


class LegacyDefaults(Struct, frozen=True, kw_only=True):
    """What v0.5 took where a Certificate said nothing; both were flags or later became other values."""

    renew_before: timedelta = timedelta(hours=720)
    own_ca_duration: timedelta = CA_DURATION


def legacy_issuer(key: IssuerKey, found: legacy.Issuer | legacy.ClusterIssuer | Unreadable) -> HubIssuer:
    """A certmanager.k8s.io Issuer or ClusterIssuer in the hub."""
    if isinstance(found, Unreadable):
        status = cm.IssuerStatus(conditions=_judging(found.conditions, found.metadata))
        return HubIssuer(
            key=key,
            metadata=found.metadata,
            spec=cm.IssuerSpec(),
            status=status,
            problem=validation_failed((found.problem,)),
            problem_reason=LegacyReason.CONFIG_ERROR,
        )
    problem = _issuer_problem(found.spec)
    return HubIssuer(
        key=key,
        metadata=found.metadata,
        spec=convert_issuer(found.spec),
        status=_issuer_status(found),
        named_solvers=_named_solvers(found.spec.acme),
        plain_http01=_plain_http01(found.spec.acme),
        problem=problem.message if problem else "",
        problem_reason=problem.reason if problem else "",
    )


def legacy_certificate(
    found: legacy.Certificate | Unreadable, issuer: HubIssuer | None, defaults: LegacyDefaults
) -> HubCertificate:
    """A certmanager.k8s.io Certificate in the hub; `issuer` is the one of `chosen_issuer`."""
    key = CertificateKey(Dialect.LEGACY, found.metadata.namespace, found.metadata.name)
    if isinstance(found, Unreadable):
        return HubCertificate(
            key=key,
            metadata=found.metadata,
            spec=cm.CertificateSpec(secret_name="", issuer_ref=ObjectReference(name="")),
            status=cm.CertificateStatus(conditions=found.conditions),
            problem=validation_failed((found.problem,)),
            problem_reason=LegacyReason.CONFIG_ERROR,
        )
    problem = _certificate_problem(found.spec, issuer)
    uses_plan = found.spec.acme is not None and issuer is not None and issuer.spec.acme is not None
    return HubCertificate(
        key=key,
        metadata=found.metadata,
        spec=_certificate_spec(found.spec, issuer, defaults, broken=problem is not None),
        status=_certificate_status(found),
        plan=found.spec.acme.config if found.spec.acme is not None and uses_plan else None,
        problem=problem.message if problem else "",
        problem_reason=problem.reason if problem else "",
    )


def with_present_key(certificate: HubCertificate, present: KeySpec | None) -> HubCertificate:
    """The Certificate as if it asked for the key that its Secret holds: v0.5 kept a key whatever its size."""
    wanted = certificate.spec.private_key
    if (
        present is None
        or wanted is None
        or certificate.problem
        or key_spec(certificate.spec).resolved().is_met_by(present)
    ):
        return certificate
    algorithm = _V1_ALGORITHMS.get(present.algorithm)
    if algorithm is None:
        return certificate
    kept = msgspec.structs.replace(wanted, algorithm=algorithm, size=present.size)
    return msgspec.structs.replace(certificate, spec=msgspec.structs.replace(certificate.spec, private_key=kept))


_V1_ALGORITHMS: Mapping[KeyAlgorithm, cm.KeyAlgorithm] = {
    KeyAlgorithm.RSA: "RSA",
    KeyAlgorithm.ECDSA: "ECDSA",
    KeyAlgorithm.ED25519: "Ed25519",
}


def chosen_issuer(spec: legacy.CertificateSpec, namespace: str, find: FindIssuer) -> HubIssuer | None:
    """The issuer that a legacy Certificate means; None where there is none, or it is not of our groups.

    Without a group that is the legacy one, else the modern one of that kind and name, provided that it needs no
    solver choice that only legacy issuers can follow.
    """
    for key in issuer_keys(spec, namespace):
        found = find(key)
        if found is None:
            continue
        borrowed = key.dialect is Dialect.MODERN and spec.issuer_ref.group != CERT_MANAGER_GROUP
        if not (borrowed and spec.acme is not None and found.spec.acme is not None):
            return found
    return None


def issuer_keys(spec: legacy.CertificateSpec, namespace: str) -> tuple[IssuerKey, ...]:
    """The issuers that the reference may mean, best first."""
    ref = spec.issuer_ref
    if ref.kind == "ClusterIssuer":
        keys = [IssuerKey(dialect, "ClusterIssuer", "", ref.name) for dialect in _dialects(ref.group)]
    elif ref.kind in {"", "Issuer"}:
        keys = [IssuerKey(dialect, "Issuer", namespace, ref.name) for dialect in _dialects(ref.group)]
    else:
        keys = []
    return tuple(keys)


def _dialects(group: str) -> tuple[Dialect, ...]:
    if group in {"", LEGACY_GROUP}:
        return (Dialect.LEGACY, Dialect.MODERN)
    return (Dialect.MODERN,) if group == CERT_MANAGER_GROUP else ()


def _issuer_problem(spec: legacy.IssuerSpec) -> Problem | None:
    if errors := issuer_errors(spec):
        return Problem(LegacyReason.CONFIG_ERROR, validation_failed(errors))
    advice = outdated_server(spec)
    return Problem(LegacyReason.INVALID_CONFIG, advice) if advice else None


def _certificate_problem(spec: legacy.CertificateSpec, issuer: HubIssuer | None) -> Problem | None:
    errors = certificate_errors(spec)
    if issuer is not None:
        errors += certificate_errors_for(spec, issuer.spec)
    if errors:
        return Problem(LegacyReason.CONFIG_ERROR, validation_failed(errors))
    return plan_problem(spec, issuer) if issuer is not None and issuer.spec.acme is not None else None


def _certificate_spec(
    spec: legacy.CertificateSpec, issuer: HubIssuer | None, defaults: LegacyDefaults, *, broken: bool
) -> cm.CertificateSpec:
    if broken:  # a validity that cannot be read would fail the conversion, and nothing is made of a broken spec
        spec = msgspec.structs.replace(spec, duration=None, renew_before=None)
    converted = convert_certificate(
        spec, issuer.spec if issuer else None, defaults.renew_before, defaults.own_ca_duration
    )
    return msgspec.structs.replace(converted, issuer_ref=_reference(spec.issuer_ref, issuer))


def _reference(ref: legacy.ObjectReference, issuer: HubIssuer | None) -> ObjectReference:
    if issuer is not None:
        return issuer.reference
    return ObjectReference(name=ref.name, kind=ref.kind or "Issuer", group=ref.group or LEGACY_GROUP)


def _named_solvers(spec: legacy.AcmeIssuer | None) -> dict[str, DNS01]:
    found: dict[str, DNS01] = {}
    for provider in spec.dns01.providers if spec and spec.dns01 else ():
        found.setdefault(provider.name, convert_dns01(provider))
    return found


def _plain_http01(spec: legacy.AcmeIssuer | None) -> acme.HTTP01Ingress | None:
    block = spec.http01 if spec else None
    return acme.HTTP01Ingress(service_type=block.service_type) if block else None


def _issuer_status(found: legacy.Issuer | legacy.ClusterIssuer) -> cm.IssuerStatus:
    conditions = _judging(found.status.conditions, found.metadata)
    if (account := found.status.acme) is None:
        return cm.IssuerStatus(conditions=conditions)
    registration = found.status.registration or legacy.Registration(email=account.last_registered_email)
    account_status = acme.AcmeIssuerStatus(
        uri=account.uri,
        last_registered_email=registration.email,
        last_private_key_hash=registration.private_key_hash,
    )
    return cm.IssuerStatus(conditions=conditions, acme=account_status)


def _certificate_status(found: legacy.Certificate) -> cm.CertificateStatus:
    """The engine's state; that an issuance runs is a field here, not a condition, but clients may set the condition."""
    status = found.status
    conditions = _judging(status.conditions, found.metadata)
    kept = [each for each in conditions if each.type in {ConditionType.READY, ConditionType.ISSUING}]
    runs = status.issuing_since is not None or bool(status.next_private_key_secret_name)
    if runs and all(each.type != ConditionType.ISSUING for each in kept):
        kept.append(_issuing(status.issuing_since or status.last_failure_time, found.metadata.generation))
    return cm.CertificateStatus(
        conditions=tuple(kept),
        last_failure_time=status.last_failure_time,
        not_before=status.not_before,
        not_after=status.not_after,
        renewal_time=status.renewal_time,
        revision=status.revision,
        next_private_key_secret_name=status.next_private_key_secret_name,
        failed_issuance_attempts=status.failed_issuance_attempts,
    )


def _issuing(since: datetime | None, generation: int) -> Condition:
    return Condition(
        type=ConditionType.ISSUING,
        status="True",
        last_transition_time=since,
        reason=ConditionType.ISSUING,
        observed_generation=generation,
    )


def _judging(conditions: Iterable[Condition], metadata: ObjectMeta) -> tuple[Condition, ...]:
    """Conditions of this group bear no observedGeneration; the engine takes them as said of the spec at hand."""
    return tuple(msgspec.structs.replace(each, observed_generation=metadata.generation) for each in conditions)
