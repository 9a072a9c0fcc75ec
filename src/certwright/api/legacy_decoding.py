"""Brings objects of 2018 into canonical form: key case, empty values, numbers in quotes, spelling of enums."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Literal, Union

import msgspec
from msgspec import Struct

from certwright.api.meta import JSON, ApiStruct, JSONObject


class LegacyDecodeError(ValueError):
    """A field of a legacy object does not fit; the text begins with its path."""


class Presence(ApiStruct, frozen=True):
    """A block that counts as given when it is an object, even an empty one."""


class Tolerant(ApiStruct, frozen=True):
    """A block that counts as absent when nothing in it is set."""


def canonical(raw: JSON, kind: type[Struct]) -> JSONObject:
    """The object with the keys that the Struct knows, spelled its way, and without empty values."""
    found = _struct(raw, kind, "")
    return found or {}


@cache
def _hints(kind: type[Struct]) -> Mapping[str, object]:
    """JSON key → type."""
    hints = typing.get_type_hints(kind)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}


def _struct(value: JSON, kind: type[Struct], path: str) -> JSONObject | None:
    if not isinstance(value, dict):
        raise _misfit(path, "an object", value)
    found: JSONObject = {}
    for key, hint in _hints(kind).items():
        item = _value(_look_up(value, key), hint, f"{path}.{key}" if path else key)
        if item is not None:
            found[key] = item
    return None if not found and issubclass(kind, Tolerant) else found


def _look_up(mapping: JSONObject, key: str) -> JSON:
    """By exact name, else the first that differs in case only: v0.5 matched keys so."""
    if key in mapping:
        return mapping[key]
    folded = key.casefold()
    return next((value for name, value in mapping.items() if name.casefold() == folded), None)


def _value(value: JSON, hint: object, path: str) -> JSON:
    """The value in canonical form, None where it counts as absent."""
    if value is None or value == "" or value == []:
        return None
    hint = _bare(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _struct(value, hint, path)
    if origin is tuple:
        return _list(value, arguments[0], path)
    if origin is Mapping:
        return _mapping(value, arguments[1], path)
    if origin is Literal:
        return _choice(value, arguments, path)
    return _scalar(value, hint, path)


def _bare(hint: object) -> object:
    if typing.get_origin(hint) is Annotated:
        return _bare(typing.get_args(hint)[0])
    if typing.get_origin(hint) in {Union, types.UnionType}:
        arms = [arm for arm in typing.get_args(hint) if arm is not types.NoneType]
        return _bare(arms[0]) if len(arms) == 1 else object
    return hint


def _list(value: JSON, item_hint: object, path: str) -> JSON:
    if not isinstance(value, list):
        raise _misfit(path, "a list", value)
    items = [_value(item, item_hint, f"{path}[{index}]") for index, item in enumerate(value)]
    if item_hint is str:  # an empty string in a list stays: it is a value that is judged
        return ["" if item is None else item for item in items]
    return [item for item in items if item is not None]


def _mapping(value: JSON, value_hint: object, path: str) -> JSON:
    if not isinstance(value, dict):
        raise _misfit(path, "an object", value)
    found = {key: _value(item, value_hint, f"{path}.{key}") for key, item in value.items()}
    return {key: "" if item is None and value_hint is str else item for key, item in found.items()}


def _choice(value: JSON, allowed: tuple[str, ...], path: str) -> JSON:
    if not isinstance(value, str):
        raise _misfit(path, "a string", value)
    spelled = {word.casefold(): word for word in allowed}
    if value.casefold() not in spelled:
        supported = ", ".join(f'"{word}"' for word in allowed)
        raise LegacyDecodeError(f'{path}: Unsupported value: "{value}": supported values: {supported}')
    return spelled[value.casefold()]


_NUMBER = re.compile(r"\s*-?[0-9]{1,18}\s*", re.ASCII)
_NAMES: Mapping[object, str] = {
    str: "a string",
    bytes: "base64 text",
    datetime: "a time",
    int: "an integer",
    bool: "true or false",
}
_JSON_TYPES: Mapping[object, type] = {str: str, bytes: str, datetime: str, int: int, bool: bool}


def _scalar(value: JSON, hint: object, path: str) -> JSON:
    wanted = _JSON_TYPES.get(hint)
    if wanted is None:
        return value
    if wanted is int and isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    if type(value) is not wanted:
        raise _misfit(path, _NAMES[hint], value)
    return value


def _misfit(path: str, wanted: str, value: JSON) -> LegacyDecodeError:
    return LegacyDecodeError(f"{path or 'the object'}: Invalid value: must be {wanted}, is {_described(value)}")


def _described(value: JSON) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "an object"
    return "null"
