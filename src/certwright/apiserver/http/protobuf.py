"""Bodies in Kubernetes' protobuf form: typed Go clients (kubectl among them) send built-in kinds so."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files

from msgspec import Struct

from certwright.kube.wire.json import JSON, JSONObject

MEDIA = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 100
_OPTIONS = "k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Value = int | bytes


class UnknownKind(ValueError):
    """A kind whose fields are not known here; the client has to send JSON."""


class _Field(Struct, frozen=True):
    name: str
    kind: str
    shape: str
    drops_zero: bool


class _Schema(Struct, frozen=True):
    kinds: dict[str, str]
    messages: dict[str, dict[int, _Field]]


@lru_cache(maxsize=1)
def _schema() -> _Schema:
    document = json.loads(files("certwright.apiserver.http").joinpath("protobuf_fields.json").read_text())
    messages = {
        name: {int(number): _Field(*field) for number, field in fields.items()}
        for name, fields in document["messages"].items()
    }
    return _Schema(document["kinds"], messages)


def decode_protobuf(body: bytes) -> JSONObject:
    """The object in a body; raises UnknownKind, or ValueError where it cannot be read."""
    if not body.startswith(_MAGIC):
        raise ValueError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = dict(_fields(body[len(_MAGIC) :]))
    head = dict(_fields(_as_bytes(envelope.get(1, b""))))
    api_version, kind = (_as_bytes(head.get(number, b"")).decode() for number in (1, 2))
    message = _OPTIONS if kind == "DeleteOptions" else _schema().kinds.get(f"{api_version}/{kind}")
    if message is None:
        raise UnknownKind(f"{api_version} {kind} is not read from protobuf here; send it as JSON")
    return {"apiVersion": api_version, "kind": kind, **_message(message, _as_bytes(envelope.get(2, b"")), 0)}


def _as_bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ValueError("a number stands where bytes are expected")


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields of a message in order, by number."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(data, at)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(wire, -1)
        if length < 0 or at + length > len(data):
            raise ValueError("the message ends in the middle of a field, or has a field of an unknown form")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found & (2**64 - 1), at
    raise ValueError("the message ends in the middle of a number")


def _message(name: str, data: bytes, depth: int) -> JSONObject:
    if depth > _DEEPEST:
        raise ValueError(f"the message is nested deeper than {_DEEPEST} levels")
    known, found = _schema().messages[name], dict[str, JSON]()
    for number, value in _fields(data):
        field = known.get(number)
        if field is not None:
            _put(found, field, value, depth)
    return found


def _put(found: JSONObject, field: _Field, value: Value, depth: int) -> None:
    if field.shape == "map":
        entry = dict(_fields(_as_bytes(value)))
        held = found.setdefault(field.name, {})
        assert isinstance(held, dict)
        held[_as_bytes(entry.get(1, b"")).decode()] = _value(field.kind, entry.get(2, b""), depth)
        return
    read = _value(field.kind, value, depth)
    if field.shape == "inline":
        if isinstance(read, dict):
            found.update(read)
    elif field.shape == "list":
        held = found.setdefault(field.name, [])
        assert isinstance(held, list)
        held.append(read)
    elif read is not None and not (field.drops_zero and read in ("", 0, False, {})):
        found[field.name] = read


def _value(kind: str, value: Value, depth: int) -> JSON:
    read = _SCALARS.get(kind)
    if read is not None:
        return read(value)
    return _message(kind, _as_bytes(value), depth + 1)


def _integer(value: Value) -> int:
    number = value if isinstance(value, int) else 0
    return number - 2**64 if number >= 2**63 else number


def _double(value: Value) -> float:
    data = _as_bytes(value)
    (found,) = struct.unpack("<d" if len(data) == 8 else "<f", data)
    return float(found)


def _moment(value: Value) -> tuple[datetime, int] | None:
    parts = dict(_fields(_as_bytes(value)))
    if not parts:
        return None
    moment = _EPOCH + timedelta(seconds=_integer(parts.get(1, 0)))
    return moment, _integer(parts.get(2, 0))


def _time(value: Value) -> JSON:
    found = _moment(value)
    return found[0].strftime("%Y-%m-%dT%H:%M:%SZ") if found else None


def _microtime(value: Value) -> JSON:
    found = _moment(value)
    return f"{found[0]:%Y-%m-%dT%H:%M:%S}.{found[1] // 1000:06d}Z" if found else None


def _int_or_text(value: Value) -> JSON:
    parts = dict(_fields(_as_bytes(value)))
    if _integer(parts.get(1, 0)):
        return _as_bytes(parts.get(3, b"")).decode()
    return _integer(parts.get(2, 0))


def _raw(value: Value) -> JSON:
    content = _as_bytes(dict(_fields(_as_bytes(value))).get(1, b""))
    found: JSON = json.loads(content) if content else None
    return found


def _quantity(value: Value) -> JSON:
    return _as_bytes(dict(_fields(_as_bytes(value))).get(1, b"")).decode()


def _items(value: Value) -> JSON:
    return [_as_bytes(item).decode() for number, item in _fields(_as_bytes(value)) if number == 1]


_SCALARS: dict[str, Callable[[Value], JSON]] = {
    "text": lambda value: _as_bytes(value).decode(),
    "bytes": lambda value: base64.b64encode(_as_bytes(value)).decode(),
    "bool": bool,
    "int": _integer,
    "double": _double,
    "time": _time,
    "microtime": _microtime,
    "int_or_text": _int_or_text,
    "raw": _raw,
    "quantity": _quantity,
    "items": _items,
}
