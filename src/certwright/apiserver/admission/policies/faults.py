"""What is wrong with the expressions of a policy that is to be stored."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from certwright.apiserver import objects
from certwright.apiserver.admission.policies.authorizer import Authorizer
from certwright.apiserver.admission.policies.programs import VARIABLES, compile_program
from certwright.apiserver.auth.rights import AllRights
from certwright.apiserver.schema.causes import Cause, invalid
from certwright.apiserver.schema.cel_expressions import Answer, Environment, Fault, open_environment
from certwright.kube.wire.json import JSONObject


@lru_cache(maxsize=2)
def _environment(*, is_message: bool) -> Environment:
    """Messages may not ask for permissions, except through a variable."""
    names = [name for name in VARIABLES if not (is_message and name == "authorizer")]
    return open_environment(names, Authorizer(AllRights()).functions())


def expression_faults(spec: JSONObject) -> Iterator[Cause]:
    """Expressions that are none, give something of another type, or name a variable that is not there yet."""
    known: set[str] = set()
    for index, entry in enumerate(objects.children(spec, "variables")):
        yield from _faults(entry, "expression", f"spec.variables[{index}]", "any", known)
        known.add(objects.text(entry, "name"))
    for index, entry in enumerate(objects.children(spec, "matchConditions")):
        yield from _faults(entry, "expression", f"spec.matchConditions[{index}]", "bool", set())
    for index, entry in enumerate(objects.children(spec, "validations")):
        yield from _faults(entry, "expression", f"spec.validations[{index}]", "bool", known)
        yield from _faults(entry, "messageExpression", f"spec.validations[{index}]", "string", known)
    for index, entry in enumerate(objects.children(spec, "mutations")):
        for name in ("applyConfiguration", "jsonPatch"):
            path = f"spec.mutations[{index}].{name}"
            yield from _faults(objects.child(entry, name), "expression", path, "any", known)


def _faults(entry: JSONObject, name: str, path: str, answer: Answer, known: set[str]) -> Iterator[Cause]:
    text = objects.text(entry, name)
    if not text.strip():
        return
    program = compile_program(_environment(is_message=name == "messageExpression"), text, answer)
    if isinstance(program.expression, Fault):
        yield invalid(f"{path}.{name}", text, program.expression.why)
    for missing in sorted(program.variables - known):
        yield invalid(f"{path}.{name}", text, f"compilation failed: undefined field '{missing}'")
