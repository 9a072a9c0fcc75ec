"""The objects that are made for a challenge, as users of cert-manager know them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.solvers.http01.samples import TOKEN, challenge, owner_of

from certwright.api.acme_v1 import HTTP01, HTTP01GatewayHTTPRoute, HTTP01Ingress, ParentReference
from certwright.api.meta import OwnerReference
from certwright.api.pod_template import IngressTemplate, TemplateMeta
from certwright.kube.wire.json import JSONObject
from certwright.solvers.http01 import objects
from certwright.solvers.http01.challenge import Http01Challenge

WELL_KNOWN = f"/.well-known/acme-challenge/{TOKEN}"
LABELS = {
    "acme.cert-manager.io/http-domain": "785515997",
    "acme.cert-manager.io/http-token": "965742110",
    "acme.cert-manager.io/http01-solver": "true",
}
OWNER = {
    "apiVersion": "acme.cert-manager.io/v1",
    "kind": "Challenge",
    "name": "one",
    "uid": "uid-of-one",
    "controller": True,
    "blockOwnerDeletion": True,
}
SERVICE = OwnerReference(api_version="v1", kind="Service", name="cm-acme-http-solver-nodeport", uid="u")
GATEWAY = HTTP01GatewayHTTPRoute(labels={"team": "web"}, parent_refs=(ParentReference(name="edge", namespace="infra"),))


def _ingress(solver: HTTP01Ingress, of: Http01Challenge | None = None, exact: bool = True, **extra: str) -> Any:
    of = of or challenge()
    return objects.ingress(of, solver, objects.ingress_path(of, "backend", exact), extra)


def _route(solver: HTTP01GatewayHTTPRoute, identifier: str = "http.bench.test", **extra: str) -> Any:
    return objects.http_route(challenge(identifier), solver, "backend", extra)


def test_the_ingress_that_cert_manager_makes() -> None:
    """Names, labels and spec as 1.21.1 wrote them for this very domain and token."""
    assert _ingress(HTTP01Ingress(ingress_class_name="nginx")) == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "generateName": "cm-acme-http-solver-",
            "namespace": "golden",
            "labels": LABELS,
            "annotations": {"nginx.ingress.kubernetes.io/whitelist-source-range": "0.0.0.0/0,::/0"},
            "ownerReferences": [OWNER],
        },
        "spec": {
            "ingressClassName": "nginx",
            "rules": [
                {
                    "host": "http.bench.test",
                    "http": {
                        "paths": [
                            {
                                "path": WELL_KNOWN,
                                "pathType": "Exact",
                                "backend": {"service": {"name": "backend", "port": {"number": 8089}}},
                            }
                        ]
                    },
                }
            ],
        },
    }


def test_the_class_as_an_annotation() -> None:
    found = _ingress(HTTP01Ingress(class_="nginx"))

    assert found["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "nginx"
    assert "ingressClassName" not in found["spec"]


def test_no_class_at_all() -> None:
    found = _ingress(HTTP01Ingress())

    assert "kubernetes.io/ingress.class" not in found["metadata"]["annotations"]
    assert "ingressClassName" not in found["spec"]


def test_the_template_adds_but_does_not_take_our_labels() -> None:
    meta = TemplateMeta(labels={"a": "b", "acme.cert-manager.io/http-token": "x"}, annotations={"c": "d"})
    found = _ingress(HTTP01Ingress(ingress_template=IngressTemplate(metadata=meta)), extra="label")

    assert found["metadata"]["labels"] == {**LABELS, "a": "b", "extra": "label"}
    assert found["metadata"]["annotations"] == {
        "c": "d",
        "nginx.ingress.kubernetes.io/whitelist-source-range": "0.0.0.0/0,::/0",
    }


def test_a_whitelist_of_the_template_stands_alone() -> None:
    meta = TemplateMeta(annotations={"ingress.example.io/whitelist-source-range": "10.0.0.0/8"})
    found = _ingress(HTTP01Ingress(ingress_template=IngressTemplate(metadata=meta)))

    assert found["metadata"]["annotations"] == dict(meta.annotations)


def test_the_path_type_where_controllers_do_not_know_exact() -> None:
    [rule] = _ingress(HTTP01Ingress(), exact=False)["spec"]["rules"]

    assert rule["http"]["paths"][0]["pathType"] == "ImplementationSpecific"


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_rules_and_routes_do_not_name_ip_addresses(address: str) -> None:
    [rule] = _ingress(HTTP01Ingress(), challenge(address))["spec"]["rules"]

    assert list(rule) == ["http"]
    assert "hostnames" not in _route(GATEWAY, address)["spec"]


def test_the_http_route() -> None:
    found = _route(GATEWAY, extra="label")

    assert found == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "generateName": "cm-acme-http-solver-",
            "namespace": "golden",
            "labels": {**LABELS, "team": "web", "extra": "label"},
            "ownerReferences": [OWNER],
        },
        "spec": {
            "parentRefs": [
                {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge", "namespace": "infra"}
            ],
            "hostnames": ["http.bench.test"],
            "rules": [
                {
                    "matches": [{"path": {"type": "Exact", "value": WELL_KNOWN}}],
                    "backendRefs": [{"group": "", "kind": "Service", "name": "backend", "port": 8089, "weight": 1}],
                }
            ],
        },
    }


def test_a_parent_of_another_kind_keeps_it() -> None:
    parent = ParentReference(name="set", kind="ListenerSet", group="gateway.networking.k8s.io", section_name="http")

    assert _route(HTTP01GatewayHTTPRoute(parent_refs=(parent,)))["spec"]["parentRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "ListenerSet", "name": "set", "sectionName": "http"}
    ]


def test_labels_of_2018_beside_those_of_today() -> None:
    assert objects.solver_labels(challenge(legacy=True)) == {
        **LABELS,
        "certmanager.k8s.io/acme-http-domain": "785515997",
        "certmanager.k8s.io/acme-http-token": "965742110",
    }
    assert objects.solver_labels(challenge()) == LABELS


@pytest.mark.parametrize(
    ("solver", "kind", "name"),
    [
        (HTTP01(ingress=HTTP01Ingress()), "NodePort", "cm-acme-http-solver-nodeport"),
        (HTTP01(ingress=HTTP01Ingress(service_type="ClusterIP")), "ClusterIP", "cm-acme-http-solver-clusterip"),
        (
            HTTP01(gateway_http_route=HTTP01GatewayHTTPRoute(service_type="ClusterIP")),
            "ClusterIP",
            "cm-acme-http-solver-clusterip",
        ),
    ],
)
def test_the_service_has_no_selector_and_the_challenge_as_one_of_its_owners(
    solver: HTTP01, kind: str, name: str
) -> None:
    assert objects.service(challenge(solver=solver), False, {"extra": "label"}) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "golden",
            "labels": {"acme.cert-manager.io/http01-solver": "true", "extra": "label"},
            "annotations": {"auth.istio.io/8089": "NONE"},
            "ownerReferences": [
                {"apiVersion": "acme.cert-manager.io/v1", "kind": "Challenge", "name": "one", "uid": "uid-of-one"}
            ],
        },
        "spec": {
            "type": kind,
            "ports": [{"name": "http", "protocol": "TCP", "port": 8089, "targetPort": 8089}],
        },
    }


def test_a_slice_for_each_ip_family() -> None:
    found = objects.endpoint_slices(SERVICE, ("10.1.0.9", "2001:db8::9", "10.1.0.8"), 8090)

    assert list(found) == ["cm-acme-http-solver-nodeport-ipv4", "cm-acme-http-solver-nodeport-ipv6"]
    first, second = found.values()
    assert first["addressType"] == "IPv4"
    assert first["endpoints"] == [
        {"addresses": ["10.1.0.9"], "conditions": {"ready": True}},
        {"addresses": ["10.1.0.8"], "conditions": {"ready": True}},
    ]
    assert first["ports"] == [{"name": "http", "protocol": "TCP", "port": 8090}]
    assert (second["addressType"], second["endpoints"]) == (
        "IPv6",
        [{"addresses": ["2001:db8::9"], "conditions": {"ready": True}}],
    )


def test_slices_belong_to_the_service_and_are_no_business_of_kubernetes_own_controllers() -> None:
    [found] = objects.endpoint_slices(SERVICE, ("10.1.0.9",), 8089).values()

    metadata = found["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["labels"] == {
        "kubernetes.io/service-name": "cm-acme-http-solver-nodeport",
        "endpointslice.kubernetes.io/managed-by": "certwright.io",
        "acme.cert-manager.io/http01-solver": "true",
    }
    assert metadata["ownerReferences"] == [{"apiVersion": "v1", "kind": "Service", "name": SERVICE.name, "uid": "u"}]


def test_both_families_where_there_are_both() -> None:
    spec = objects.service(challenge(owner=owner_of("one")), True, {})["spec"]

    assert isinstance(spec, dict)
    assert spec["ipFamilyPolicy"] == "PreferDualStack"


def test_nothing_of_the_key_is_in_any_object() -> None:
    one = challenge()
    path: JSONObject = objects.ingress_path(one, "backend", True)
    made = [objects.service(one, False, {}), objects.ingress(one, HTTP01Ingress(), path, {}), _route(GATEWAY)]

    assert one.key not in str(made)
