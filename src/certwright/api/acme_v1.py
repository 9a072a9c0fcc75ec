"""acme.cert-manager.io/v1: Order and Challenge, and the ACME part of issuers.

Fields of specs stand in the order that Order and Challenge names are hashed in; see `names`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from certwright.api.acme_dns01 import DNS01
from certwright.api.meta import ApiStruct, Int32, ObjectMeta, ObjectReference, SecretKeySelector, always, doc
from certwright.api.pod_template import IngressTemplate, PodTemplate

State = Literal["valid", "ready", "pending", "processing", "invalid", "expired", "errored"]
ChallengeType = Literal["HTTP-01", "DNS-01"]
EabAlgorithm = Literal["HS256", "HS384", "HS512"]
RenewalInformationSource = Literal["ARI", "None"]

_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_NAME = rf"^{_DNS_LABEL}(\.{_DNS_LABEL})*$"


class SolverSelector(ApiStruct, frozen=True, kw_only=True):
    """For which names and Certificates a solver is taken; all parts must match."""

    match_labels: Annotated[Mapping[str, str], doc("Labels that the Certificate must have.")] = msgspec.field(
        default_factory=dict
    )
    dns_names: Annotated[tuple[str, ...], doc("Exact names; a wildcard is written as *.example.com.")] = ()
    dns_zones: Annotated[tuple[str, ...], doc("Zones whose names match; the longest zone wins.")] = ()


class ParentReference(ApiStruct, frozen=True, kw_only=True):
    """A Gateway (or alike) that the solver's route attaches to."""

    group: Annotated[
        str | None,
        doc(
            "API group of the parent.",
            default="gateway.networking.k8s.io",
            maxLength=253,
            pattern=rf"^$|{_DNS_NAME}",
        ),
    ] = None
    kind: Annotated[
        str | None,
        doc(
            "Kind of the parent.",
            default="Gateway",
            minLength=1,
            maxLength=63,
            pattern="^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
        ),
    ] = None
    namespace: Annotated[
        str | None,
        doc(
            "Namespace of the parent; that of the route if left out.",
            minLength=1,
            maxLength=63,
            pattern=f"^{_DNS_LABEL}$",
        ),
    ] = None
    name: Annotated[str, doc("Name of the parent.", minLength=1, maxLength=253)]
    section_name: Annotated[
        str | None, doc("Listener to attach to; all if left out.", minLength=1, maxLength=253, pattern=_DNS_NAME)
    ] = None
    port: Annotated[Int32 | None, doc("Port of the listener to attach to.", minimum=1, maximum=65535)] = None


class HTTP01Ingress(ApiStruct, frozen=True, kw_only=True):
    """Solve through an Ingress."""

    service_type: Annotated[str, doc("Type of the solver Service: NodePort (default) or ClusterIP.")] = ""
    ingress_class_name: Annotated[
        str | None, doc("spec.ingressClassName of the solver Ingress; excludes class and name.")
    ] = None
    class_: Annotated[
        str | None, doc("Annotation kubernetes.io/ingress.class of the solver Ingress; excludes the other two.")
    ] = msgspec.field(default=None, name="class")
    name: Annotated[str, doc("Existing Ingress that gets the solver's path, for controllers with one IP each.")] = ""
    pod_template: Annotated[PodTemplate | None, doc("Changes to the solver Pod.")] = None
    ingress_template: Annotated[IngressTemplate | None, doc("Changes to the solver Ingress.")] = None


class HTTP01GatewayHTTPRoute(ApiStruct, frozen=True, kw_only=True):
    """Solve through an HTTPRoute of the Gateway API."""

    service_type: Annotated[str, doc("Type of the solver Service: NodePort (default) or ClusterIP.")] = ""
    labels: Annotated[Mapping[str, str], doc("Labels of the solver HTTPRoute.")] = msgspec.field(default_factory=dict)
    parent_refs: Annotated[
        tuple[ParentReference, ...], doc("Gateways to attach to; may come from annotations instead.")
    ] = ()
    pod_template: Annotated[PodTemplate | None, doc("Changes to the solver Pod.")] = None


