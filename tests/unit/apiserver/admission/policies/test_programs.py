"""Variables are evaluated where they are used, once, and their faults are told there."""

from __future__ import annotations

import pytest

from certwright.apiserver.admission.policies.authorizer import Authorizer
from certwright.apiserver.admission.policies.programs import VARIABLES, Evaluation, compile_program
from certwright.apiserver.auth.rights import AllRights
from certwright.apiserver.schema.cel_expressions import Environment, Fault, open_environment


@pytest.fixture
def env() -> Environment:
    """That of policies."""
    return open_environment(VARIABLES, Authorizer(AllRights()).functions())


def evaluation(env: Environment, **named: str) -> Evaluation:
    """Over an object with a name, and those variables."""
    values = dict.fromkeys(VARIABLES) | {"object": {"metadata": {"name": "a"}, "items": [1, {"b": None}]}}
    return Evaluation(env, {name: compile_program(env, text, "any") for name, text in named.items()}, values)


def test_variables_may_use_variables(env: Environment) -> None:
    over = evaluation(env, name="object.metadata.name", twice="variables.name + variables.name")

    assert over.evaluate(compile_program(env, "variables.twice == 'aa'", "bool")) is True


def test_a_variable_that_fails_is_told_where_it_is_used(env: Environment) -> None:
    over = evaluation(env, bad="object.none.x")

    asked = over.evaluate(compile_program(env, "variables.bad == 1", "bool"))
    spared = over.evaluate(compile_program(env, "object.metadata.name == 'a' || variables.bad == 1", "bool"))

    assert asked == Fault('composited variable "bad" fails to evaluate: no such key: none')
    assert spared is True


def test_a_variable_that_names_itself_has_no_value(env: Environment) -> None:
    over = evaluation(env, one="variables.two", two="variables.one")

    found = over.evaluate(compile_program(env, "variables.one == 1", "bool"))

    assert isinstance(found, Fault)
    assert 'composited variable "one" fails to evaluate' in found.why


def test_names_in_texts_are_no_variables(env: Environment) -> None:
    program = compile_program(env, "'variables.a' != object.variables.b && variables.c == 1", "bool")

    assert program.variables == {"c"}


def test_what_is_no_expression_fails_when_it_is_evaluated(env: Environment) -> None:
    found = evaluation(env).evaluate(compile_program(env, "1 +", "bool"))

    assert isinstance(found, Fault)
    assert "compilation failed" in found.why


def test_values_come_as_plain_json(env: Environment) -> None:
    found = evaluation(env).evaluate(compile_program(env, "[object.items, {'a': [object.metadata]}]", "any"))

    assert found == [[1, {"b": None}], {"a": [{"name": "a"}]}]
    assert isinstance(found, list)
    assert type(found[0]) is list
