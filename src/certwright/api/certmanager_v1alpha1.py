"""certmanager.k8s.io/v1alpha1 (2018): Certificate, Issuer and ClusterIssuer, with the fields of v0.5 to v0.10.

Every field may be absent here: what is required is judged afterwards, and the status says it in the words of old.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from certwright.api.certmanager_v1 import KeyUsage
from certwright.api.legacy_decoding import LegacyDecodeError, Presence, Tolerant, canonical
from certwright.api.legacy_dns01 import DNS01, DNS01Provider, LocalObjectReference, SecretKeySelector
from certwright.api.meta import ApiStruct, Condition, JSONObject, MalformedObject, ObjectMeta, always, from_json
from certwright.api.pod_template import Affinity, TemplateMeta, Toleration

T = TypeVar("T", bound=msgspec.Struct)

KeyAlgorithm = Literal["rsa", "ecdsa"]
KeyEncoding = Literal["pkcs1", "pkcs8"]


class ObjectReference(Tolerant, frozen=True, kw_only=True):
    """Names an issuer; kind Issuer and our legacy group if left out."""

    name: str = ""
    kind: str = ""
    group: str = ""


class HTTP01Choice(Presence, frozen=True, kw_only=True):
    """HTTP-01 for some domains of a Certificate: through an Ingress that is there, or through a new one."""

    ingress: str = ""
    ingress_class: str | None = None


class DNS01Choice(Presence, frozen=True, kw_only=True):
    """DNS-01 for some domains of a Certificate: by a provider that the issuer names."""

    provider: str = ""


class DomainSolver(ApiStruct, frozen=True, kw_only=True):
    """How some domains are proved; exactly one of http01 and dns01."""

    domains: tuple[str, ...] = ()
    http01: HTTP01Choice | None = None
    dns01: DNS01Choice | None = None


class CertificateAcme(Presence, frozen=True, kw_only=True):
    """How the domains of a Certificate are proved."""

    config: tuple[DomainSolver, ...] = ()


class CertificateSpec(ApiStruct, frozen=True, kw_only=True):
    """The wanted certificate."""

    common_name: str = ""
    organization: tuple[str, ...] = ()
    duration: str | None = None
    renew_before: str | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    secret_name: str = ""
    issuer_ref: ObjectReference = ObjectReference()
    is_ca: bool = False
    usages: tuple[KeyUsage, ...] = ()
    acme: CertificateAcme | None = None
    key_size: int = 0
    key_algorithm: KeyAlgorithm | None = None
    key_encoding: KeyEncoding | None = None


class OrderChallenge(ApiStruct, frozen=True, kw_only=True):
    """A challenge in flight, as v0.5 kept it in the status."""

    url: str = ""
    authz_url: str = msgspec.field(default="", name="authzURL")
    type: str = ""
    domain: str = ""
    token: str = ""
    key: str = ""
    wildcard: bool = False
    http01: HTTP01Choice | None = None
    dns01: DNS01Choice | None = None


class OrderStatus(ApiStruct, frozen=True, kw_only=True):
    """The current or last ACME order."""

    url: str = ""
    challenges: tuple[OrderChallenge, ...] = ()


class CertificateAcmeStatus(ApiStruct, frozen=True, kw_only=True):
    """ACME state of a Certificate."""

    order: OrderStatus | None = None


class CertificateStatus(ApiStruct, frozen=True, kw_only=True):
    """What there is; fields that 2018 did not know bear the names that v1 gave them."""

    conditions: tuple[Condition, ...] = ()
    acme: CertificateAcmeStatus | None = None
    not_after: datetime | None = None
    last_failure_time: datetime | None = None
    not_before: datetime | None = None
    renewal_time: datetime | None = None
    revision: int | None = None
    next_private_key_secret_name: str | None = None
    failed_issuance_attempts: int | None = None
    issuing_since: datetime | None = None


class IssuerDNS01(Presence, frozen=True, kw_only=True):
    """The named DNS-01 providers of an issuer."""

    providers: tuple[DNS01Provider, ...] = ()


class IssuerHTTP01(Presence, frozen=True, kw_only=True):
    """Its presence allows HTTP-01."""

    service_type: str = ""


class SolverSelector(Presence, frozen=True, kw_only=True):
    """For which names and Certificates a solver is taken."""

    match_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    dns_names: tuple[str, ...] = ()
    dns_zones: tuple[str, ...] = ()


class PodTemplateSpec(Tolerant, frozen=True, kw_only=True):
    """The fields of the solver Pod that v0.9 let be set."""

    node_selector: Mapping[str, str] = msgspec.field(default_factory=dict)
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()


class PodTemplate(Tolerant, frozen=True, kw_only=True):
    """Changes to the solver Pod."""

    metadata: TemplateMeta | None = None
    spec: PodTemplateSpec | None = None


class SolverIngress(Presence, frozen=True, kw_only=True):
    """Solve through an Ingress."""

    service_type: str = ""
    class_: str | None = msgspec.field(default=None, name="class")
    name: str = ""
    pod_template: PodTemplate | None = None


class SolverHTTP01(Presence, frozen=True, kw_only=True):
    """Solve by HTTP-01."""

    ingress: SolverIngress | None = None


class Solver(ApiStruct, frozen=True, kw_only=True):
    """A solver as it came with v0.8."""

    selector: SolverSelector | None = None
    http01: SolverHTTP01 | None = None
    dns01: DNS01 | None = None


class AcmeIssuer(Presence, frozen=True, kw_only=True):
    """A CA that speaks ACME."""

    email: str = ""
    server: str = ""
    skip_tls_verify: bool = False
    private_key_secret_ref: SecretKeySelector | None = None
    http01: IssuerHTTP01 | None = None
    dns01: IssuerDNS01 | None = None
    solvers: tuple[Solver, ...] = ()


class CAIssuer(Presence, frozen=True, kw_only=True):
    """Signs with a key pair in a Secret."""

    secret_name: str = ""


class VaultAppRole(Tolerant, frozen=True, kw_only=True):
    """Vault's AppRole method; all empty means none."""

    path: str = ""
    role_id: str = ""
    secret_ref: SecretKeySelector | None = None


