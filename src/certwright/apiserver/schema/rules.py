"""Evaluation of `x-kubernetes-validations`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec
from msgspec import Struct, field

from certwright.apiserver.schema.causes import NOWHERE, Cause, duplicate, forbidden, invalid, required
from certwright.apiserver.schema.cel_expressions import (
    COSTLY,
    CompileError,
    Environment,
    Expression,
    Fault,
    environment,
)
from certwright.apiserver.schema.cel_values import compile_top, kind_of
from certwright.apiserver.schema.node import Node, Rule, list_key, same
from certwright.kube.wire.json import JSON, JSONObject

# So many values of a part are remembered, 16 bytes each.
_REMEMBERED = 20_000
_LONGEST_MESSAGE = 5 * 1024
_TEXT = re.compile(r"""[rR]?(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.DOTALL)
_OLD_SELF = re.compile(r"(?<![\w.])oldSelf\b")


class Report(Struct):
    """What the rules say of an object; warnings are of faults that stood there before."""

    causes: list[Cause] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Absent:
    """The mark of an old value that is not there."""


ABSENT = Absent()
Old: TypeAlias = "JSON | Absent"
Check: TypeAlias = "Callable[[JSON, Old, str, Report], None]"


class RuleSet:
    """All rules of a schema; CompileError where one of them is none."""

    def __init__(self, root: Node) -> None:
        self._check = _compile(root, _remembering)
        self.is_empty = self._check is None

    def validate(self, obj: JSONObject, old: JSONObject | None) -> Report:
        """The broken rules."""
        report = Report()
        if self._check is not None:
            self._check(obj, ABSENT if old is None else old, "", report)
        return report


def without_texts(expression: str) -> str:
    """An expression with blanks for its literals of text, at the same places."""
    return _TEXT.sub(lambda found: " " * len(found.group()), expression)


def uses_old(rule: str) -> bool:
    """Whether a rule compares with the old value."""
    return _OLD_SELF.search(without_texts(rule)) is not None


class CompiledRule(Struct, frozen=True):
    """A rule with its expressions."""

    rule: Rule
    holds: Expression
    message: Expression | None
    needs_old: bool
    is_transition: bool


def compile_rule(env: Environment, rule: Rule) -> CompiledRule:
    """The rule, compiled; raises CompileError."""
    is_transition = uses_old(rule.rule)
    message = None
    if rule.message_expression:
        message = env.compile(_with_old(rule, rule.message_expression), "string")
    holds = env.compile(_with_old(rule, rule.rule) if is_transition else rule.rule, "bool")
    return CompiledRule(rule, holds, message, is_transition and not rule.optional_old_self, is_transition)


def _with_old(rule: Rule, expression: str) -> str:
    if not rule.optional_old_self:
        return expression
    return f"cel.bind(oldSelf, hasOld ? optional.of(oldSelf) : optional.none(), ({expression}))"


def _remembering(node: Node) -> Check | None:
    """The check of a part of the root, which is not made again of what it found right and nobody has changed since.

    What all rules say of an unchanged value depends on the value alone, so that a write of status leaves spec alone.
    """
    check = _compile(node)
    if check is None:
        return None
    right: dict[bytes, None] = {}

    def remembering(value: JSON, old: Old, path: str, report: Report) -> None:
        if isinstance(old, Absent) or not same(value, old):
            check(value, old, path, report)
            return
        digest = hashlib.blake2b(msgspec.json.encode(value), digest_size=16).digest()
        if digest in right:
            return
        found = Report()
        check(value, old, path, found)
        report.causes += found.causes
        report.warnings += found.warnings
        if not found.causes and not found.warnings:
            right[digest] = None
            if len(right) > _REMEMBERED:
                del right[next(iter(right))]

    return remembering


def _compile(node: Node, compile_child: Callable[[Node], Check | None] | None = None) -> Check | None:
    parts = (_own(node), _below_fields(node, compile_child or _compile), _below_items(node))
    checks = [check for check in parts if check is not None]
    if not checks:
        return None
    if len(checks) == 1:
        return checks[0]

    def check(value: JSON, old: Old, path: str, report: Report) -> None:
        for each in checks:
            each(value, old, path, report)

    return check


def _own(node: Node) -> Check | None:
    if not node.rules:
        return None
    env, convert = environment(kind_of(node)), compile_top(node)
    rules = [compile_rule(env, rule) for rule in node.rules]
    has_transitions = any(rule.is_transition for rule in rules)

    def check(value: JSON, old: Old, path: str, report: Report) -> None:
        if value is None:
            return
        has_old = not isinstance(old, Absent) and old is not None
        is_unchanged = has_old and same(value, old)  # type: ignore[arg-type] # narrowed by has_old
        before = _aligned(node, value, old) if has_transitions and has_old else value  # type: ignore[arg-type] # as above
        held = convert(value)
        was = held if before is value else convert(before)
        activation = env.activation({"self": held, "oldSelf": was, "hasOld": has_old})
        for rule in rules:
            if rule.needs_old and not has_old:
                continue
            answer = rule.holds.evaluate(activation)
            if answer is True:
                continue
            cause = _cause(rule, answer, (node, value, path), activation)
            if is_unchanged and not rule.is_transition:
                report.warnings.append(f"{cause.field}: {cause.message}")
            else:
                report.causes.append(cause)

    return check


