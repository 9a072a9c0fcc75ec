"""Reading and writing the untyped JSON objects that the server stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import msgspec

from certwright.kube.wire.json import JSON, JSONObject

_encoder = msgspec.json.Encoder()
# What the server wrote itself is an object, and is only decoded.
_decoder = msgspec.json.Decoder(dict)


def encode(value: JSON) -> bytes:
    """Compact JSON."""
    return _encoder.encode(value)


def decode(body: bytes) -> JSONObject:
    """A fresh object of stored JSON; the caller may change it."""
    return cast(JSONObject, _decoder.decode(body))


def copy(obj: JSONObject) -> JSONObject:
    """A deep copy."""
    return cast(JSONObject, _decoder.decode(_encoder.encode(obj)))


def child(obj: JSONObject, key: str) -> JSONObject:
    """The object under `key`, or an empty one that is not attached."""
    value = obj.get(key)
    return value if isinstance(value, dict) else {}


def ensure(obj: JSONObject, key: str) -> JSONObject:
    """The object under `key`, made where it is absent."""
    value = obj.get(key)
    if isinstance(value, dict):
        return value
    made: JSONObject = {}
    obj[key] = made
    return made


def meta(obj: JSONObject) -> JSONObject:
    """`metadata`, attached."""
    return ensure(obj, "metadata")


def text(obj: JSONObject, key: str) -> str:
    """The string under `key`, or ''."""
    value = obj.get(key)
    return value if isinstance(value, str) else ""


def texts(obj: JSONObject, key: str) -> list[str]:
    """The strings of the list under `key`."""
    value = obj.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def children(obj: JSONObject, key: str) -> list[JSONObject]:
    """The objects of the list under `key`."""
    value = obj.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def strings(obj: JSONObject, key: str) -> dict[str, str]:
    """The string map under `key` (labels, annotations)."""
    return {name: value for name, value in child(obj, key).items() if isinstance(value, str)}


def at_path(obj: JSONObject, path: str) -> str:
    """The scalar at a dotted path as field selectors compare it: '' where nothing stands."""
    here: JSON = obj
    for part in path.split("."):
        if not isinstance(here, dict):
            return ""
        here = here.get(part)
    if isinstance(here, bool):
        return "true" if here else "false"
    return str(here) if isinstance(here, (str, int, float)) else ""


def canonical(obj: JSONObject, api_version: str, kind: str) -> JSONObject:
    """The object with `apiVersion`, `kind` and `metadata` first, so that stored bytes start with a known prefix."""
    ordered: JSONObject = {"apiVersion": api_version, "kind": kind, "metadata": meta(obj)}
    for key, value in obj.items():
        if key not in ordered:
            ordered[key] = value
    return ordered


def prefix(api_version: str, kind: str) -> bytes:
    """The bytes with which the canonical form of such an object starts."""
    return _encoder.encode({"apiVersion": api_version, "kind": kind})[:-1]


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with seconds, as `metadata.creationTimestamp`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(value: str) -> datetime | None:
    """The moment that `timestamp` (or a Go client) wrote; None where it cannot be read."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


LATEST = datetime.max.replace(tzinfo=UTC)
"""A moment after all others."""
