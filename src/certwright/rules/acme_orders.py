"""Orders and Challenges: what they hold, whose they are, and the one next step of an Order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from certwright.acme.protocol import messages
from certwright.acme.protocol.challenges import dns01_value, key_authorization
from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectMeta, OwnerReference, parse_duration
from certwright.api.names import challenge_name, order_name
from certwright.api.wellknown import ACME_GROUP, CERT_MANAGER_GROUP, ConditionType
from certwright.pki.csr import Request
from certwright.rules.facts import RequestFacts, controller_of
from certwright.rules.solver_choice import Chosen

FAILED_STATES = ("invalid", "expired", "errored")
FINAL_STATES = ("valid", *FAILED_STATES)
ACME_VERSION = f"{ACME_GROUP}/v1"
REQUEST_VERSION = f"{CERT_MANAGER_GROUP}/v1"
_STATES: dict[str, acme.State] = {
    "pending": "pending",
    "ready": "ready",
    "processing": "processing",
    "valid": "valid",
    "expired": "expired",
}


class Unorderable(Struct, frozen=True):
    """A request that no Order can be made of."""

    message: str


class Rest(Struct, frozen=True):
    """Nothing to do until something changes."""


class Place(Struct, frozen=True):
    """Ask the CA for the order."""


class Describe(Struct, frozen=True):
    """Fetch what the CA says of the authorizations at these URLs; without any, find out which they are."""

    urls: tuple[str, ...]


class Prove(Struct, frozen=True):
    """These authorizations are open: see that each has its Challenge."""

    authorizations: tuple[acme.Authorization, ...]


class Advance(Struct, frozen=True):
    """See what the CA makes of the order: all names are proved, or one has `failed`."""

    failed: acme.Challenge | None = None


class Clear(Struct, frozen=True):
    """The order has ended: these Challenges go."""

    challenges: tuple[acme.Challenge, ...]


OrderStep = Rest | Place | Describe | Prove | Advance | Clear


def order_spec(
    request: cm.CertificateRequestSpec, csr: Request, issuer: acme.AcmeIssuer
) -> acme.OrderSpec | Unorderable:
    """What is ordered for a CertificateRequest."""
    common_name = csr.subject_parts.common_name
    dns_names, addresses = csr.names.dns_names, csr.names.ip_addresses
    if common_name and common_name not in (*dns_names, *addresses):
        listed = f"[{' '.join(dns_names)}] or [{' '.join(addresses)}]"
        return Unorderable(
            "The CSR PEM requests a commonName that is not present in the list of dnsNames or ipAddresses. If a "
            "commonName is set, ACME requires that the value is also present in the list of dnsNames or ipAddresses: "
            f'"{common_name}" does not exist in {listed}'
        )
    if not dns_names and not addresses:
        return Unorderable("The request names neither a DNS name nor an IP address; add dnsNames to the Certificate")
    return acme.OrderSpec(
        request=request.request,
        issuer_ref=request.issuer_ref,
        common_name=common_name,
        dns_names=dns_names,
        ip_addresses=addresses,
        duration=request.duration if issuer.enable_duration_feature else None,
        profile=issuer.profile,
    )


def order_for(request: ObjectMeta, spec: acme.OrderSpec) -> acme.Order:
    """The Order of a CertificateRequest: owned by it, with its labels and annotations."""
    owner = _owner(REQUEST_VERSION, "CertificateRequest", request)
    metadata = ObjectMeta(
        name=order_name(request.name, spec),
        namespace=request.namespace,
        labels=request.labels,
        annotations=request.annotations,
        owner_references=(owner,),
    )
    return acme.Order(metadata=metadata, spec=spec)


def is_order_of(order: acme.Order, request: RequestFacts) -> bool:
    """Whether the CertificateRequest stands behind the Order, so that it may be acted on with the issuer's account.

    An owner reference can be written by anybody: an Order counts only while it asks for what was approved.
    """
    owner = controller_of(order.metadata)
    if owner is None or not _names_request(owner) or owner.uid != request.metadata.uid:
        return False
    if request.is_answered:  # its body is no longer kept, and nothing but clearing is left to do
        return order.status.state in FINAL_STATES
    spec = order.spec
    asked, identity = request.spec, request.identity
    if identity is None or not request.is_true(ConditionType.APPROVED) or request.is_true(ConditionType.DENIED):
        return False
    names = identity.names
    return (spec.request, spec.issuer_ref, spec.dns_names, spec.ip_addresses) == (
        asked.request,
        asked.issuer_ref,
        names.dns_names,
        names.ip_addresses,
    )


def request_behind(order: ObjectMeta) -> str:
    """The name of the CertificateRequest that controls an Order; empty where none does."""
    owner = controller_of(order)
    return owner.name if owner is not None and _names_request(owner) else ""


def order_behind(challenge: ObjectMeta) -> OwnerReference | None:
    """The Order that controls a Challenge; None where none does."""
    owner = controller_of(challenge)
    is_order = owner is not None and owner.kind == "Order" and owner.api_version == ACME_VERSION
    return owner if is_order else None


def wanted_order(spec: acme.OrderSpec, now: datetime) -> messages.NewOrder:
    """What the CA is asked for."""
    names = dict.fromkeys(spec.dns_names)
    if spec.common_name and spec.common_name not in spec.ip_addresses:
        names[spec.common_name] = None
    identifiers = [messages.Identifier("dns", name) for name in names]
    identifiers += [messages.Identifier("ip", address) for address in dict.fromkeys(spec.ip_addresses)]
    not_after = now.replace(microsecond=0) + parse_duration(spec.duration) if spec.duration else None
    return messages.NewOrder(tuple(identifiers), not_after=not_after, profile=spec.profile, replaces=spec.replaces)


def placed(order: messages.Order) -> acme.OrderStatus:
    """What is recorded of an order before anything else happens with it."""
    return acme.OrderStatus(
        url=order.url,
        finalize_url=order.finalize,
        authorizations=tuple(acme.Authorization(url=url) for url in order.authorizations),
        state=state_of(order.status),
    )


def described(authorization: messages.Authorization) -> acme.Authorization:
    """What is recorded of an authorization: every challenge as it came, unknown types and empty tokens too."""
    return acme.Authorization(
        url=authorization.url,
        identifier=authorization.identifier.value,
        wildcard=authorization.wildcard,
        initial_state=state_of(authorization.status),
        challenges=tuple(
            acme.OfferedChallenge(url=each.url, token=each.token, type=each.type) for each in authorization.challenges
        ),
    )


def state_of(status: str) -> acme.State:
    """The state that a status of the CA is written as: deactivated and revoked are invalid."""
    return _STATES.get(status, "invalid")


def challenge_for(order: acme.Order, authorization: acme.Authorization, chosen: Chosen) -> acme.Challenge:
    """The Challenge that proves the authorization, its key still empty."""
    spec = acme.ChallengeSpec(
        url=chosen.challenge.url,
        authorization_url=authorization.url,
        dns_name=authorization.identifier,
        wildcard=bool(authorization.wildcard),
        type=chosen.type,
        token=chosen.challenge.token,
        key="",
        solver=chosen.solver,
        issuer_ref=order.spec.issuer_ref,
    )
    metadata = ObjectMeta(
        name=challenge_name(order.metadata.name, spec),
        namespace=order.metadata.namespace,
        owner_references=(_owner(ACME_VERSION, "Order", order.metadata),),
    )
    return acme.Challenge(metadata=metadata, spec=spec)


def with_key(challenge: acme.Challenge, thumbprint: str) -> acme.Challenge:
    """The Challenge with its key: the key authorization, or for DNS-01 the value of the TXT record."""
    text = key_authorization(challenge.spec.token, thumbprint)
    key = dns01_value(text) if challenge.spec.type == "DNS-01" else text
    return replace(challenge, spec=replace(challenge.spec, key=key))


def next_step(order: acme.Order, challenges: Iterable[acme.Challenge]) -> OrderStep:
    """The one thing to do now for an Order that owns these Challenges."""
    status, mine = order.status, tuple(challenges)
    if status.state in FAILED_STATES:
        return _clear(each for each in mine if each.status.state not in FINAL_STATES)
    if status.state == "valid" and status.certificate:
        return _clear(mine)
    if not status.url:
        return Place()
    if status.state in {"ready", "processing", "valid"}:
        return Advance()
    if not status.authorizations or any(each.initial_state is None for each in status.authorizations):
        return Describe(tuple(each.url for each in status.authorizations))
    return _proving(status.authorizations, mine)


def _proving(authorizations: tuple[acme.Authorization, ...], mine: tuple[acme.Challenge, ...]) -> OrderStep:
    failed = next((each for each in mine if each.status.state in FAILED_STATES), None)
    lost = any(each.initial_state in FAILED_STATES for each in authorizations)
    done = {each.spec.authorization_url for each in mine if each.status.state == "valid"}
    still_open = tuple(each for each in authorizations if each.initial_state != "valid" and each.url not in done)
    if failed is not None or lost or not still_open:
        return Advance(failed)
    return Prove(still_open)


def _clear(challenges: Iterable[acme.Challenge]) -> Clear | Rest:
    left = tuple(each for each in challenges if each.metadata.deletion_timestamp is None)
    return Clear(left) if left else Rest()


def _names_request(owner: OwnerReference) -> bool:
    return owner.kind == "CertificateRequest" and owner.api_version == REQUEST_VERSION


def _owner(api_version: str, kind: str, metadata: ObjectMeta) -> OwnerReference:
    return OwnerReference(
        api_version=api_version,
        kind=kind,
        name=metadata.name,
        uid=metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )
