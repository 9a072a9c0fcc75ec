"""Evaluates CEL rules as the API server does: transition rules only where there is an old value."""

from __future__ import annotations

from functools import cache

from cel_expr_python import cel
from msgspec import Struct

from certwright.api import cel_acme, cel_certificates, cel_issuers
from certwright.api.meta import JSON

RULES = {**cel_certificates.RULES, **cel_issuers.RULES, **cel_acme.RULES}


def complaints(kind: type[Struct], new: JSON, old: JSON = None) -> list[str]:
    """Messages of the rules that do not hold; evaluation errors count as not holding, as on the API server."""
    rules = [rule for rule in RULES[kind] if old is not None or "oldSelf" not in rule.rule]
    return [rule.message for rule in rules if not holds(rule.rule, new, old)]


def holds(rule: str, new: JSON, old: JSON) -> bool:
    answer: object = _compiled(rule).eval(data={"self": new, "oldSelf": old}).value()
    return answer is True


@cache
def _compiled(rule: str) -> cel.Expression:
    env = cel.NewEnv(variables={"self": cel.Type.DYN, "oldSelf": cel.Type.DYN})
    return env.compile(rule)
