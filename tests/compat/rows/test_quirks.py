"""Quirks of cert-manager that stay as they are, since users rely on them."""

from __future__ import annotations

from tests.unit.rules.test_solver_choice import authorization, choose, issuer, order

from certwright.api.wellknown import AcmeAnnotation
from certwright.rules.solver_choice import Chosen


def test_a_parent_by_annotation_stands_beside_those_of_the_issuer() -> None:
    theirs = {
        "http01": {"gatewayHTTPRoute": {"parentRefs": [{"kind": "Gateway", "name": "edge", "namespace": "infra"}]}}
    }
    named = {AcmeAnnotation.PARENT_REF_NAME: "gw", AcmeAnnotation.PARENT_REF_KIND: "Gateway"}

    found = choose(issuer(theirs), authorization(), order(annotations=named))

    assert isinstance(found, Chosen)
    assert found.solver.http01 is not None
    assert found.solver.http01.gateway_http_route is not None
    assert [parent.name for parent in found.solver.http01.gateway_http_route.parent_refs] == ["edge", "gw"]
