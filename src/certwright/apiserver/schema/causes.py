"""Causes of a refusal, with the texts of the API server's field errors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from certwright.kube.wire.json import JSON
from certwright.kube.wire.status import StatusCause as Cause

__all__ = [
    "NOWHERE",
    "Cause",
    "duplicate",
    "forbidden",
    "go_float",
    "go_json",
    "go_quote",
    "invalid",
    "not_supported",
    "required",
    "too_long",
    "too_many",
    "type_invalid",
]

# How the API server names the field of an error that belongs to no field.
NOWHERE = "<nil>"
_SHORT = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
# Go writes floats of this exponent or more, or below -4, in scientific form (`%v`).
_SCIENTIFIC_FROM = 21
_SCIENTIFIC_BELOW = -4


def _quoted(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def go_quote(text: str) -> str:
    """`text` in double quotes as Go's `%q` writes it."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_quoted(character) for character in text) + '"'


def go_float(number: float) -> str:
    """A number as Go's `%v` writes a float64: `0.5`, `100`, `1e+21`."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else ("+Inf" if number > 0 else "-Inf")
    if number == 0:
        return "0"
    exponent = Decimal(repr(float(number))).adjusted()
    if _SCIENTIFIC_BELOW <= exponent < _SCIENTIFIC_FROM:
        return str(int(number)) if number == int(number) else f"{Decimal(repr(number)):f}"
    mantissa = Decimal(repr(float(number))).scaleb(-exponent).normalize()
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def go_json(value: JSON) -> str:
    """Compact JSON with sorted keys, as Go's encoder writes it."""
    return msgspec.json.encode(value, order="sorted").decode().translate(_HTML)


def _shown(value: JSON) -> str:
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, float):
        return go_float(value)
    return go_json(value)


def invalid(path: str, value: JSON, detail: str) -> Cause:
    """The value cannot stand there."""
    return Cause("FieldValueInvalid", f"Invalid value: {_shown(value)}: {detail}", path)


def type_invalid(path: str, value: JSON, detail: str) -> Cause:
    """The value has the wrong type."""
    return Cause("FieldValueTypeInvalid", f"Invalid value: {_shown(value)}: {detail}", path)


def required(path: str, detail: str = "") -> Cause:
    """A value is missing."""
    return Cause("FieldValueRequired", f"Required value: {detail}" if detail else "Required value", path)


def forbidden(path: str, detail: str) -> Cause:
    """The field must not be set, or not be changed."""
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", path)


def duplicate(path: str, value: JSON) -> Cause:
    """The value stands twice where it must be unique."""
    return Cause("FieldValueDuplicate", f"Duplicate value: {_shown(value)}", path)


def not_supported(path: str, value: JSON, allowed: Iterable[JSON]) -> Cause:
    """The value is none of an enumeration."""
    named = ", ".join(go_quote(each if isinstance(each, str) else go_json(each)) for each in allowed)
    message = f"Unsupported value: {_shown(value)}" + (f": supported values: {named}" if named else "")
    return Cause("FieldValueNotSupported", message, path)


def too_long(path: str, most: int, unit: str = "byte") -> Cause:
    """A text is longer than allowed."""
    return Cause("FieldValueTooLong", f"Too long: may not be more than {most} {unit}{'' if most == 1 else 's'}", path)


def too_many(path: str, count: int, most: int) -> Cause:
    """A list or map has more items than allowed."""
    message = f"Too many: {count}: must have at most {most} item{'' if most == 1 else 's'}"
    return Cause("FieldValueTooMany", message, path)