class HTTP01(ApiStruct, frozen=True, kw_only=True):
    """Solve by an answer on port 80; exactly one way."""

    ingress: Annotated[HTTP01Ingress | None, doc("Through an Ingress.")] = None
    gateway_http_route: Annotated[HTTP01GatewayHTTPRoute | None, doc("Through a Gateway API HTTPRoute.")] = None


class Solver(ApiStruct, frozen=True, kw_only=True):
    """How challenges are solved, and for which names."""

    selector: Annotated[SolverSelector | None, doc("Names and Certificates this solver is for; all if left out.")] = (
        None
    )
    http01: Annotated[HTTP01 | None, doc("Answer on port 80 of the name. Not for wildcards.")] = None
    dns01: Annotated[DNS01 | None, doc("TXT record of the name.")] = None
    wait_instead_of_self_check: Annotated[
        str | None, doc("Wait this long instead of looking whether the answer is visible, e.g. 60s.")
    ] = None


class ExternalAccountBinding(ApiStruct, frozen=True, kw_only=True):
    """Ties the ACME account to an account at the CA."""

    key_id: Annotated[str, doc("Key id that the CA gave.")]
    key_secret_ref: Annotated[SecretKeySelector, doc("MAC key that the CA gave, base64url without padding.")]
    key_algorithm: Annotated[EabAlgorithm | None, doc("No effect; HS256 is always used.")] = None


class AcmeIssuer(ApiStruct, frozen=True, kw_only=True):
    """A CA that speaks ACME (RFC 8555)."""

    email: Annotated[str, doc("Contact of the account.")] = ""
    server: Annotated[str, doc("URL of the CA's directory.")]
    preferred_chain: Annotated[
        str, doc("Common name of the issuer at the top of the wanted chain, where the CA offers several.", maxLength=64)
    ] = ""
    profile: Annotated[str, doc("Certificate profile to ask for; the CA lists its own.")] = ""
    ca_bundle: Annotated[bytes, doc("PEM of the CAs to trust for the server; excludes skipTLSVerify.")] = b""
    skip_tls_verify: Annotated[bool, doc("Do not verify the server's certificate; for tests only.")] = False
    external_account_binding: Annotated[ExternalAccountBinding | None, doc("Account at the CA to bind to.")] = None
    private_key_secret_ref: Annotated[
        SecretKeySelector, doc("Secret of the account key (tls.key); made if it is missing.")
    ]
    solvers: Annotated[tuple[Solver, ...], doc("How challenges are solved; the most specific match is taken.")] = ()
    disable_account_key_generation: Annotated[bool, doc("Never make an account key; wait until it is there.")] = False
    enable_duration_feature: Annotated[bool, doc("Send the wanted end of validity; not every CA allows it.")] = False
    renewal_information_source: Annotated[
        RenewalInformationSource | None, doc("Whether the CA may suggest when to renew (ARI).", default="ARI")
    ] = None


class AcmeIssuerStatus(ApiStruct, frozen=True, kw_only=True):
    """What is known of the ACME account."""

    uri: Annotated[str, doc("URL of the account.")] = ""
    last_registered_email: Annotated[str, doc("Contact that was last registered.")] = ""
    last_private_key_hash: Annotated[str, doc("Base64 SHA-256 of the account key that was last registered.")] = ""


class OrderSpec(ApiStruct, frozen=True, kw_only=True):
    """What is ordered."""

    request: Annotated[bytes, doc("PEM certificate request that finalizes the order.")]
    issuer_ref: Annotated[ObjectReference, doc("The ACME issuer.")]
    common_name: Annotated[str, doc("Common name in the request; must be one of the names.")] = ""
    dns_names: Annotated[tuple[str, ...], doc("DNS names to prove.")] = ()
    ip_addresses: Annotated[tuple[str, ...], doc("IP addresses to prove.")] = ()
    duration: Annotated[str | None, doc("Wanted validity.")] = None
    profile: Annotated[str, doc("Certificate profile to ask for.")] = ""
    replaces: Annotated[str, doc("ARI id of the certificate that this order replaces.")] = ""


