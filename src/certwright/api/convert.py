"""The static form of legacy specs: what the same wish looks like in cert-manager.io/v1.

Legacy solvers had names that Certificates chose; v1 solvers have none, so a label on the Certificate and a selector on
the solver stand in for the name.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api import issuer_types as issuers
from certwright.api import legacy_dns01
from certwright.api.acme_dns01 import DNS01
from certwright.api.meta import JSONObject, ObjectReference, format_duration, from_json, parse_duration, to_json
from certwright.api.wellknown import LEGACY_GROUP, AcmeAnnotation, LegacyKey

LONGEST_COMMON_NAME = 64
DEFAULT_RENEW_BEFORE = timedelta(hours=720)
DEFAULT_DURATION = timedelta(days=90)
CA_DURATION = timedelta(days=365)  # what CA and self-signed issuers gave in v0.5
_RENAMED = {"clouddns": "cloudDNS", "azuredns": "azureDNS", "acmedns": "acmeDNS"}

S = TypeVar("S", bound=Struct)


class SolverChoice(Struct, frozen=True, kw_only=True):
    """What `acme.config` becomes: metadata of the Certificate, and sentences on what v1 cannot say."""

    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    unsaid: tuple[str, ...] = ()


def convert_certificate(
    spec: legacy.CertificateSpec,
    issuer: legacy.IssuerSpec | cm.IssuerSpec | None = None,
    renew_before: timedelta = DEFAULT_RENEW_BEFORE,
    own_ca_duration: timedelta = CA_DURATION,
) -> cm.CertificateSpec:
    """The v1 form of a Certificate; `issuer` decides the default validity, `renew_before` is the flag of old.

    `own_ca_duration` is the default validity with CA and self-signed issuers.
    """
    duration = spec.duration or _default_duration(issuer, own_ca_duration)
    return cm.CertificateSpec(
        subject=cm.Subject(organizations=spec.organization or ("cert-manager",)),
        common_name=_common_name(spec),
        duration=duration,
        renew_before=spec.renew_before or _default_renew_before(duration, renew_before),
        dns_names=_unique((spec.common_name, *spec.dns_names)),
        ip_addresses=spec.ip_addresses,
        secret_name=spec.secret_name,
        issuer_ref=_issuer_ref(spec.issuer_ref),
        is_ca=spec.is_ca,
        usages=spec.usages,
        private_key=cm.PrivateKey(
            rotation_policy="Never",
            algorithm=_ALGORITHMS[spec.key_algorithm] if spec.key_algorithm else None,
            encoding=_ENCODINGS[spec.key_encoding] if spec.key_encoding else None,
            size=spec.key_size,
        ),
    )


_ALGORITHMS: Mapping[str, cm.KeyAlgorithm] = {"rsa": "RSA", "ecdsa": "ECDSA"}
_ENCODINGS: Mapping[str, cm.KeyEncoding] = {"pkcs1": "PKCS1", "pkcs8": "PKCS8"}


def convert_solver_choice(config: Iterable[legacy.DomainSolver]) -> SolverChoice:
    """`acme.config` as metadata of the v1 Certificate, where all entries choose the same."""
    choices = {_choice(entry) for entry in config}
    if len(choices) > 1:
        advice = "acme.config chooses different solvers for different domains; v1 cannot say so on a Certificate: "
        return SolverChoice(unsaid=(f"{advice}list the domains in selector.dnsNames of the issuer's solvers",))
    match next(iter(choices), None):
        case ("dns01", provider) if provider:
            return SolverChoice(labels={LegacyKey.DNS01_PROVIDER: provider})
        case ("ingress", name):
            return SolverChoice(annotations={AcmeAnnotation.OVERRIDE_INGRESS_NAME: name})
        case ("class", name):
            return SolverChoice(annotations={AcmeAnnotation.OVERRIDE_INGRESS_CLASS: name})
    return SolverChoice()


def _choice(entry: legacy.DomainSolver) -> tuple[str, str]:
    if entry.dns01 is not None:
        return "dns01", entry.dns01.provider
    if entry.http01 is None:
        return "none", ""
    if entry.http01.ingress:
        return "ingress", entry.http01.ingress
    return ("class", entry.http01.ingress_class) if entry.http01.ingress_class else ("http01", "")


def convert_issuer(spec: legacy.IssuerSpec) -> cm.IssuerSpec:
    """The v1 form of an Issuer or ClusterIssuer; what is missing stays empty, for validation to name."""
    return cm.IssuerSpec(
        acme=_acme(spec.acme) if spec.acme else None,
        ca=_as_v1(issuers.CAIssuer, to_json(spec.ca)) if spec.ca else None,
        vault=_vault(spec.vault) if spec.vault else None,
        self_signed=issuers.SelfSignedIssuer() if spec.self_signed else None,
        venafi=_as_v1(issuers.VenafiIssuer, to_json(spec.venafi)) if spec.venafi else None,
    )


def _acme(spec: legacy.AcmeIssuer) -> acme.AcmeIssuer:
    plain = to_json(msgspec.structs.replace(spec, http01=None, dns01=None, solvers=()))
    return msgspec.structs.replace(_as_v1(acme.AcmeIssuer, plain), solvers=convert_solvers(spec))


def _vault(spec: legacy.VaultIssuer) -> issuers.VaultIssuer:
    auth = spec.auth
    if (role := auth.app_role) is not None:
        ref = role.secret_ref or legacy_dns01.SecretKeySelector()
        ref = msgspec.structs.replace(ref, key=ref.key or "secretId")
        role = msgspec.structs.replace(role, path=role.path or "approle", secret_ref=ref)
        auth = msgspec.structs.replace(auth, app_role=role)
    if (token := auth.token_secret_ref) is not None:
        auth = msgspec.structs.replace(auth, token_secret_ref=msgspec.structs.replace(token, key=token.key or "token"))
    return _as_v1(issuers.VaultIssuer, to_json(msgspec.structs.replace(spec, auth=auth)))


def convert_solvers(spec: legacy.AcmeIssuer) -> tuple[acme.Solver, ...]:
    """New-style solvers first, then HTTP-01 for all, then each named provider for the Certificates with its label."""
    providers: dict[str, legacy_dns01.DNS01Provider] = {}
    for provider in spec.dns01.providers if spec.dns01 else ():
        providers.setdefault(provider.name, provider)
    alone = len(providers) == 1 and spec.http01 is None
    named = [
        acme.Solver(
            selector=None if alone else acme.SolverSelector(match_labels={LegacyKey.DNS01_PROVIDER: name}),
            dns01=convert_dns01(provider),
        )
        for name, provider in providers.items()
    ]
    http01 = [_plain_http01(spec.http01)] if spec.http01 else []
    return (*(_solver(solver) for solver in spec.solvers), *http01, *named)


def convert_dns01(block: legacy_dns01.DNS01) -> DNS01:
    """The provider block under its v1 name; without a cnameStrategy CNAMEs are followed, as v0.5 did."""
    plain: JSONObject = {"cnameStrategy": "Follow"}
    plain |= {_RENAMED.get(key, key): value for key, value in to_json(block).items()}
    return _as_v1(DNS01, plain)


def _plain_http01(block: legacy.IssuerHTTP01) -> acme.Solver:
    return acme.Solver(http01=acme.HTTP01(ingress=acme.HTTP01Ingress(service_type=block.service_type)))


def _solver(solver: legacy.Solver) -> acme.Solver:
    converted = _as_v1(acme.Solver, to_json(msgspec.structs.replace(solver, dns01=None)))
    return msgspec.structs.replace(converted, dns01=convert_dns01(solver.dns01) if solver.dns01 else None)


def _default_duration(issuer: legacy.IssuerSpec | cm.IssuerSpec | None, own_ca_duration: timedelta) -> str | None:
    own_ca = issuer is not None and (issuer.ca is not None or issuer.self_signed is not None)
    return format_duration(own_ca_duration) if own_ca else None


def _default_renew_before(duration: str | None, renew_before: timedelta) -> str | None:
    """None (a third of the validity) where the flag's value is not shorter than the validity."""
    fits = renew_before < (parse_duration(duration) if duration else DEFAULT_DURATION)
    return format_duration(renew_before) if fits else None