def _below_fields(node: Node, compile_child: Callable[[Node], Check | None]) -> Check | None:
    inner = {name: compile_child(child) for name, child in node.properties.items()}
    known = {name: check for name, check in inner.items() if check is not None}
    other = _compile(node.additional) if node.additional else None
    if not known and other is None:
        return None

    def check(value: JSON, old: Old, path: str, report: Report) -> None:
        if not isinstance(value, dict):
            return
        before = old if isinstance(old, dict) else {}
        prefix = f"{path}." if path else ""
        for name, below in known.items():
            if name in value:
                below(value[name], before.get(name, ABSENT), prefix + name, report)
        if other is not None:
            for name, item in value.items():
                other(item, before.get(name, ABSENT), f"{path}[{name}]", report)

    return check


def _below_items(node: Node) -> Check | None:
    inner = _compile(node.items) if node.items else None
    if inner is None:
        return None

    def check(value: JSON, old: Old, path: str, report: Report) -> None:
        if not isinstance(value, list):
            return
        before = dict(_by_key(node, old))
        for index, item in enumerate(value):
            inner(item, before.get(_key(node, item), ABSENT), f"{path}[{index}]", report)

    return check


def _key(node: Node, item: JSON) -> str:
    return repr(list_key(node, item))


def _by_key(node: Node, items: Old) -> Iterator[tuple[str, Old]]:
    """The items of a list whose items have keys; those of others have no past."""
    if node.list_type == "map" and isinstance(items, list):
        for item in items:
            yield _key(node, item), item


def _aligned(node: Node | None, value: JSON, old: JSON) -> JSON:
    """The old value with its sets and keyed lists in the order of the new: to rules that order is no difference."""
    if node is None or same(value, old):
        return old
    if isinstance(value, dict) and isinstance(old, dict):
        return {
            name: _aligned(node.properties.get(name) or node.additional, value.get(name), item)
            for name, item in old.items()
        }
    if isinstance(value, list) and isinstance(old, list) and node.list_type in {"set", "map"}:
        return _reordered(node, value, old)
    return old


def _reordered(node: Node, value: list[JSON], old: list[JSON]) -> JSON:
    def key(item: JSON) -> str:
        return _key(node, item) if node.list_type == "map" else repr(item)

    present = {key(item): item for item in value}
    order = {name: place for place, name in enumerate(present)}
    ordered = sorted(old, key=lambda item: order.get(key(item), len(order)))
    return [_aligned(node.items, present[key(item)], item) if key(item) in present else item for item in ordered]


def _cause(rule: CompiledRule, answer: object, where: tuple[Node, JSON, str], activation: object) -> Cause:
    node, value, path = where
    if isinstance(answer, Fault):
        return _fault_cause(rule.rule, answer, node, path or NOWHERE)
    message = _message(rule, activation)
    place = (path + rule.rule.field_path).removeprefix(".") or NOWHERE
    is_whole = isinstance(value, (dict, list))
    match rule.rule.reason:
        case "FieldValueRequired":
            return required(place, message)
        case "FieldValueForbidden":
            return forbidden(place, message)
        case "FieldValueDuplicate":
            return Cause("FieldValueDuplicate", "Duplicate value", place) if is_whole else duplicate(place, value)
        case _ if is_whole:
            return Cause("FieldValueInvalid", f"Invalid value: {message}", place)
        case _:
            return invalid(place, value, message)


def _fault_cause(rule: Rule, fault: Fault, node: Node, path: str) -> Cause:
    kind, written = node.types[0] if len(node.types) == 1 else "", rule.rule.strip()
    if fault.why == COSTLY:
        return invalid(path, kind, f"{COSTLY} for rule: {written}")
    return invalid(path, kind, f"{fault.why} evaluating rule: {rule.message or written}")


def _message(rule: CompiledRule, activation: object) -> str:
    if rule.message is not None:
        found = rule.message.evaluate(activation)
        if isinstance(found, str):
            text = found.strip()
            if text and "\n" not in text and len(text) <= _LONGEST_MESSAGE:
                return text
    return rule.rule.message.strip() or f"failed rule: {rule.rule.rule.strip()}"


__all__ = ["CompileError", "CompiledRule", "Report", "RuleSet", "compile_rule", "uses_old", "without_texts"]
