"""Compiled expressions: nothing else knows how the library compiles and evaluates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal

from cel_expr_python import cel
from msgspec import Struct

from certwright.apiserver.schema.cel_declare import Signatures
from certwright.apiserver.schema.cel_library import extensions

Answer = Literal["bool", "string", "any"]
# What variables hold; `dyn` is known only when a rule runs.
_SCALARS = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bytes": cel.Type.BYTES,
    "duration": cel.Type.DURATION,
    "timestamp": cel.Type.TIMESTAMP,
}
COSTLY = "call cost exceeds limit"
# The library's words for a fault, and those of the API server.
_WORDS = (
    (re.compile(r'^NOT_FOUND: Key not found in map : "?(.*?)"?$', re.DOTALL), r"no such key: \1"),
    (re.compile(r"^INVALID_ARGUMENT: divide by zero$"), "division by zero"),
    (re.compile(r"^INVALID_ARGUMENT: modulus by zero$"), "modulus by zero"),
    (re.compile(r"^UNKNOWN: Index error: index=(-?\d+) size=\d+$"), r"index out of bounds: \1"),
    (re.compile(r"^UNKNOWN: No matching overloads found.*$", re.DOTALL), "no such overload"),
    (re.compile(r"^INTERNAL: Iteration budget exceeded.*$", re.DOTALL), COSTLY),
    (re.compile(r"^[A-Z_]+: (.*)$", re.DOTALL), r"\1"),
)


class Fault(Struct, frozen=True):
    """An evaluation that ended in an error; `why` in the API server's words."""

    why: str


class CompileError(ValueError):
    """An expression that is none, or of the wrong type."""


class Expression(Struct, frozen=True):
    """A compiled expression."""

    compiled: Any

    def evaluate(self, activation: Any) -> object:
        """The value, or a Fault."""
        try:
            found = self.compiled.eval(activation)
        except RuntimeError as error:
            return Fault(_in_words(str(error)))
        value = found.plain_value()
        return Fault(_in_words(str(value))) if found.type() == cel.Type.ERROR else value


class Environment:
    """Compiles expressions over variables by their types, which may call the functions of `more` too."""

    def __init__(self, variables: Mapping[str, Any], more: Signatures | None = None) -> None:
        own = [more.extension("more")] if more is not None else []
        self._env = cel.NewEnv(variables=dict(variables), extensions=[*extensions(), *own])

    def compile(self, text: str, answer: Answer, *, is_strict: bool = False) -> Expression:
        """The expression; raises CompileError, strictly also where the type of its answer is not known before."""
        try:
            compiled = self._env.compile(text)
        except RuntimeError as error:
            said = str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")
            raise CompileError(f"compilation failed: {said}") from error
        wanted = {"bool": cel.Type.BOOL, "string": cel.Type.STRING}.get(answer)
        found = compiled.return_type()
        if is_strict and wanted is not None and found != wanted:
            raise CompileError(f"must evaluate to {answer} but got {str(found).lower()}")
        if wanted is not None and found not in (wanted, cel.Type.DYN):
            raise CompileError(f"must evaluate to a {answer}")
        return Expression(compiled)

    def activation(self, values: Mapping[str, object]) -> Any:
        """The variables of one evaluation, or of many on the same values."""
        return self._env.Activation(values)


def rule_environment(kind: str, fields: Mapping[str, str] | None = None) -> Environment:
    """For rules over `self` and `oldSelf` of one type: `string`, `list<int>`, `map<string>`, `dyn`.

    With the types of fields below (`spec.size`: `int`) it finds faults of types, and is good for nothing else.
    """
    held = _type(kind)
    variables = {"self": held, "oldSelf": held, "hasOld": cel.Type.BOOL}
    # A name with dots is a variable of its own to the checker; at run time the value of `self` has the field.
    for path, field_kind in (fields or {}).items():
        variables |= {f"self.{path}": _type(field_kind), f"oldSelf.{path}": _type(field_kind)}
    return Environment(variables)


def open_environment(names: Iterable[str], more: Signatures) -> Environment:
    """For expressions over variables of any type."""
    return Environment(dict.fromkeys(names, cel.Type.DYN), more)


@lru_cache(maxsize=64)
def environment(kind: str) -> Environment:
    """The one environment for variables of a type."""
    return rule_environment(kind)


def _type(kind: str) -> Any:
    if kind.startswith("list<"):
        return cel.Type.List(_type(kind[5:-1]))
    if kind.startswith("map<"):
        return cel.Type.Map(cel.Type.STRING, _type(kind[4:-1]))
    return _SCALARS.get(kind, cel.Type.DYN)


def _in_words(said: str) -> str:
    said = re.sub(r" \[[A-Z_]+\]$", "", said)
    for pattern, words in _WORDS:
        if pattern.match(said):
            return pattern.sub(words, said)
    return said
