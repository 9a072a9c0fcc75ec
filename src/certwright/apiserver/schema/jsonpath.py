"""The part of Kubernetes' JSONPath that printer columns and selectable fields use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from certwright.apiserver.schema.node import same
from certwright.kube.wire.json import JSON

Step = Callable[[JSON], Iterable[JSON]]

_NAME = re.compile(r"\.?((?:\\.|[^.\[\]\\])+)")
_QUOTED = re.compile(r"\[\s*(['\"])((?:\\.|(?!\1).)*)\1\s*\]")
_INDEX = re.compile(r"\[\s*(-?\d+)\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(-?\d*)\s*)?\]")
_FILTER = re.compile(r"\[\?\(\s*(.+?)\s*\)\]")
_COMPARISON = re.compile(r"@(?P<path>[^=!<>]*?)\s*(?:(?P<operator>==|!=|>=|<=|>|<)\s*(?P<value>.+))?")


class JsonPath:
    """A compiled path; ValueError where it is not of the supported subset."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._steps = _compile(path.strip().removeprefix("{").removesuffix("}").removeprefix("$"))

    def find(self, value: JSON) -> list[JSON]:
        """All values at the path; missing keys are no error."""
        found: list[JSON] = [value]
        for step in self._steps:
            found = [each for item in found for each in step(item)]
        return found


def _compile(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    rest = path
    while rest:
        step, length = _next_step(rest)
        steps.append(step)
        rest = rest[length:]
    return tuple(steps)


def _next_step(rest: str) -> tuple[Step, int]:
    for prefix in ("[*]", ".*"):
        if rest.startswith(prefix):
            return _all, len(prefix)
    if rest.startswith(".."):
        raise ValueError(f"The JSONPath {rest!r} descends with '..', which columns cannot do; name each step.")
    if found := _FILTER.match(rest):
        return _filter(found.group(1)), found.end()
    if found := _QUOTED.match(rest):
        return _field(re.sub(r"\\(.)", r"\1", found.group(2))), found.end()
    if found := _INDEX.match(rest):
        return _index(int(found.group(1))), found.end()
    if found := _SLICE.match(rest):
        parts = [int(part) if part else None for part in found.groups()]
        return _slice(slice(*parts)), found.end()
    if found := _NAME.match(rest):
        return _field(re.sub(r"\\(.)", r"\1", found.group(1))), found.end()
    raise ValueError(
        f"The JSONPath cannot be read at {rest!r}; write steps as .name, [0], [*] or [?(@.name=='value')]."
    )


def _all(value: JSON) -> Iterable[JSON]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _field(name: str) -> Step:
    def step(value: JSON) -> Iterable[JSON]:
        return [value[name]] if isinstance(value, dict) and name in value else []

    return step


def _index(index: int) -> Step:
    def step(value: JSON) -> Iterable[JSON]:
        return [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []

    return step


def _slice(span: slice) -> Step:
    def step(value: JSON) -> Iterable[JSON]:
        return value[span] if isinstance(value, list) else []

    return step


def _filter(condition: str) -> Step:
    found = _COMPARISON.fullmatch(condition)
    if found is None:
        raise ValueError(f"The filter {condition!r} of a JSONPath cannot be read; write @.name=='value'.")
    left, operator, right = _compile(found["path"]), found["operator"], found["value"]
    wanted = _literal(right) if right else None

    def holds(item: JSON) -> bool:
        values: list[JSON] = [item]
        for step in left:
            values = [each for value in values for each in step(value)]
        if not operator:
            return bool(values)
        return any(_compare(value, operator, wanted) for value in values)

    def step(value: JSON) -> Iterable[JSON]:
        return [item for item in _all(value) if holds(item)]

    return step


def _literal(text: str) -> JSON:
    if text[:1] in {"'", '"'} and text[-1:] == text[0]:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if text in {"true", "false"}:
        return text == "true"
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise ValueError(f"The value {text!r} in a filter of a JSONPath is no text in quotes and no number.") from None


def _compare(left: JSON, operator: str, right: JSON) -> bool:
    if operator in {"==", "!="}:
        return same(left, right) == (operator == "==")
    if isinstance(left, str) and isinstance(right, str):
        return _ordered((left > right) - (left < right), operator)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return _ordered((left > right) - (left < right), operator)
    return False


def _ordered(sign: int, operator: str) -> bool:
    return {">": sign > 0, "<": sign < 0, ">=": sign >= 0, "<=": sign <= 0}[operator]
