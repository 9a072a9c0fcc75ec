"""Rules of CEL: what a hostile or odd schema or object may do, which a real server is not asked for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.kube_api.rule_expressions import OBJECT, TRUE

from certwright.apiserver.schema.cel_expressions import CompileError
from certwright.apiserver.schema.node import parse_node
from certwright.apiserver.schema.rule_faults import rule_faults
from certwright.apiserver.schema.rules import RuleSet, uses_old
from certwright.kube.wire.json import JSONObject

RULES = "x-kubernetes-validations"


def rules(properties: dict[str, Any], *written: dict[str, Any]) -> RuleSet:
    spec: Any = {"type": "object", "properties": properties, RULES: list(written)}
    return RuleSet(parse_node({"type": "object", "properties": {"spec": spec}}))


def complaints(ruled: RuleSet, spec: Any, old: Any = None) -> list[str]:
    report = ruled.validate({"spec": spec}, None if old is None else {"spec": old})
    return [f"{cause.field}: {cause.message}" for cause in report.causes]


NUMBERS = {"numbers": {"type": "array", "items": {"type": "integer"}}}


def test_an_iteration_bomb_stops() -> None:
    bomb = "self.numbers.all(a, self.numbers.all(b, self.numbers.all(c, self.numbers.all(d, a + b + c + d >= 0))))"

    found = complaints(rules(NUMBERS, {"rule": bomb}), {"numbers": list(range(200))})

    assert found == [f'spec: Invalid value: "object": call cost exceeds limit for rule: {bomb}']


@pytest.mark.parametrize("expression", TRUE)
def test_every_function_means_what_a_real_server_means(expression: str) -> None:
    text, number = {"type": "string"}, {"type": "integer"}
    properties = {
        "csv": text,
        **{name: {"type": "array", "items": kind} for name, kind in [("numbers", number), ("words", text)]},
    }

    assert complaints(rules(properties, {"rule": expression}), OBJECT) == []


@pytest.mark.parametrize("value", [2**70, -(2**70)])
def test_a_number_beyond_64_bits_is_a_fault_of_the_rule_not_of_the_server(value: int) -> None:
    [found] = complaints(rules({"n": {"type": "integer"}}, {"rule": "self.n < 5"}), {"n": value})

    assert "out of range" in found


def test_a_rule_that_does_not_compile_is_said_when_the_set_is_made() -> None:
    with pytest.raises(CompileError, match="Syntax error"):
        rules({}, {"rule": "1 +"})


def test_what_an_unchanged_part_was_found_to_be_is_remembered_but_not_its_faults() -> None:
    ruled = rules({"n": {"type": "integer"}}, {"rule": "self.n < 5", "message": "small"})

    for _ in range(3):
        good = ruled.validate({"spec": {"n": 1}}, {"spec": {"n": 1}})
        bad = ruled.validate({"spec": {"n": 9}}, {"spec": {"n": 9}})

        assert (good.causes, good.warnings) == ([], [])
        assert (bad.causes, bad.warnings) == ([], ["spec: Invalid value: small"])
    assert complaints(ruled, {"n": 9}, {"n": 1}) == ["spec: Invalid value: small"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("self == oldSelf", True),
        ("'oldSelf' == self", False),
        ('self.x == "a \\" oldSelf"', False),
        ("self.oldSelf == 1", False),
        ("has(oldSelf.x)", True),
    ],
)
def test_which_rules_are_about_transitions(rule: str, expected: bool) -> None:
    assert uses_old(rule) is expected


def test_a_field_in_a_text_is_no_field() -> None:
    schema: JSONObject = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema[RULES] = [{"rule": "self.a != 'self.none'"}]

    assert list(rule_faults(parse_node(schema), "root")) == []
