"""JSON as values, and the one door at which bytes become such values."""

from __future__ import annotations

from typing import TypeAlias, cast

import msgspec

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
JSONObject: TypeAlias = dict[str, JSON]


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


def encode_json(value: object) -> bytes:
    """Compact JSON of a value or a Struct, fields in their own order."""
    return msgspec.json.encode(value)
