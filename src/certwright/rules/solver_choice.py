"""Which solver of an issuer proves a name, by selectors or by the plan of a legacy Certificate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

import msgspec
from msgspec import Struct

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.meta import MalformedObject, ObjectMeta, decode
from certwright.api.wellknown import AcmeAnnotation
from certwright.rules.hub import HubIssuer
from certwright.rules.legacy_plan import entry_for
from certwright.rules.request_content import SOLVER_PLAN

_OVERRIDES = {
    AcmeAnnotation.OVERRIDE_INGRESS_NAME: "name",
    AcmeAnnotation.OVERRIDE_INGRESS_CLASS: "class_",
    AcmeAnnotation.OVERRIDE_INGRESS_CLASS_NAME: "ingress_class_name",
}
_OFFERED_AS: Mapping[acme.ChallengeType, str] = {"HTTP-01": "http-01", "DNS-01": "dns-01"}


class Chosen(Struct, frozen=True):
    """The solver, and the challenge of the authorization that it solves."""

    solver: acme.Solver
    type: acme.ChallengeType
    challenge: acme.OfferedChallenge


class NoSolver(Struct, frozen=True):
    """None fits; `message` says what to change."""

    message: str


Choice = Chosen | NoSolver


def choose_solver(authorization: acme.Authorization, order: ObjectMeta, issuer: HubIssuer, *, legacy: bool) -> Choice:
    """The solver for an authorization; `legacy` says that a Certificate of certmanager.k8s.io is behind the Order."""
    plan = _plan(order.annotations) if legacy else None
    if isinstance(plan, NoSolver):
        return plan
    if plan is not None:
        return _planned(authorization, plan, issuer)
    found = _selected(authorization, order.labels, _solvers(issuer, legacy=legacy))
    if found is None:
        return NoSolver(
            f'No solver of {issuer.key.kind} "{issuer.key.name}" can be used for "{name_of(authorization)}": '
            f"the CA offers {_types(authorization)}; check the selectors and types of its acme.solvers"
        )
    return _overridden(found, order)


def name_of(authorization: acme.Authorization) -> str:
    """The name as a certificate would have it, with `*.` where the authorization is for a wildcard."""
    return f"*.{authorization.identifier}" if authorization.wildcard else authorization.identifier


def _solvers(issuer: HubIssuer, *, legacy: bool) -> tuple[acme.Solver, ...]:
    solvers = issuer.spec.acme.solvers if issuer.spec.acme else ()
    if not legacy:
        return solvers
    # Behind the solvers with selectors stand those made of http01 and the named providers, which need a plan.
    made = len(issuer.named_solvers) + (issuer.plain_http01 is not None)
    return solvers[: len(solvers) - made]


def _selected(
    authorization: acme.Authorization, labels: Mapping[str, str], solvers: Iterable[acme.Solver]
) -> Chosen | None:
    best: Chosen | None = None
    best_score = (0, 0, 0)
    for solver in solvers:
        found = _usable(solver, authorization)
        score = _score(solver.selector, name_of(authorization), labels)
        if found is not None and score is not None and (best is None or score > best_score):
            best, best_score = found, score
    return best


def _score(selector: acme.SolverSelector | None, name: str, labels: Mapping[str, str]) -> tuple[int, int, int] | None:
    """How specific the match is: exact name, labels of the zone, labels of the Certificate; None without a match."""
    if selector is None:
        return (0, 0, 0)
    exact = _folded(name) in map(_folded, selector.dns_names)
    zone = max((_zone_labels(zone, name) for zone in selector.dns_zones), default=0)
    if (selector.dns_names and not exact) or (selector.dns_zones and not zone):
        return None
    if any(labels.get(key) != value for key, value in selector.match_labels.items()):
        return None
    return (int(exact), zone, len(selector.match_labels))


def _zone_labels(zone: str, name: str) -> int:
    zone, bare = _folded(zone), _folded(name).removeprefix("*.")
    return len(zone.split(".")) if zone and (bare == zone or bare.endswith(f".{zone}")) else 0


def _usable(solver: acme.Solver, authorization: acme.Authorization) -> Chosen | None:
    kind: acme.ChallengeType = "DNS-01" if solver.dns01 is not None else "HTTP-01"
    if (kind == "DNS-01" and _is_ip(authorization.identifier)) or (solver.http01 is None and solver.dns01 is None):
        return None
    offered = next((each for each in authorization.challenges if each.type == _OFFERED_AS[kind]), None)
    # RFC 8555 7.1.3: a wildcard cannot be proved over HTTP, whatever a CA offers.
    if offered is None or (kind == "HTTP-01" and authorization.wildcard):
        return None
    return Chosen(solver, kind, offered)


def _planned(authorization: acme.Authorization, plan: tuple[legacy.DomainSolver, ...], issuer: HubIssuer) -> Choice:
    name = name_of(authorization)
    entry = entry_for(plan, name)
    if entry is None:
        return NoSolver(f'spec.acme.config: Required value: no ACME solver configuration specified for domain "{name}"')
    if entry.dns01 is not None and issuer.named_solvers and entry.dns01.provider not in issuer.named_solvers:
        return NoSolver(f'issuer does not contain DNS01 configuration for provider named "{entry.dns01.provider}"')
    solver = _solver_of_entry(entry, issuer)
    found = _usable(solver, authorization) if solver else None
    return found or NoSolver(
        f'ACME server does not allow selected challenge type or no provider is configured for domain "{name}"'
    )


def _solver_of_entry(entry: legacy.DomainSolver, issuer: HubIssuer) -> acme.Solver | None:
    if entry.dns01 is not None:
        dns01 = issuer.named_solvers.get(entry.dns01.provider)
        return acme.Solver(dns01=dns01) if dns01 else None
    if entry.http01 is None or issuer.plain_http01 is None:
        return None
    choice = {"name": entry.http01.ingress} if entry.http01.ingress else {"class_": entry.http01.ingress_class}
    return acme.Solver(http01=acme.HTTP01(ingress=_with_choice(issuer.plain_http01, choice)))


def _overridden(found: Chosen, order: ObjectMeta) -> Choice:
    http01 = found.solver.http01
    if http01 is None:
        return found
    way: acme.HTTP01 | NoSolver
    if http01.ingress is not None:
        way = _overridden_ingress(http01.ingress, order.annotations)
    elif http01.gateway_http_route is not None:
        way = _overridden_route(http01.gateway_http_route, order)
    else:
        way = NoSolver("The HTTP-01 solver has neither ingress nor gatewayHTTPRoute; correct the issuer's solver")
    if isinstance(way, NoSolver):
        return way
    return Chosen(msgspec.structs.replace(found.solver, http01=way), found.type, found.challenge)


def _overridden_ingress(ingress: acme.HTTP01Ingress, annotations: Mapping[str, str]) -> acme.HTTP01 | NoSolver:
    given = [(key, annotations[key]) for key in _OVERRIDES if annotations.get(key)]
    if not given:
        return acme.HTTP01(ingress=ingress)
    if len(given) > 1:
        named = ", ".join(key for key, _ in given)
        return NoSolver(f"The annotations {named} exclude each other; leave one of them on the Certificate")
    [(key, value)] = given
    return acme.HTTP01(ingress=_with_choice(ingress, {_OVERRIDES[key]: value}))


def _with_choice(ingress: acme.HTTP01Ingress, choice: Mapping[str, str | None]) -> acme.HTTP01Ingress:
    cleared = msgspec.structs.replace(ingress, name="", class_=None, ingress_class_name=None)
    return msgspec.structs.replace(cleared, **choice)


def _overridden_route(route: acme.HTTP01GatewayHTTPRoute, order: ObjectMeta) -> acme.HTTP01 | NoSolver:
    annotations = order.annotations
    name, kind = annotations.get(AcmeAnnotation.PARENT_REF_NAME), annotations.get(AcmeAnnotation.PARENT_REF_KIND)
    if bool(name) != bool(kind):
        return NoSolver(
            f"The annotations {AcmeAnnotation.PARENT_REF_NAME} and {AcmeAnnotation.PARENT_REF_KIND} "
            "go together; give both or none on the Certificate"
        )
    parents = route.parent_refs
    if name and kind:
        namespace = annotations.get(AcmeAnnotation.PARENT_REF_NAMESPACE) or order.namespace
        added = acme.ParentReference(kind=kind, name=name, namespace=namespace)
        parents = parents if added in parents else (*parents, added)
    if not parents:
        return NoSolver(
            "The HTTPRoute would have no parent; give the issuer's gatewayHTTPRoute parentRefs, "
            f"or the Certificate the annotations {AcmeAnnotation.PARENT_REF_NAME} and {AcmeAnnotation.PARENT_REF_KIND}"
        )
    return acme.HTTP01(gateway_http_route=msgspec.structs.replace(route, parent_refs=parents))


def _plan(annotations: Mapping[str, str]) -> tuple[legacy.DomainSolver, ...] | NoSolver | None:
    text = annotations.get(SOLVER_PLAN)
    if text is None:
        return None
    try:
        return decode(tuple[legacy.DomainSolver, ...], text.encode())
    except MalformedObject as error:
        return NoSolver(f"The annotation {SOLVER_PLAN} cannot be read: {error}; delete the CertificateRequest")


def _types(authorization: acme.Authorization) -> str:
    return ", ".join(sorted({each.type for each in authorization.challenges})) or "no challenge"


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _folded(name: str) -> str:
    return name.lower().removesuffix(".")
