"""Quirks of cert-manager that stay as they are, since users rely on them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.unit.rules.sample import spec
from tests.unit.rules.test_solver_choice import authorization, choose, issuer, order

from certwright.api.wellknown import AcmeAnnotation
from certwright.rules.renewal_time import renewal_of
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


@pytest.mark.parametrize(
    ("start", "years", "opens"), [(2026, 10, 2036), (2096, 10, 2104)], ids=["of its year", "past a year without"]
)
def test_a_window_on_a_leap_day_is_found(start: int, years: int, opens: int) -> None:
    """The year 2100 has no 29 February."""
    windows = [{"cron": "0 0 29 2 *", "windowDuration": "4h"}]
    wanted = spec(renewal={"policy": "RenewBefore", "windows": windows})
    begin, end = datetime(start, 11, 24, tzinfo=UTC), datetime(start + years, 11, 24, tzinfo=UTC)

    found = renewal_of(wanted, begin, end)

    assert found.window_problem == ""
    assert found.when == datetime(opens, 2, 29, tzinfo=UTC)
