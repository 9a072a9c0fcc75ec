"""Kubernetes' own functions: lists, sets, regular expressions, and the assembly of all that rules may call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from cel_expr_python.ext.ext_bindings import ExtBindings
from cel_expr_python.ext.ext_encoders import ExtEncoders
from cel_expr_python.ext.ext_math import ExtMath
from cel_expr_python.ext.ext_optional import ExtOptional
from cel_expr_python.ext.ext_strings import ExtStrings

from certwright.apiserver.schema import cel_formats, cel_network, cel_quantities
from certwright.apiserver.schema.cel_declare import Signatures

_LONGEST_SEARCHED = 64 * 1024


@lru_cache(maxsize=1)
def extensions() -> tuple[Any, ...]:
    """All extensions of an environment for rules."""
    found = Signatures()
    _lists(found)
    _sets(found)
    _searches(found)
    cel_network.declare(found)
    cel_quantities.declare(found)
    cel_formats.declare(found)
    return (
        ExtBindings(),
        ExtEncoders(),
        ExtMath(),
        ExtOptional(),
        ExtStrings(),
        found.extension("kubernetes"),
    )


def _lists(found: Signatures) -> None:
    found.member("isSorted(list) bool", lambda items: all(a <= b for a, b in pairwise(items)))
    found.member("sum(list) dyn", lambda items: sum(items[1:], items[0]) if items else 0)
    found.member("min(list) dyn", lambda items: min(_filled(items, "min")))
    found.member("max(list) dyn", lambda items: max(_filled(items, "max")))
    found.member("indexOf(list, any) int", lambda items, item: next(iter(_places(items, item)), -1))
    found.member("lastIndexOf(list, any) int", lambda items, item: next(reversed(_places(items, item)), -1))


def _filled(items: Sequence[Any], name: str) -> Sequence[Any]:
    if not items:
        raise ValueError(f"{name} called on empty list")
    return items


def _is_same(one: object, other: object) -> bool:
    # To CEL true is no number, though it is one to Python.
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _places(items: Sequence[object], item: object) -> list[int]:
    return [index for index, each in enumerate(items) if _is_same(each, item)]


def _has_all(items: Sequence[object], wanted: Sequence[object]) -> bool:
    return all(any(_is_same(item, each) for item in items) for each in wanted)


def _sets(found: Signatures) -> None:
    found.function("sets.contains(list, list) bool", _has_all)
    found.function("sets.equivalent(list, list) bool", lambda a, b: _has_all(a, b) and _has_all(b, a))
    found.function("sets.intersects(list, list) bool", lambda a, b: any(_is_same(x, y) for x in a for y in b))


def _searches(found: Signatures) -> None:
    found.member("find(string, string) string", _find)
    found.member("findAll(string, string) list", lambda text, pattern: _find_all(text, pattern, -1))
    found.member("findAll(string, string, int) list", _find_all)


def _find(text: str, pattern: str) -> str:
    match = _compiled(pattern).search(text[:_LONGEST_SEARCHED])
    return match.group(0) if match else ""


def _find_all(text: str, pattern: str, most: int) -> list[str]:
    matches = [match.group(0) for match in _compiled(pattern).finditer(text[:_LONGEST_SEARCHED])]
    return matches if most < 0 else matches[:most]


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)
