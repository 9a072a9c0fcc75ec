"""Validation of values, compiled from a schema into closures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from certwright.apiserver.schema.causes import (
    NOWHERE,
    Cause,
    invalid,
    not_supported,
    required,
    too_many,
    type_invalid,
)
from certwright.apiserver.schema.formats import format_check
from certwright.apiserver.schema.node import Node, as_list, as_object, as_text, parse_node, same
from certwright.apiserver.schema.scalars import Check, number_checks, string_checks
from certwright.kube.wire.json import JSON, JSONObject

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
# The names that the API server has for the types of JSON values, and for their formats.
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
_NUMBER_FORMATS = frozenset({"int32", "int64", "float", "double"})
_JSON_FORMATS = {int: "int64", float: "float64"}


class _Compiled(NamedTuple):
    """A check by type: values of `kind` need only `direct` (nothing where it is None), all others `general`."""

    kind: type | None
    direct: Check | None
    general: Check


def compile_check(node: Node) -> Check | None:
    """A check that appends the causes of every fault to its list; None where every value passes."""
    compiled = _compile(node)
    return compiled.general if compiled else None


def _compile(node: Node) -> _Compiled | None:
    accepted = frozenset(python for name in node.types for python in _PYTHON_TYPES.get(name, ()))
    steps = _steps(node)
    enum = _enum_check(node)
    if not accepted and not any(steps.values()):
        return None
    refuse = _type_refusal(node, accepted)

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        kind = type(value)
        if accepted and kind not in accepted:
            refuse(value, path, found)
        if value is None:
            if enum is not None:
                enum(value, path, found)
            return
        for step in steps[kind]:
            step(value, path, found)

    return _by_kind(accepted, steps, check)


def _by_kind(accepted: frozenset[type], steps: dict[type, list[Check]], general: Check) -> _Compiled:
    if len(accepted) != 1:
        return _Compiled(None, None, general)
    (kind,) = accepted
    if len(steps[kind]) > 1:
        return _Compiled(kind, general, general)
    return _Compiled(kind, steps[kind][0] if steps[kind] else None, general)


def _steps(node: Node) -> dict[type, list[Check]]:
    """The checks for each type of value, in the order in which the API server reports."""
    combined = [step for step in (_combinations(node),) if step is not None]
    enum = [step for step in (_enum_check(node),) if step is not None]
    numbers = number_checks(node.raw, node.types)
    texts = string_checks(node.raw, typed=node.drops_null)
    lists = [step for step in (_items_check(node), _count_check(node.raw, "Items")) if step is not None]
    maps = [step for step in (_count_check(node.raw, "Properties"), _properties_check(node)) if step is not None]
    return {
        str: combined + texts + enum,
        int: combined + numbers + enum,
        float: combined + numbers + enum,
        bool: combined + enum,
        list: combined + lists + enum,
        dict: combined + enum + maps,
    }


def _type_refusal(node: Node, accepted: frozenset[type]) -> Check:
    """What is said of a value of the wrong type; whole floats pass as integers, and null where it is allowed."""
    wanted = ",".join(node.types)
    format_name = as_text(node.raw.get("format"))
    if format_check(format_name) is None and format_name not in _NUMBER_FORMATS:
        format_name = ""
    takes_numbers = int in accepted

    def refuse(value: JSON, path: str, found: list[Cause]) -> None:
        if value is None:
            if not node.nullable:
                found.append(type_invalid(path, "null", f'{path} in body must be of type {wanted}: "null"'))
            return
        if takes_numbers and isinstance(value, float) and value.is_integer():
            return
        name, shown = _JSON_TYPES[type(value)], wanted
        if format_name and not isinstance(value, (str, list)):
            name, shown = _JSON_FORMATS.get(type(value), ""), format_name
        found.append(type_invalid(path, name, f'{path} in body must be of type {shown}: "{name}"'))

    return refuse


def _enum_check(node: Node) -> Check | None:
    allowed = as_list(node.raw.get("enum"))
    if not allowed:
        return None
    texts = frozenset(value for value in allowed if isinstance(value, str))

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        if isinstance(value, str) and value in texts:
            return
        if not any(same(value, each) for each in allowed):
            found.append(not_supported(path, value, allowed))

    return check


def _items_check(node: Node) -> Check | None:
    compiled = _compile(node.items) if node.items else None
    if compiled is None:
        return None
    kind, direct, general = compiled

    def items(value: JSON, path: str, found: list[Cause]) -> None:
        for index, item in enumerate(value if type(value) is list else []):
            if type(item) is not kind:
                general(item, f"{path}[{index}]", found)
            elif direct is not None:
                direct(item, f"{path}[{index}]", found)

    return items


def _count_check(raw: JSONObject, what: str) -> Check | None:
    least, most = raw.get(f"min{what}"), raw.get(f"max{what}")
    unique = what == "Items" and raw.get("uniqueItems") is True
    if not isinstance(least, int) and not isinstance(most, int) and not unique:
        return None

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        count = len(value) if isinstance(value, (list, dict)) else 0
        if isinstance(least, int) and count < least:
            found.append(invalid(path, count, f"{path} in body should have at least {least} {what.lower()}"))
        if isinstance(most, int) and count > most:
            found.append(too_many(path, count, most))
        if unique and isinstance(value, list) and _has_twins(value):
            found.append(invalid(path, "", f"{path} in body shouldn't contain duplicates"))

    return check


def _has_twins(items: Sequence[JSON]) -> bool:
    return any(same(item, other) for index, item in enumerate(items) for other in items[:index])


def _properties_check(node: Node) -> Check | None:
    compiled = {name: _compile(child) for name, child in node.properties.items()}
    checked = {name: check for name, check in compiled.items() if check is not None}
    needed = frozenset(as_text(name) for name in as_list(node.raw.get("required")))
    ordered = [as_text(name) for name in as_list(node.raw.get("required"))]
    other = _compile(node.additional) if node.additional else None
    if not checked and not needed and other is None:
        return None

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        fields = value if type(value) is dict else {}
        prefix = f"{path}." if path else ""
        for name, item in fields.items():
            if name in checked:
                kind, direct, general = checked[name]
            elif other is not None and name not in compiled:
                kind, direct, general = other
            else:
                continue
            if type(item) is not kind:
                general(item, prefix + name, found)
            elif direct is not None:
                direct(item, prefix + name, found)
        if not needed <= fields.keys():
            found.extend(required(prefix + name) for name in ordered if name not in fields)

    return check


def _combinations(node: Node) -> Check | None:
    """allOf, anyOf, oneOf and not, whose faults the API server reports for no field."""
    raw = node.raw
    parts = {
        word: [compile_check(parse_node(as_object(each))) for each in as_list(raw.get(word))]
        for word in ("anyOf", "oneOf", "allOf")
    }
    negated = raw.get("not")
    forbidden = [compile_check(parse_node(negated))] if isinstance(negated, dict) else []
    if not any(parts.values()) and not forbidden:
        return None

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        _any_of(_outcomes(parts["anyOf"], value, path), path, found)
        _one_of(_outcomes(parts["oneOf"], value, path), path, found)
        _all_of(_outcomes(parts["allOf"], value, path), path, found)
        if any(not outcome for outcome in _outcomes(forbidden, value, path)):
            found.append(invalid(NOWHERE, "", f'"{path}" must not validate the schema (not)'))

    return check


def _outcomes(checks: list[Check | None], value: JSON, path: str) -> list[list[Cause]]:
    outcomes: list[list[Cause]] = []
    for check in checks:
        found: list[Cause] = []
        if check is not None:
            check(value, path, found)
        outcomes.append(found)
    return outcomes


def _any_of(outcomes: list[list[Cause]], path: str, found: list[Cause]) -> None:
    if outcomes and all(outcomes):
        found.append(invalid(NOWHERE, "", f'"{path}" must validate at least one schema (anyOf)'))
        found.extend(outcomes[0])


def _one_of(outcomes: list[list[Cause]], path: str, found: list[Cause]) -> None:
    valid = sum(not outcome for outcome in outcomes)
    if not outcomes or valid == 1:
        return
    counted = f"Found {valid} valid alternatives" if valid else "Found none valid"
    found.append(invalid(NOWHERE, "", f'"{path}" must validate one and only one schema (oneOf). {counted}'))
    if not valid:
        found.extend(outcomes[0])


def _all_of(outcomes: list[list[Cause]], path: str, found: list[Cause]) -> None:
    if not any(outcomes):
        return
    for outcome in outcomes:
        found.extend(outcome)
    none_valid = ". None validated" if all(outcomes) else ""
    found.append(invalid(NOWHERE, "", f'"{path}" must validate all the schemas (allOf){none_valid}'))
