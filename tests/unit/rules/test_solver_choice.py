"""Which solver proves a name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.acme_dns01 import DNS01, Cloudflare
from certwright.api.meta import ObjectMeta, SecretKeySelector, from_json
from certwright.api.wellknown import AcmeAnnotation
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey
from certwright.rules.request_content import SOLVER_PLAN
from certwright.rules.solver_choice import Chosen, NoSolver, choose_solver

Json = dict[str, Any]
DNS: Json = {"dns01": {"cloudflare": {"apiTokenSecretRef": {"name": "cf", "key": "token"}}}}
HTTP: Json = {"http01": {"ingress": {"ingressClassName": "nginx"}}}
ROUTE: Json = {"http01": {"gatewayHTTPRoute": {}}}
PROVIDER = DNS01(cloudflare=Cloudflare(api_token_secret_ref=SecretKeySelector(name="cf", key="token")))


def authorization(identifier: str = "a.b.example.com", *offered: str, wildcard: bool = False) -> acme.Authorization:
    types = offered or ("http-01", "dns-01", "tls-alpn-01")
    return acme.Authorization(
        url="https://ca/authz/1",
        identifier=identifier,
        wildcard=wildcard,
        initial_state="pending",
        challenges=tuple(acme.OfferedChallenge(url=f"https://ca/{each}", token="t", type=each) for each in types),
    )


def issuer(*solvers: Json, dialect: Dialect = Dialect.MODERN, **more: Any) -> HubIssuer:
    spec = acme.AcmeIssuer(
        server="https://ca/directory",
        private_key_secret_ref=SecretKeySelector(name="account"),
        solvers=tuple(from_json(acme.Solver, each) for each in solvers),
    )
    return HubIssuer(
        key=IssuerKey(dialect, "Issuer", "ns", "acme"),
        metadata=ObjectMeta(name="acme", namespace="ns"),
        spec=cm.IssuerSpec(acme=spec),
        **more,
    )


def order(labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None) -> ObjectMeta:
    return ObjectMeta(name="o", namespace="ns", labels=labels or {}, annotations=annotations or {})


def choose(found: HubIssuer, wanted: acme.Authorization, about: ObjectMeta | None = None) -> Chosen | NoSolver:
    return choose_solver(wanted, about or order(), found, legacy=False)


def selected(base: Json, **selector: Any) -> Json:
    return {"selector": selector, **base}


CASES = {
    "a solver without selector is taken": ([DNS], 0),
    "the earlier of two without selector": ([DNS, HTTP], 0),
    "an exact name beats a zone": (
        [selected(DNS, dnsZones=["b.example.com"]), selected(DNS, dnsNames=["a.b.example.com"])],
        1,
    ),
    "the longer zone beats the shorter": (
        [selected(DNS, dnsZones=["example.com"]), selected(DNS, dnsZones=["com", "b.example.com"])],
        1,
    ),
    "more labels beat fewer": (
        [selected(DNS, matchLabels={"x": "1"}), selected(DNS, matchLabels={"x": "1", "y": "2"})],
        1,
    ),
    "a zone beats labels": ([selected(DNS, matchLabels={"x": "1"}), selected(DNS, dnsZones=["example.com"])], 1),
    "the earlier of equals": ([selected(DNS, dnsZones=["example.com"]), selected(HTTP, dnsZones=["example.com"])], 0),
    "any match beats a solver without selector": ([DNS, selected(HTTP, matchLabels={"x": "1"})], 1),
    "an empty selector does not": ([DNS, selected(HTTP)], 0),
    "all parts must match": (
        [selected(DNS, dnsNames=["a.b.example.com"], matchLabels={"x": "other"}), selected(HTTP, dnsZones=["com"])],
        1,
    ),
    "a zone ends at a label": ([selected(DNS, dnsZones=["xample.com"]), HTTP], 1),
    "case does not matter": ([HTTP, selected(DNS, dnsNames=["A.B.Example.COM"])], 1),
}


@pytest.mark.parametrize(("solvers", "index"), CASES.values(), ids=CASES)
def test_precedence(solvers: list[Json], index: int) -> None:
    found = choose(issuer(*solvers), authorization(), order({"x": "1", "y": "2"}))

    assert isinstance(found, Chosen)
    assert found.solver == from_json(acme.Solver, solvers[index])


def test_a_wildcard_needs_its_own_name_but_only_the_bare_zone() -> None:
    wanted = authorization("example.com", "dns-01", wildcard=True)

    by_bare_name = choose(issuer(selected(DNS, dnsNames=["example.com"])), wanted)
    by_name = choose(issuer(selected(DNS, dnsNames=["*.example.com"])), wanted)
    by_zone = choose(issuer(selected(DNS, dnsZones=["example.com"])), wanted)

    assert isinstance(by_bare_name, NoSolver)
    assert isinstance(by_name, Chosen)
    assert isinstance(by_zone, Chosen)


def test_only_an_offered_type_is_chosen() -> None:
    found = choose(
        issuer(selected(HTTP, dnsNames=["a.b.example.com"]), DNS), authorization("a.b.example.com", "dns-01")
    )

    assert isinstance(found, Chosen)
    assert (found.type, found.challenge.type) == ("DNS-01", "dns-01")


def test_a_wildcard_is_never_proved_over_http() -> None:
    found = choose(issuer(HTTP), authorization("example.com", "http-01", wildcard=True))

    assert isinstance(found, NoSolver)


def test_an_address_is_proved_over_http_only() -> None:
    found = choose(issuer(DNS, HTTP), authorization("192.0.2.1", "http-01", "dns-01"))

    assert isinstance(found, Chosen)
    assert found.type == "HTTP-01"


def test_the_message_names_the_issuer_and_the_name() -> None:
    found = choose(issuer(), authorization("example.com", "http-01", wildcard=True))

    assert isinstance(found, NoSolver)
    assert '"*.example.com"' in found.message
    assert 'Issuer "acme"' in found.message


@pytest.mark.parametrize(
    ("annotation", "field"),
    [
        (AcmeAnnotation.OVERRIDE_INGRESS_NAME, "name"),
        (AcmeAnnotation.OVERRIDE_INGRESS_CLASS, "class"),
        (AcmeAnnotation.OVERRIDE_INGRESS_CLASS_NAME, "ingressClassName"),
    ],
)
def test_an_override_clears_what_the_solver_said(annotation: str, field: str) -> None:
    found = choose(issuer(HTTP), authorization(), order(annotations={annotation: "mine"}))

    assert isinstance(found, Chosen)
    assert found.solver == from_json(acme.Solver, {"http01": {"ingress": {field: "mine"}}})


def test_two_overrides_are_refused() -> None:
    both = {AcmeAnnotation.OVERRIDE_INGRESS_NAME: "x", AcmeAnnotation.OVERRIDE_INGRESS_CLASS: "y"}

    assert isinstance(choose(issuer(HTTP), authorization(), order(annotations=both)), NoSolver)
    assert isinstance(choose(issuer(DNS), authorization(), order(annotations=both)), Chosen)


def test_a_parent_is_added_to_the_route() -> None:
    named = {AcmeAnnotation.PARENT_REF_NAME: "gw", AcmeAnnotation.PARENT_REF_KIND: "Gateway"}
    found = choose(issuer(ROUTE), authorization(), order(annotations=named))

    assert isinstance(found, Chosen)
    assert found.solver.http01 is not None
    assert found.solver.http01.gateway_http_route is not None
    [parent] = found.solver.http01.gateway_http_route.parent_refs
    assert (parent.kind, parent.name, parent.namespace) == ("Gateway", "gw", "ns")


def test_an_equal_parent_is_not_added_twice() -> None:
    there = {"kind": "Gateway", "name": "gw", "namespace": "ns"}
    named = {AcmeAnnotation.PARENT_REF_NAME: "gw", AcmeAnnotation.PARENT_REF_KIND: "Gateway"}
    route: Json = {"http01": {"gatewayHTTPRoute": {"parentRefs": [there]}}}

    found = choose(issuer(route), authorization(), order(annotations=named))

    assert isinstance(found, Chosen)
    assert found.solver == from_json(acme.Solver, route)


@pytest.mark.parametrize("annotations", [{}, {AcmeAnnotation.PARENT_REF_NAME: "gw"}])
def test_a_route_without_a_parent_is_refused(annotations: dict[str, str]) -> None:
    assert isinstance(choose(issuer(ROUTE), authorization(), order(annotations=annotations)), NoSolver)


def planned(*entries: Json) -> ObjectMeta:
    return order(annotations={SOLVER_PLAN: msgspec.json.encode(entries).decode()})


def old_issuer(*solvers: Json) -> HubIssuer:
    """Two named ways, which the hub also lists behind the solvers with selectors."""
    return issuer(
        *solvers,
        HTTP,
        DNS,
        dialect=Dialect.LEGACY,
        named_solvers={"cf": PROVIDER},
        plain_http01=acme.HTTP01Ingress(service_type="ClusterIP"),
    )


def test_a_plan_names_the_provider() -> None:
    plan = planned({"domains": ["a.b.example.com"], "dns01": {"provider": "cf"}})

    found = choose_solver(authorization(), plan, old_issuer(), legacy=True)

    assert isinstance(found, Chosen)
    assert found.solver == acme.Solver(dns01=PROVIDER)


def test_a_plan_matches_names_exactly() -> None:
    plan = planned({"domains": ["*.example.com", "example.com"], "dns01": {"provider": "cf"}})

    found = choose_solver(authorization("a.example.com"), plan, old_issuer(), legacy=True)

    assert found == NoSolver(
        'spec.acme.config: Required value: no ACME solver configuration specified for domain "a.example.com"'
    )


@pytest.mark.parametrize(
    ("choice", "ingress"),
    [
        ({"ingress": "shop"}, acme.HTTP01Ingress(service_type="ClusterIP", name="shop")),
        ({"ingressClass": "gce"}, acme.HTTP01Ingress(service_type="ClusterIP", class_="gce")),
        ({}, acme.HTTP01Ingress(service_type="ClusterIP")),
    ],
)
def test_a_plan_shapes_the_ingress(choice: Json, ingress: acme.HTTP01Ingress) -> None:
    plan = planned({"domains": ["a.b.example.com"], "http01": choice})

    found = choose_solver(authorization(), plan, old_issuer(), legacy=True)

    assert isinstance(found, Chosen)
    assert found.solver == acme.Solver(http01=acme.HTTP01(ingress=ingress))


def test_a_plan_with_an_unknown_provider() -> None:
    plan = planned({"domains": ["a.b.example.com"], "dns01": {"provider": "other"}})

    assert choose_solver(authorization(), plan, old_issuer(), legacy=True) == NoSolver(
        'issuer does not contain DNS01 configuration for provider named "other"'
    )


def test_a_plan_that_the_ca_does_not_allow() -> None:
    plan = planned({"domains": ["*.example.com"], "http01": {}})
    wanted = authorization("example.com", "dns-01", wildcard=True)

    assert choose_solver(wanted, plan, old_issuer(), legacy=True) == NoSolver(
        'ACME server does not allow selected challenge type or no provider is configured for domain "*.example.com"'
    )


def test_an_unreadable_plan_says_so() -> None:
    found = choose_solver(authorization(), order(annotations={SOLVER_PLAN: "{"}), old_issuer(), legacy=True)

    assert isinstance(found, NoSolver)
    assert SOLVER_PLAN in found.message


def test_without_a_plan_a_legacy_certificate_uses_selectors_only() -> None:
    without = choose_solver(authorization(), order(), old_issuer(), legacy=True)
    with_own = choose_solver(authorization(), order(), old_issuer(selected(DNS, dnsZones=["com"])), legacy=True)

    assert isinstance(without, NoSolver)
    assert isinstance(with_own, Chosen)


def test_a_plan_on_a_modern_order_is_ignored() -> None:
    plan = planned({"domains": ["a.b.example.com"], "dns01": {"provider": "cf"}})

    found = choose_solver(authorization(), plan, old_issuer(), legacy=False)

    assert isinstance(found, Chosen)
    assert found.type == "HTTP-01"


labels = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12"))
selectors = st.fixed_dictionaries(
    {},
    optional={
        "dnsNames": st.lists(st.sampled_from(["a.b.example.com", "*.b.example.com", "c.com"]), max_size=2),
        "dnsZones": st.lists(st.sampled_from(["example.com", "b.example.com", "com", "org"]), max_size=2),
        "matchLabels": labels,
    },
)


def _score(selector: Json | None, name: str, given_labels: dict[str, str]) -> tuple[bool, int, int] | None:
    """The rule once more, as the documentation of the API words it."""
    selector = selector or {}
    names, zones, wanted = selector.get("dnsNames"), selector.get("dnsZones"), selector.get("matchLabels", {})
    matching = [zone for zone in zones or [] if f".{name}".endswith(f".{zone}")]
    if (names and name not in names) or (zones and not matching) or not wanted.items() <= given_labels.items():
        return None
    return bool(names), max((zone.count(".") + 1 for zone in matching), default=0), len(wanted)


@given(st.lists(st.none() | selectors, max_size=5), labels)
def test_the_first_of_the_most_specific_is_chosen(listed: list[Json | None], given_labels: dict[str, str]) -> None:
    name = "a.b.example.com"
    solvers = [DNS if selector is None else {"selector": selector, **DNS} for selector in listed]
    scores = [_score(selector, name, given_labels) for selector in listed]
    best = max((score for score in scores if score is not None), default=None)

    found = choose(issuer(*solvers), authorization(name), order(given_labels))

    if best is None:
        assert isinstance(found, NoSolver)
    else:
        assert isinstance(found, Chosen)
        assert found.solver == from_json(acme.Solver, solvers[scores.index(best)])
