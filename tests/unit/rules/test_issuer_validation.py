"""What an issuer may say: one row for each rule."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.rules.issuer_samples import BAD, GOOD, acme

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import from_json
from certwright.rules.issuer_validation import issuer_problems, issuer_warnings


@pytest.mark.parametrize("spec", GOOD)
def test_issuers_that_can_be(spec: dict[str, Any]) -> None:
    assert issuer_problems(from_json(cm.IssuerSpec, spec)) == ()


@pytest.mark.parametrize(("spec", "field"), BAD)
def test_issuers_that_cannot_be(spec: dict[str, Any], field: str) -> None:
    found = issuer_problems(from_json(cm.IssuerSpec, spec))

    assert field in [problem.field for problem in found]
    assert all(problem.message.endswith(".") for problem in found)


def test_only_the_first_of_two_kinds_is_looked_into() -> None:
    found = issuer_problems(
        from_json(cm.IssuerSpec, {"ca": {"secretName": ""}, "vault": {"server": "", "path": "", "auth": {}}})
    )

    assert [str(problem).partition(": ")[0] for problem in found] == ["spec.vault", "spec.ca.secretName"]


def test_a_key_algorithm_is_warned_of() -> None:
    binding = {"keyID": "1", "keySecretRef": {"name": "s", "key": "k"}, "keyAlgorithm": "HS256"}
    spec = from_json(cm.IssuerSpec, acme(externalAccountBinding=binding))

    assert issuer_problems(spec) == ()
    assert "keyAlgorithm is deprecated" in issuer_warnings(spec)[0]
    assert issuer_warnings(from_json(cm.IssuerSpec, acme())) == ()