def _common_name(spec: legacy.CertificateSpec) -> str:
    first = spec.dns_names[0] if spec.dns_names else ""
    return spec.common_name or (first if len(first) <= LONGEST_COMMON_NAME else "")


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _issuer_ref(ref: legacy.ObjectReference) -> ObjectReference:
    """A reference within the legacy group names the issuer's v1 form."""
    return ObjectReference(name=ref.name, kind=ref.kind, group="" if ref.group == LEGACY_GROUP else ref.group)


def _as_v1(kind: type[S], plain: JSONObject) -> S:
    return from_json(kind, _with_required(kind, plain))


def _with_required(kind: type[Struct], plain: JSONObject) -> JSONObject:
    """The object with empty values where v1 requires a field, so that validation names it instead of decoding."""
    hints = typing.get_type_hints(kind)
    filled = dict(plain)
    for field in msgspec.structs.fields(kind):
        name, hint = field.encode_name, _struct_in(hints[field.name])
        value = plain.get(name, {} if field.required else None)
        if hint is not None and isinstance(value, dict):
            filled[name] = _with_required(hint, value)
        elif field.required and name not in plain:
            filled[name] = ""
    return filled


def _struct_in(hint: object) -> type[Struct] | None:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return next(filter(None, map(_struct_in, typing.get_args(hint))), None)
    return hint if isinstance(hint, type) and issubclass(hint, Struct) else None