class VaultAuth(Tolerant, frozen=True, kw_only=True):
    """How to sign in to Vault; exactly one."""

    token_secret_ref: SecretKeySelector | None = None
    app_role: VaultAppRole | None = None


class VaultIssuer(Presence, frozen=True, kw_only=True):
    """Signs through Vault."""

    auth: VaultAuth = VaultAuth()
    server: str = ""
    path: str = ""
    ca_bundle: bytes = b""


class SelfSignedIssuer(Presence, frozen=True, kw_only=True):
    """Its presence means self-signed."""


class VenafiTPP(Presence, frozen=True, kw_only=True):
    """Venafi on premises."""

    url: str = ""
    credentials_ref: LocalObjectReference | None = None
    ca_bundle: bytes = b""


class VenafiCloud(Presence, frozen=True, kw_only=True):
    """Venafi as a service."""

    url: str = ""
    api_token_secret_ref: SecretKeySelector | None = None


class VenafiIssuer(Presence, frozen=True, kw_only=True):
    """Signs through Venafi."""

    zone: str = ""
    tpp: VenafiTPP | None = None
    cloud: VenafiCloud | None = None


class IssuerSpec(ApiStruct, frozen=True, kw_only=True):
    """Who signs; exactly one kind."""

    acme: AcmeIssuer | None = None
    ca: CAIssuer | None = None
    vault: VaultIssuer | None = None
    self_signed: SelfSignedIssuer | None = None
    venafi: VenafiIssuer | None = None


class AcmeIssuerStatus(ApiStruct, frozen=True, kw_only=True):
    """The ACME account."""

    uri: str = ""
    last_registered_email: str = ""


class Registration(ApiStruct, frozen=True, kw_only=True):
    """What the account was last registered with; apart from `acme`, which `kubectl describe` shows as in 2018."""

    email: str = ""
    private_key_hash: str = ""


class IssuerStatus(ApiStruct, frozen=True, kw_only=True):
    """Whether the issuer can sign."""

    conditions: tuple[Condition, ...] = ()
    acme: AcmeIssuerStatus | None = None
    registration: Registration | None = None


class Certificate(ApiStruct, frozen=True, kw_only=True):
    """A legacy Certificate."""

    api_version: str = always("certmanager.k8s.io/v1alpha1")
    kind: str = always("Certificate")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: CertificateSpec = always(CertificateSpec())
    status: CertificateStatus = msgspec.field(default_factory=CertificateStatus)


class Issuer(ApiStruct, frozen=True, kw_only=True):
    """A legacy Issuer."""

    api_version: str = always("certmanager.k8s.io/v1alpha1")
    kind: str = always("Issuer")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: IssuerSpec = always(IssuerSpec())
    status: IssuerStatus = msgspec.field(default_factory=IssuerStatus)


class ClusterIssuer(ApiStruct, frozen=True, kw_only=True):
    """A legacy ClusterIssuer."""

    api_version: str = always("certmanager.k8s.io/v1alpha1")
    kind: str = always("ClusterIssuer")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: IssuerSpec = always(IssuerSpec())
    status: IssuerStatus = msgspec.field(default_factory=IssuerStatus)


def decode_certificate(raw: JSONObject) -> Certificate:
    """The Certificate in `raw`, read as generously as v0.5 did; LegacyDecodeError names the field that does not fit."""
    return _read(Certificate, raw)


def decode_issuer(raw: JSONObject) -> Issuer:
    """The Issuer in `raw`; LegacyDecodeError names the field that does not fit."""
    return _read(Issuer, raw)


def decode_cluster_issuer(raw: JSONObject) -> ClusterIssuer:
    """The ClusterIssuer in `raw`; LegacyDecodeError names the field that does not fit."""
    return _read(ClusterIssuer, raw)


def _read(kind: type[T], raw: JSONObject) -> T:
    try:
        return from_json(kind, canonical(raw, kind))
    except MalformedObject as error:
        raise LegacyDecodeError(str(error)) from error
