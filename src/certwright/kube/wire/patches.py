"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) on JSON values; nothing given is changed."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from certwright.kube.wire.json import JSON, JSONObject

# The API server's own bound.
MOST_OPERATIONS = 10_000
# `copy` can double a document with each operation; this many values may be copied by one patch.
MOST_COPIED_VALUES = 1_000_000
_TOO_DEEP = "The document or the patch is nested too deeply; flatten it."


class PatchError(ValueError):
    """The patch is malformed, or does not fit the document."""


class PatchTestFailed(PatchError):
    """A `test` operation found another value."""


def apply_merge_patch(doc: JSON, patch: JSON) -> JSON:
    """`doc` with `patch` merged in: null removes a member, objects merge, everything else replaces."""
    try:
        return _merge(doc, patch)
    except RecursionError:
        raise PatchError(_TOO_DEEP) from None


def _merge(doc: JSON, patch: JSON) -> JSON:
    if not isinstance(patch, dict):
        return _copy(patch)
    result: JSONObject = dict(doc) if isinstance(doc, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge(result.get(name), value)
    return result


def apply_json_patch(doc: JSON, patch: JSON) -> JSON:
    """`doc` after all operations of `patch`, or PatchError and nothing done."""
    if not isinstance(patch, list):
        raise PatchError("A JSON Patch must be an array of operations.")
    if len(patch) > MOST_OPERATIONS:
        raise PatchError(f"A JSON Patch may have at most {MOST_OPERATIONS} operations; split it.")
    try:
        patching = _Patching(_copy(doc))
        for operation in patch:
            patching.apply(operation)
    except RecursionError:
        raise PatchError(_TOO_DEEP) from None
    return patching.doc


class _Place(Struct):
    """The container that holds a value and the last token of the pointer to it."""

    holder: dict[str, JSON] | list[JSON]
    last: str
    pointer: str

    def get(self) -> JSON:
        if isinstance(self.holder, dict):
            if self.last not in self.holder:
                raise _missing(self.pointer)
            return self.holder[self.last]
        return self.holder[_index(self.last, len(self.holder) - 1, self.pointer)]

    def add(self, value: JSON) -> None:
        if isinstance(self.holder, dict):
            self.holder[self.last] = value
        elif self.last == "-":
            self.holder.append(value)
        else:
            self.holder.insert(_index(self.last, len(self.holder), self.pointer), value)

    def replace(self, value: JSON) -> None:
        self.get()
        if isinstance(self.holder, dict):
            self.holder[self.last] = value
        else:
            self.holder[int(self.last)] = value

    def remove(self) -> JSON:
        value = self.get()
        if isinstance(self.holder, dict):
            del self.holder[self.last]
        else:
            del self.holder[int(self.last)]
        return value


class _Patching:
    def __init__(self, doc: JSON) -> None:
        # The document hangs in a holder, so that the empty pointer needs no case of its own in the operations.
        self._root: JSONObject = {"": doc}
        self._copied = 0

    @property
    def doc(self) -> JSON:
        return self._root[""]

    def apply(self, operation: JSON) -> None:
        if not isinstance(operation, dict):
            raise PatchError("Each operation of a JSON Patch must be an object.")
        act = _OPERATIONS.get(_text(operation, "op"))
        if act is None:
            known = ", ".join(_OPERATIONS)
            raise PatchError(f"{operation['op']!r} is not an operation of JSON Patch; use one of {known}.")
        act(self, operation)

    def add(self, operation: JSONObject) -> None:
        self._place(operation, "path").add(_copy(_value(operation)))

    def remove(self, operation: JSONObject) -> None:
        place = self._place(operation, "path")
        if place.pointer == "":
            raise PatchError("The whole document cannot be removed; replace it.")
        place.remove()

    def replace(self, operation: JSONObject) -> None:
        self._place(operation, "path").replace(_copy(_value(operation)))

    def move(self, operation: JSONObject) -> None:
        source, target = _text(operation, "from"), _text(operation, "path")
        if target.startswith(source + "/"):
            raise PatchError(f"{source!r} cannot be moved into its own part {target!r}.")
        if source == target:
            self._place(operation, "from").get()
            return
        value = self._place(operation, "from").remove()
        self._place(operation, "path").add(value)

    def copy(self, operation: JSONObject) -> None:
        value = self._place(operation, "from").get()
        self._copied += _count(value)
        if self._copied > MOST_COPIED_VALUES:
            raise PatchError(f"The patch copies more than {MOST_COPIED_VALUES} values; split it.")
        self._place(operation, "path").add(_copy(value))

    def test(self, operation: JSONObject) -> None:
        wanted = _value(operation)
        place = self._place(operation, "path")
        if not _equal(place.get(), wanted):
            raise PatchTestFailed(f"The test of {place.pointer!r} failed: the document holds another value.")

    def _place(self, operation: JSONObject, member: str) -> _Place:
        pointer = _text(operation, member)
        if pointer and not pointer.startswith("/"):
            raise PatchError(f"The pointer {pointer!r} must be empty or start with '/'.")
        place = _Place(self._root, "", pointer)
        for token in pointer.split("/")[1:]:
            holder = place.get()
            if not isinstance(holder, dict | list):
                raise _missing(pointer)
            place = _Place(holder, _unescape(token, pointer), pointer)
        return place


_OPERATIONS: dict[str, Callable[[_Patching, JSONObject], None]] = {
    "add": _Patching.add,
    "remove": _Patching.remove,
    "replace": _Patching.replace,
    "move": _Patching.move,
    "copy": _Patching.copy,
    "test": _Patching.test,
}


def _missing(pointer: str) -> PatchError:
    return PatchError(f"The document has nothing at {pointer!r}.")


def _text(operation: JSONObject, member: str) -> str:
    value = operation.get(member)
    if not isinstance(value, str):
        raise PatchError(f"An operation of a JSON Patch needs the text member {member!r}.")
    return value


def _value(operation: JSONObject) -> JSON:
    if "value" not in operation:
        raise PatchError(f"The operation {operation['op']!r} needs the member 'value'.")
    return operation["value"]


def _unescape(token: str, pointer: str) -> str:
    if re.search("~(?![01])", token):
        raise PatchError(f"The pointer {pointer!r} has a '~' that is not followed by 0 or 1.")
    return token.replace("~1", "/").replace("~0", "~")


def _index(token: str, most: int, pointer: str) -> int:
    # RFC 6901 section 4: digits without a leading zero.
    if not re.fullmatch("0|[1-9][0-9]{0,9}", token):
        raise PatchError(f"{token!r} in the pointer {pointer!r} is not an index of an array.")
    if int(token) > most:
        raise PatchError(f"The index {token} in the pointer {pointer!r} is beyond the array.")
    return int(token)


def _copy(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copy(member) for member in value]
    return value


def _count(value: JSON) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_count, value))
    return 1


def _equal(left: JSON, right: JSON) -> bool:
    # Python holds True == 1; JSON does not.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return left == right
