"""Which rules a CustomResourceDefinition may have, with the API server's texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from certwright.apiserver.schema.causes import Cause, invalid, not_supported, required
from certwright.apiserver.schema.cel_expressions import CompileError, Environment, rule_environment
from certwright.apiserver.schema.cel_values import escaped, field_kinds, kind_of
from certwright.apiserver.schema.node import Node, Rule, parse_node
from certwright.apiserver.schema.rules import compile_rule, uses_old, without_texts
from certwright.kube.wire.json import JSONObject

_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_CHAIN = re.compile(r"(?<![\w.])(?:self|oldSelf)((?:\.[A-Za-z_]\w*)+)(\s*\()?")
_PRESENCE = re.compile(r"\bhas\(\s*[\w.]+\s*\)")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\['((?:[^'\\]|\\.)+)'\]")
_TEXT = parse_node({"type": "string"})
_META = parse_node({"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}})
_TYPE_AND_META = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _META}


def rule_faults(root: Node, path: str) -> Iterator[Cause]:
    """What the API server would refuse in the rules of a schema that stands at `path`."""
    yield from _node_faults(root, path, "", is_root=True)


def _node_faults(node: Node, path: str, uncorrelated: str, *, is_root: bool = False) -> Iterator[Cause]:
    checked = _Checked(node, rule_environment(kind_of(node), field_kinds(node)), is_root) if node.rules else None
    for index, rule in enumerate(node.rules):
        assert checked is not None
        yield from _rule_faults(checked, rule, f"{path}.x-kubernetes-validations[{index}]", uncorrelated)
    for name, child in node.properties.items():
        yield from _node_faults(child, f"{path}.properties[{name}]", uncorrelated)
    if node.additional:
        yield from _node_faults(node.additional, f"{path}.additionalProperties", uncorrelated)
    if node.items:
        lost = uncorrelated or ("" if node.list_type == "map" else path)
        yield from _node_faults(node.items, f"{path}.items", lost)


class _Checked(NamedTuple):
    """A node with the types of what its rules name."""

    node: Node
    env: Environment
    is_root: bool


def _rule_faults(checked: _Checked, rule: Rule, path: str, uncorrelated: str) -> Iterator[Cause]:
    yield from _text_faults(rule, path)
    if rule.reason and rule.reason not in _REASONS:
        yield not_supported(f"{path}.reason", rule.reason, _REASONS)
    if rule.field_path and not _is_path(checked.node, rule.field_path):
        yield invalid(f"{path}.fieldPath", rule.field_path, "must be a valid path")
    if not rule.rule.strip():
        yield required(f"{path}.rule", "rule is not specified")
        return
    if rule.optional_old_self and not uses_old(rule.rule):
        yield invalid(f"{path}.optionalOldSelf", True, "may not be set if oldSelf is not used in rule")
    if "\n" not in rule.rule.strip() or rule.message:
        yield from _expression_faults(checked, rule, path)
    if uncorrelated and uses_old(rule.rule):
        text = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {uncorrelated}"
        yield invalid(f"{path}.rule", rule.rule, text)


def _text_faults(rule: Rule, path: str) -> Iterator[Cause]:
    if rule.message and not rule.message.strip():
        yield invalid(f"{path}.message", rule.message, "must be non-empty if specified")
    elif "\n" in rule.message.strip():
        yield invalid(f"{path}.message", rule.message, "must not contain line breaks")
    elif "\n" in rule.rule.strip() and not rule.message:
        yield required(f"{path}.message", "message must be specified if rule contains line breaks")
    if rule.message_expression and not rule.message_expression.strip():
        yield required(f"{path}.messageExpression", "messageExpression must be non-empty if specified")


def _expression_faults(checked: _Checked, rule: Rule, path: str) -> Iterator[Cause]:
    bare = msgspec.structs.replace(rule, message_expression="")
    fault = _undefined(checked, rule.rule) or _fault_of(checked.env, bare)
    if fault:
        fault = fault.replace("must evaluate to a bool", "cel expression must evaluate to a bool")
        yield _whole(f"{path}.rule", rule, fault)
    if rule.message_expression.strip():
        bare = msgspec.structs.replace(rule, rule="true || oldSelf == oldSelf" if uses_old(rule.rule) else "true")
        fault = _undefined(checked, rule.message_expression) or _fault_of(checked.env, bare)
        if fault:
            yield _whole(f"{path}.messageExpression", rule, f"messageExpression {fault}")


def _fault_of(env: Environment, rule: Rule) -> str:
    texts = {name: _without_presence(getattr(rule, name)) for name in ("rule", "message_expression")}
    try:
        compile_rule(env, msgspec.structs.replace(rule, **texts))
    except CompileError as error:
        return str(error)
    return ""


def _without_presence(expression: str) -> str:
    """An expression with `true` for each `has(…)`, at the same places: variables whose names have dots know no has."""
    masked = without_texts(expression)
    for found in _PRESENCE.finditer(masked):
        start, end = found.span()
        expression = expression[:start] + "true".ljust(end - start) + expression[end:]
    return expression


def _whole(path: str, rule: Rule, fault: str) -> Cause:
    """A fault of an expression, with the entry as Go shows it."""
    shown: JSONObject = {
        "Rule": rule.rule,
        "Message": rule.message,
        "MessageExpression": rule.message_expression,
        "Reason": rule.reason or None,
        "FieldPath": rule.field_path,
        "OptionalOldSelf": True if rule.optional_old_self else None,
    }
    entry = msgspec.json.encode(shown).decode()
    for character in "<>&":
        entry = entry.replace(character, f"\\u{ord(character):04x}")
    return Cause("FieldValueInvalid", f"Invalid value: {entry}: {fault}", path)


def _undefined(checked: _Checked, expression: str) -> str:
    """The API server's words for a field that no schema declares; '' where all are known, or none can be."""
    for found in _CHAIN.finditer(without_texts(expression)):
        names = found.group(1).split(".")[1:]
        if found.group(2):
            names.pop()
        unknown = _unknown_step(_with_type_and_meta(checked.node) if checked.is_root else checked.node, names)
        if unknown is not None:
            place = found.start(1) + sum(len(name) + 1 for name in names[:unknown])
            return _undefined_text(expression, place, names[unknown])
    return ""


def _unknown_step(node: Node, names: list[str]) -> int | None:
    """Which of the names a schema does not declare where it stands."""
    here = node
    for depth, name in enumerate(names):
        if not _is_closed(here):
            return None
        following = {escaped(each): child for each, child in here.properties.items()}.get(name)
        if following is None:
            return depth
        here = _with_type_and_meta(following) if following.embedded else following
    return None


def _with_type_and_meta(node: Node) -> Node:
    """A node that stands for a whole object: of its metadata rules see the names only."""
    return msgspec.structs.replace(node, properties={**node.properties, **_TYPE_AND_META})


def _is_closed(node: Node) -> bool:
    return node.types == ("object",) and node.additional is None and not node.additional_open


def _undefined_text(expression: str, place: int, name: str) -> str:
    line = expression.count("\n", 0, place)
    start = expression.rfind("\n", 0, place) + 1
    shown = expression.splitlines()[line]
    dots = "." * (place - start)
    return (
        f"compilation failed: ERROR: <input>:{line + 1}:{place - start + 1}: undefined field '{name}'\n"
        f" | {shown}\n | {dots}^"
    )


def _is_path(node: Node, path: str) -> bool:
    here, at = node, 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            return False
        name = found.group(1) or found.group(2)
        following = here.properties.get(name) or (here.additional if found.group(2) else None)
        if following is None:
            return False
        here, at = following, found.end()
    return True
