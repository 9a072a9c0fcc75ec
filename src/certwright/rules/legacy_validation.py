"""What v0.5 demanded of a Certificate: the rules of its controller, in its words, less what later versions allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.meta import parse_duration
from certwright.rules.legacy_field_errors import forbidden, invalid, joined, required, unsupported
from certwright.rules.legacy_plan import entry_for, names_of

MUST = "must be specified"
SHORTEST_DURATION = timedelta(hours=1)
SHORTEST_LEAD = timedelta(minutes=5)
RSA_SIZES = range(2048, 8192 + 1)
ECDSA_SIZES = (256, 384, 521)


def validation_failed(errors: Iterable[str]) -> str:
    """The message of a ConfigError condition."""
    return f"Resource validation failed: {joined(errors)}"


def certificate_errors(spec: legacy.CertificateSpec) -> tuple[str, ...]:
    """What is wrong with a Certificate whichever its issuer is; empty where nothing is."""
    checks: tuple[Callable[[legacy.CertificateSpec], Iterable[str]], ...] = (
        _target,
        _issuer_reference,
        _names,
        _solver_plan,
        _key,
        _validity,
    )
    return tuple(error for check in checks for error in check(spec))


def certificate_errors_for(spec: legacy.CertificateSpec, issuer: cm.IssuerSpec) -> tuple[str, ...]:
    """What is wrong with a Certificate for an issuer of that type; ECDSA keys are fine, as from v0.6 on."""
    if issuer.acme is not None:
        return (*_no_ca(spec, "ACME"), *_no_acme_extras(spec))
    return tuple(_no_ca(spec, "Vault")) if issuer.vault is not None else ()


def _target(spec: legacy.CertificateSpec) -> Iterator[str]:
    if not spec.secret_name:
        yield required("spec.secretName", MUST)


def _issuer_reference(spec: legacy.CertificateSpec) -> Iterator[str]:
    ref = spec.issuer_ref
    if not ref.name:
        yield required("spec.issuerRef.name", MUST)
    if ref.kind not in {"", "Issuer", "ClusterIssuer"} and not _is_external(ref):
        yield invalid("spec.issuerRef.kind", ref.kind, "must be one of Issuer or ClusterIssuer")


def _is_external(ref: legacy.ObjectReference) -> bool:
    return ref.group not in {"", "certmanager.k8s.io", "cert-manager.io"}


def _names(spec: legacy.CertificateSpec) -> Iterator[str]:
    if not (spec.common_name or spec.dns_names or spec.ip_addresses):
        yield required("spec.dnsNames", "at least one dnsName is required if commonName is not set")


def _solver_plan(spec: legacy.CertificateSpec) -> Iterator[str]:
    if spec.acme is None:
        return
    for name in names_of(spec):
        if entry_for(spec.acme.config, name) is None:
            yield required("spec.acme.config", f'no ACME solver configuration specified for domain "{name}"')
    for index, entry in enumerate(spec.acme.config):
        yield from _plan_entry(entry, f"spec.acme.config[{index}]")


def _plan_entry(entry: legacy.DomainSolver, path: str) -> Iterator[str]:
    if not any(entry.domains):
        yield required(f"{path}.domains", "at least one domain must be specified")
    if entry.dns01 is not None and not entry.dns01.provider:
        yield required(f"{path}.dns01.provider", "provider name must be set")
    if entry.dns01 is not None and entry.http01 is not None:
        yield forbidden(f"{path}.http01", "may not specify more than one solver type")
    elif entry.http01 is not None and entry.http01.ingress and entry.http01.ingress_class:
        yield forbidden(f"{path}.http01", "only one of 'ingress' and 'ingressClass' should be specified")
    if entry.dns01 is None and entry.http01 is None:
        yield required(path, "at least one solver must be configured")


def _key(spec: legacy.CertificateSpec) -> Iterator[str]:
    size = spec.key_size
    if size < 0:
        yield invalid("spec.keySize", size, "cannot be less than zero")
    elif spec.key_algorithm != "ecdsa" and size and size not in RSA_SIZES:
        # v0.5 did not look where no algorithm was given, and then failed to make such a key.
        yield invalid("spec.keySize", size, "must be between 2048 & 8192 for rsa keyAlgorithm")
    elif spec.key_algorithm == "ecdsa" and size and size not in ECDSA_SIZES:
        yield unsupported("spec.keySize", size, map(str, ECDSA_SIZES))


def _validity(spec: legacy.CertificateSpec) -> Iterator[str]:
    lengths: dict[str, timedelta] = {}
    for path, text in (("spec.duration", spec.duration), ("spec.renewBefore", spec.renew_before)):
        try:
            lengths[path] = parse_duration(text) if text else timedelta(0)
        except ValueError as error:
            yield invalid(path, text or "", str(error))
    duration, lead = lengths.get("spec.duration"), lengths.get("spec.renewBefore")
    if duration and duration < SHORTEST_DURATION:
        yield invalid("spec.duration", spec.duration or "", "certificate duration must be greater than 1h0m0s")
    if lead and lead < SHORTEST_LEAD:
        yield invalid("spec.renewBefore", spec.renew_before or "", "certificate renewBefore must be greater than 5m0s")
    if duration and lead and lead >= duration:
        detail = f"certificate duration {spec.duration} must be greater than renewBefore {spec.renew_before}"
        yield invalid("spec.renewBefore", spec.renew_before or "", detail)


def _no_ca(spec: legacy.CertificateSpec, issuer: str) -> Iterator[str]:
    if spec.is_ca:
        yield invalid("spec.isCA", True, f"{issuer} issuers do not sign CA certificates")
    if spec.organization:
        yield invalid("spec.organization", spec.organization, f"{issuer} issuers do not set the organization name")


def _no_acme_extras(spec: legacy.CertificateSpec) -> Iterator[str]:
    if spec.duration:
        yield invalid("spec.duration", spec.duration, "ACME issuers choose the duration themselves")
    if spec.ip_addresses:
        yield invalid("spec.ipAddresses", spec.ip_addresses, "ACME issuers of this API do not sign IP addresses")