class OfferedChallenge(ApiStruct, frozen=True, kw_only=True):
    """A challenge as the CA offers it."""

    url: Annotated[str, doc("URL of the challenge.")]
    token: Annotated[str, doc("Token of the challenge.")]
    type: Annotated[str, doc("Type as the CA writes it, e.g. http-01.")]


class Authorization(ApiStruct, frozen=True, kw_only=True):
    """A name to prove, as the CA lists it."""

    url: Annotated[str, doc("URL of the authorization.")]
    identifier: Annotated[str, doc("The name, without *.")] = ""
    wildcard: Annotated[bool | None, doc("Whether the wildcard below the name is meant.")] = None
    initial_state: Annotated[State | None, doc("State when the order was made; valid needs no challenge.")] = None
    challenges: Annotated[tuple[OfferedChallenge, ...], doc("Challenges the CA offers; one is enough.")] = ()


class OrderStatus(ApiStruct, frozen=True, kw_only=True):
    """Where the order stands."""

    url: Annotated[str, doc("URL of the order; set once.")] = ""
    finalize_url: Annotated[str, doc("URL to finalize at; set once.")] = ""
    authorizations: Annotated[tuple[Authorization, ...], doc("Names to prove; set once.")] = ()
    certificate: Annotated[bytes, doc("PEM chain; set once.")] = b""
    state: Annotated[State | None, doc("State; valid, invalid, expired and errored are final.")] = None
    reason: Annotated[str, doc("Why the order is in this state.")] = ""
    failure_time: Annotated[datetime | None, doc("When the order failed.")] = None


class Order(ApiStruct, frozen=True, kw_only=True):
    """An ACME order for one CertificateRequest."""

    api_version: str = always("acme.cert-manager.io/v1")
    kind: str = always("Order")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[OrderSpec, doc("What is ordered.")]
    status: Annotated[OrderStatus, doc("Where the order stands.")] = msgspec.field(default_factory=OrderStatus)


class ChallengeSpec(ApiStruct, frozen=True, kw_only=True):
    """What is to be proved, and how; never changes."""

    url: Annotated[str, doc("URL of the challenge.")]
    authorization_url: Annotated[str, doc("URL of the authorization.")]
    dns_name: Annotated[str, doc("The name (or IP address) to prove, without *.")]
    wildcard: Annotated[bool, doc("Whether the wildcard below the name is meant.")] = always(False)
    type: Annotated[ChallengeType, doc("HTTP-01 or DNS-01.")]
    token: Annotated[str, doc("Token that the CA gave.")]
    key: Annotated[str, doc("HTTP-01: the key authorization. DNS-01: the value of the TXT record.")]
    solver: Annotated[Solver, doc("Copy of the solver that was chosen.")]
    issuer_ref: Annotated[ObjectReference, doc("The ACME issuer.")]


class ChallengeStatus(ApiStruct, frozen=True, kw_only=True):
    """Where the challenge stands."""

    processing: Annotated[bool, doc("Whether the challenge is being worked on.")] = always(False)
    presented: Annotated[bool, doc("Whether the answer was put in place.")] = always(False)
    presented_at: Annotated[datetime | None, doc("When the answer was put in place.")] = None
    reason: Annotated[str, doc("Why the challenge is in this state.")] = ""
    state: Annotated[State | None, doc("State; valid, invalid, expired and errored are final.")] = None


class Challenge(ApiStruct, frozen=True, kw_only=True):
    """An ACME challenge of one Order."""

    api_version: str = always("acme.cert-manager.io/v1")
    kind: str = always("Challenge")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[ChallengeSpec, doc("What is to be proved, and how.")]
    status: Annotated[ChallengeStatus, doc("Where the challenge stands.")] = msgspec.field(
        default_factory=ChallengeStatus
    )
