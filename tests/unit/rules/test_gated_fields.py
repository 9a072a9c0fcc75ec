"""Fields whose feature is switched off."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.rules.sample import spec

from certwright.rules.gated_fields import gated_problems
from certwright.rules.gates import read_gates


@pytest.mark.parametrize(
    ("gate", "fields"),
    [
        ("LiteralCertificateSubject", {"literalSubject": "CN=x"}),
        ("OtherNames", {"otherNames": [{"oid": "1.2.3", "utf8Value": "x"}]}),
        ("NameConstraints", {"isCA": True, "nameConstraints": {"permitted": {}}}),
    ],
)
def test_a_field_needs_its_gate(gate: str, fields: dict[str, Any]) -> None:
    wanted = spec(**fields)

    assert list(gated_problems(wanted, read_gates([]))) == []
    assert [gate in problem.message for problem in gated_problems(wanted, read_gates([f"{gate}=false"]))] == [True]
    assert list(gated_problems(spec(), read_gates([f"{gate}=false"]))) == []
