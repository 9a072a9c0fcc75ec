"""Objects that expressions build (`Object.spec{size: 1}`, `JSONPatch{op: 'add'}`), written as maps.

The CEL library knows no types but those of protobuf; to maps the same fields can be given by name.
"""

from __future__ import annotations

import re

from certwright.apiserver.schema.rules import without_texts

_START = re.compile(r"(?<![\w.])(?:JSONPatch|Object(?:\.\w+)*)\s*\{")
_FIELD = re.compile(r"(\s*\??\s*)([A-Za-z_]\w*)(?=\s*:)")
_RESERVED = re.compile(r"__([a-z]+)__")
_ESCAPES = (("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"))
_OPENING, _CLOSING = "([{", ")]}"


def objects_as_maps(expression: str) -> str:
    """The same expression with maps in the place of objects."""
    bare = without_texts(expression)
    written: list[str] = []
    is_object: list[bool] = []  # for each bracket that is open
    place = 0
    while place < len(expression):
        found = _START.match(bare, place)
        letter = bare[place]
        if found:
            is_object.append(True)
            # Maps of different values have different types; those of objects are all one.
            written.append("dyn({")
            place = found.end()
        else:
            closes_object = letter in _CLOSING and bool(is_object) and is_object.pop()
            written.append("})" if closes_object else expression[place])
            if letter in _OPENING:
                is_object.append(False)
            place += 1
        if found or (letter == "," and is_object and is_object[-1]):
            place = _quote_field(bare, place, written)
    return "".join(written)


def _quote_field(bare: str, place: int, written: list[str]) -> int:
    """Write the name of a field as a text; the place after it."""
    found = _FIELD.match(bare, place)
    if found is None:
        return place
    written.append(f"{found.group(1)}'{_unescaped(found.group(2))}'")
    return found.end()


def _unescaped(name: str) -> str:
    for escaped, text in _ESCAPES:
        name = name.replace(escaped, text)
    reserved = _RESERVED.fullmatch(name)
    return reserved.group(1) if reserved else name
