"""Validation of texts and numbers: lengths, patterns, formats, bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeGuard

from certwright.apiserver.schema.causes import NOWHERE, Cause, go_float, go_quote, invalid, too_long, type_invalid
from certwright.apiserver.schema.formats import INTEGER_RANGES, format_check
from certwright.apiserver.schema.node import as_text
from certwright.apiserver.schema.pattern import compile_pattern
from certwright.kube.wire.json import JSON, JSONObject

# A value of another type than the check is for passes.
Check = Callable[[JSON, str, list[Cause]], None]


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number of JSON."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def string_checks(raw: JSONObject, *, typed: bool = False) -> list[Check]:
    """The checks that a schema asks for where the value is a text; `typed` for kinds that Go reads into types."""
    found = [_length_and_pattern(raw), _format(as_text(raw.get("format")), typed)]
    return [check for check in found if check is not None]


def _length_and_pattern(raw: JSONObject) -> Check | None:
    """The first of length and pattern that fails is the only one reported."""
    least, most, pattern = raw.get("minLength"), raw.get("maxLength"), as_text(raw.get("pattern"))
    matches = compile_pattern(pattern) if pattern else None
    if not isinstance(least, int) and not isinstance(most, int) and matches is None:
        return None

    def check(text: JSON, path: str, found: list[Cause]) -> None:
        if not isinstance(text, str):
            return
        if isinstance(most, int) and len(text) > most:
            found.append(too_long(path, most))
        elif isinstance(least, int) and len(text) < least:
            found.append(invalid(path, text, f"{path} in body should be at least {least} chars long"))
        elif matches is not None and not matches(text):
            found.append(invalid(path, text, f"{path} in body should match '{pattern}'"))

    return check


def _format(name: str, typed: bool) -> Check | None:
    fits = format_check(name) if name else None
    if fits is None:
        return None
    check_format = fits
    # No bytes at all are bytes to Go, though the format wants at least one.
    takes_empty = typed and name == "byte"

    def check(text: JSON, path: str, found: list[Cause]) -> None:
        if isinstance(text, str) and not check_format(text) and not (takes_empty and not text):
            found.append(type_invalid(path, text, f"{path} in body must be of type {name}: {go_quote(text)}"))

    return check


def number_checks(raw: JSONObject, types: tuple[str, ...]) -> list[Check]:
    """The checks that a schema asks for where the value is a number."""
    found = [
        _range(as_text(raw.get("format")), types),
        _multiple(raw.get("multipleOf")),
        _minimum(raw.get("minimum"), raw.get("exclusiveMinimum") is True),
        _maximum(raw.get("maximum"), raw.get("exclusiveMaximum") is True),
    ]
    return [check for check in found if check is not None]


def _range(format_name: str, types: tuple[str, ...]) -> Check | None:
    if types != ("integer",) or format_name not in INTEGER_RANGES:
        return None
    least, most = INTEGER_RANGES[format_name]

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        if is_number(value) and not least <= value <= most:
            detail = f"Checked value must be of type integer with format {format_name} in {path}"
            found.append(invalid(NOWHERE, "", detail))

    return check


def _bound(limit: float, value: float) -> str:
    # A whole number is compared, and shown, as an integer.
    return str(math.trunc(limit)) if isinstance(value, int) else go_float(limit)


def _minimum(limit: object, exclusive: bool) -> Check | None:
    if not is_number(limit):
        return None
    least: float = limit
    words = "greater than" if exclusive else "greater than or equal to"

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        if is_number(value) and (value < least or (exclusive and value == least)):
            found.append(invalid(path, value, f"{path} in body should be {words} {_bound(least, value)}"))

    return check


def _maximum(limit: object, exclusive: bool) -> Check | None:
    if not is_number(limit):
        return None
    most: float = limit
    words = "less than" if exclusive else "less than or equal to"

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        if is_number(value) and (value > most or (exclusive and value == most)):
            found.append(invalid(path, value, f"{path} in body should be {words} {_bound(most, value)}"))

    return check


def _multiple(factor: object) -> Check | None:
    if not is_number(factor) or factor <= 0:
        return None
    step: float = factor

    def check(value: JSON, path: str, found: list[Cause]) -> None:
        quotient = value / step if is_number(value) else 0.0
        if is_number(value) and abs(quotient - round(quotient)) > 1e-9 * max(1.0, abs(quotient)):
            found.append(invalid(path, value, f"{path} in body should be a multiple of {_bound(step, value)}"))

    return check
