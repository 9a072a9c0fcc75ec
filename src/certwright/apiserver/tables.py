"""Tables (metav1.Table), as `kubectl get` shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from certwright.apiserver.definition import Column, Definition
from certwright.apiserver.objects import child, meta, parse_timestamp, text
from certwright.apiserver.schema.causes import go_float, go_json
from certwright.apiserver.schema.jsonpath import JsonPath
from certwright.kube.wire.json import JSON, JSONObject

_UNKNOWN = "<unknown>"
_INVALID = "<invalid>"
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 86400 * 365


def human_duration(span: timedelta) -> str:
    """A span as `kubectl` shows ages: `45s`, `3m20s`, `5h`, `2d3h`, `400d`, `3y`."""
    seconds = int(span.total_seconds())
    if seconds < -1:
        return _INVALID
    for limit, unit, smaller in _STEPS:
        if seconds < limit:
            return _two_units(max(seconds, 0), unit, smaller)
    return _two_units(seconds, "y", "")


# Below so many seconds: the unit that is shown, and the smaller one shown with it.
_STEPS = (
    (2 * _MINUTE, "s", ""),
    (10 * _MINUTE, "m", "s"),
    (3 * _HOUR, "m", ""),
    (8 * _HOUR, "h", "m"),
    (2 * _DAY, "h", ""),
    (8 * _DAY, "d", "h"),
    (2 * _YEAR, "d", ""),
    (8 * _YEAR, "y", "d"),
)
_UNITS = {"s": 1, "m": _MINUTE, "h": _HOUR, "d": _DAY, "y": _YEAR}


def _two_units(seconds: int, unit: str, smaller: str) -> str:
    count, rest = divmod(seconds, _UNITS[unit])
    low = rest // _UNITS[smaller] if smaller else 0
    return f"{count}{unit}" + (f"{low}{smaller}" if low else "")


def age(value: JSON, now: datetime) -> str:
    """The time since a timestamp, or `<unknown>`."""
    moment = parse_timestamp(value) if isinstance(value, str) else None
    return human_duration(now - moment) if moment else _UNKNOWN


def render_table(
    definition: Definition, objects: list[JSONObject], include_object: str, now: datetime, list_meta: JSONObject
) -> JSONObject:
    """The table of `objects`: `include_object` is None, Metadata (the default of the API) or Object.

    `list_meta` is the metadata of the list (resourceVersion, continue), or of a single object its resourceVersion.
    """
    rows: list[JSON] = [
        {"cells": [_cell(column, obj, now) for column in definition.columns], **_object_of(obj, include_object)}
        for obj in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_meta,
        "columnDefinitions": [_column(column) for column in definition.columns],
        "rows": rows,
    }


def _column(column: Column) -> JSONObject:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _object_of(obj: JSONObject, include: str) -> JSONObject:
    if include == "None":
        return {}
    if include == "Object":
        return {"object": obj}
    return {"object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta(obj)}}


@lru_cache(maxsize=4096)
def _path(path: str) -> JsonPath:
    return JsonPath(path)


def _cell(column: Column, obj: JSONObject, now: datetime) -> JSON:
    if column.cell is not None:
        return column.cell(obj, now)
    if column.path == ".metadata.name":
        return text(child(obj, "metadata"), "name")
    found = _path(column.path).find(obj)
    if not found:
        return None
    return _of_type(column.type, found[0], now)


def _of_type(kind: str, value: JSON, now: datetime) -> JSON:
    if kind == "string":
        return value if isinstance(value, str) or value is None else _text(value)
    if kind == "date":
        return _date(value, now)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if kind == "integer":
        return int(value)
    return float(value) if kind == "number" else None


def _date(value: JSON, now: datetime) -> JSON:
    if not isinstance(value, str):
        return None
    return age(value, now) if parse_timestamp(value) else _INVALID


def _text(value: JSON) -> str:
    return go_float(value) if isinstance(value, float) else go_json(value)
