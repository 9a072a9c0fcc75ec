"""The rules of a policy over one write."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from certwright.apiserver.admission.policies.parsing import Policy, Validation
from certwright.apiserver.admission.policies.programs import Evaluation, Program
from certwright.apiserver.schema.cel_expressions import Fault

_LONGEST_MESSAGE = 5 * 1024


class Broken(Struct, frozen=True):
    """A rule that does not hold, or that cannot be told."""

    message: str
    reason: str


def concerns(policy: Policy, evaluation: Evaluation) -> bool | Fault:
    """Whether all conditions hold; one that does not hold outweighs one that cannot be told."""
    fault: Fault | None = None
    for condition in policy.conditions:
        found = evaluation.evaluate(condition)
        if found is False:
            return False
        if found is not True and fault is None:
            fault = _faulty(condition, found)
    return True if fault is None else fault


def broken_rules(policy: Policy, evaluation: Evaluation) -> Iterator[Broken]:
    """What the policy has against the write."""
    concerned = concerns(policy, evaluation)
    if isinstance(concerned, Fault):
        if not policy.ignores_faults:
            yield Broken(concerned.why, "Invalid")
        return
    for validation in policy.validations if concerned else ():
        found = evaluation.evaluate(validation.rule)
        if found is False:
            yield Broken(_message(validation, evaluation), validation.reason)
        elif found is not True and not policy.ignores_faults:
            yield Broken(_faulty(validation.rule, found).why, "Invalid")


def _faulty(program: Program, found: object) -> Fault:
    why = found.why if isinstance(found, Fault) else "the answer is neither true nor false"
    return Fault(f"expression '{program.text}' resulted in error: {why}")


def _message(validation: Validation, evaluation: Evaluation) -> str:
    if validation.message_program is not None:
        found = evaluation.evaluate(validation.message_program)
        text = found.strip() if isinstance(found, str) else ""
        if text and "\n" not in text and len(text) <= _LONGEST_MESSAGE:
            return text
    return validation.message.strip() or f"failed expression: {validation.rule.text.strip()}"
