"""JSON as values, and the one door at which bytes become such values."""

from __future__ import annotations

import re
from typing import TypeAlias, cast

import msgspec

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
JSONObject: TypeAlias = dict[str, JSON]

_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


def decode_json(body: bytes) -> JSON:
    """The value in `body`; ValueError with a sentence where it is not JSON or is nested too deeply."""
    try:
        return cast(JSON, msgspec.json.decode(body))
    except RecursionError:
        raise ValueError("The JSON is nested too deeply; flatten it.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"The body is not valid JSON: {error}.") from error


def decode_object(body: bytes) -> JSONObject:
    """The JSON object in `body`; ValueError with a sentence where it is anything else."""
    value = decode_json(body)
    if not isinstance(value, dict):
        raise ValueError("The body must be a JSON object.")
    return value


def is_deeper(body: bytes, levels: int) -> bool:
    """Whether a JSON body nests deeper than that many levels."""
    if body.count(b"{") + body.count(b"[") <= levels:
        return False
    depth = 0
    for found in _NESTING.finditer(body):
        if found.lastindex == 1:
            depth += 1
            if depth > levels:
                return True
        elif found.lastindex == 2:
            depth -= 1
    return False


def encode_json(value: object) -> bytes:
    """Compact JSON of a value or a Struct, fields in their own order."""
    return msgspec.json.encode(value)
