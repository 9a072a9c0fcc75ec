"""The expressions of a policy, compiled, and their evaluation over one write."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from certwright.apiserver.admission.policies.literals import objects_as_maps
from certwright.apiserver.schema.cel_expressions import Answer, CompileError, Environment, Expression, Fault
from certwright.apiserver.schema.rules import without_texts

VARIABLES = ("object", "oldObject", "request", "params", "namespaceObject", "authorizer", "variables")
_USED = re.compile(r"(?<![\w.])variables\.(\w+)")
_MISSING = re.compile(r"no such key: (\w+)")


class Program(Struct, frozen=True):
    """One expression; `expression` is a fault where it is none."""

    text: str
    expression: Expression | Fault
    variables: frozenset[str]
    """Those that it names."""


def compile_program(env: Environment, text: str, answer: Answer) -> Program:
    """The expression as a policy gives it; faults come up when it is evaluated."""
    try:
        expression: Expression | Fault = env.compile(objects_as_maps(text), answer, is_strict=True)
    except CompileError as error:
        expression = Fault(str(error))
    return Program(text, expression, frozenset(_USED.findall(without_texts(text))))


class Evaluation:
    """One policy over one write; a variable is evaluated once, and only where an expression names it."""

    def __init__(self, env: Environment, named: Mapping[str, Program], values: Mapping[str, object]) -> None:
        self._env = env
        self._named = named
        self._values = values
        self._known: dict[str, object] = {}
        self._faults: dict[str, str] = {}

    def evaluate(self, program: Program) -> object:
        """The value, or a Fault."""
        if isinstance(program.expression, Fault):
            return program.expression
        for name in sorted(program.variables):
            self._know(name)
        found = program.expression.evaluate(self._env.activation({**self._values, "variables": self._known}))
        return self._explained(found) if isinstance(found, Fault) else found

    def _know(self, name: str) -> None:
        if name in self._known or name in self._faults or name not in self._named:
            return
        # A variable that names itself finds itself missing.
        self._faults[name] = f"undeclared reference to '{name}'"
        found = self.evaluate(self._named[name])
        if isinstance(found, Fault):
            self._faults[name] = found.why
        else:
            del self._faults[name]
            self._known[name] = found

    def _explained(self, fault: Fault) -> Fault:
        """A variable that could not be evaluated is missing where it is used: why is told."""
        missing = _MISSING.fullmatch(fault.why)
        why = self._faults.get(missing.group(1)) if missing else None
        if missing is None or why is None:
            return fault
        return Fault(f'composited variable "{missing.group(1)}" fails to evaluate: {why}')
