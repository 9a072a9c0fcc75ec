"""Objects and their events as `kubectl describe` prints them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from certwright.api.core import Event
from certwright.api.meta import JSON, JSONObject
from certwright.apiserver.tables import human_duration

_ACRONYMS = {"API", "GUID", "OSB", "UID", "URL"}
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|-")
_HIDDEN_METADATA = {"name", "namespace", "labels", "annotations", "managedFields", "selfLink"}
Line = tuple[str, ...]
"""One cell: a line of its own; two: a label and a value, aligned with its neighbours; more: a row of a table."""


def describe(obj: JSONObject, events: Sequence[Event], now: datetime) -> str:
    """The text for an object of a kind that kubectl has no words of its own for."""
    metadata = obj.get("metadata")
    assert isinstance(metadata, dict)
    lines: list[Line] = [
        ("Name:", _text(metadata.get("name"))),
        ("Namespace:", _text(metadata.get("namespace"))),
        *_pairs("Labels:", metadata.get("labels"), "="),
        *_pairs("Annotations:", metadata.get("annotations"), ": "),
        ("API Version:", _text(obj.get("apiVersion"))),
        ("Kind:", _text(obj.get("kind"))),
        ("Metadata:",),
        *_members({name: value for name, value in metadata.items() if name not in _HIDDEN_METADATA}, 1),
    ]
    rest = {name: value for name, value in obj.items() if name not in {"apiVersion", "kind", "metadata"}}
    lines += _members(rest, 0)
    lines += event_lines(events, now)
    return aligned(lines)


def event_lines(events: Sequence[Event], now: datetime) -> list[Line]:
    """The block `Events:`."""
    if not events:
        return [("Events:", "<none>")]
    rows: list[Line] = [("  Type", "Reason", "Age", "From", "Message"), ("  ----", "------", "----", "----", "-------")]
    for event in sorted(events, key=_when):
        source = event.source.component if event.source else event.reporting_component
        rows.append((f"  {event.type}", event.reason, _age(event, now), source, event.message.strip()))
    return [("Events:",), *rows]


def _when(event: Event) -> datetime:
    found = event.last_timestamp or event.event_time or event.metadata.creation_timestamp
    assert found is not None
    return found


def _age(event: Event, now: datetime) -> str:
    last = human_duration(max(now - _when(event), timedelta(0)))
    if event.count <= 1 or event.first_timestamp is None:
        return last
    return f"{last} (x{event.count} over {human_duration(max(now - event.first_timestamp, timedelta(0)))})"


def aligned(lines: Iterable[Line]) -> str:
    """The lines as text; neighbours with as many cells share their columns."""
    text: list[str] = []
    block: list[Line] = []
    for line in (*lines, ()):
        if block and len(line) != len(block[0]):
            text += _columns(block)
            block = []
        if len(line) > 1:
            block.append(line)
        elif line:
            text.append(line[0])
    return "\n".join(text) + "\n"


def _columns(block: list[Line]) -> list[str]:
    widths = [max(len(line[column]) for line in block) + 2 for column in range(len(block[0]) - 1)]
    rows = []
    for line in block:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        rows.append("".join((*cells, line[-1])).rstrip())
    return rows


def _pairs(label: str, found: JSON, joint: str) -> list[Line]:
    if not isinstance(found, dict) or not found:
        return [(label, "<none>")]
    values = [f"{name}{joint}{value}" for name, value in sorted(found.items())]
    return [(label if number == 0 else "", value) for number, value in enumerate(values)]


def _members(found: JSONObject, depth: int) -> list[Line]:
    lines: list[Line] = []
    indent = "  " * depth
    for name in sorted(found):
        value, label = found[name], f"{indent}{label_of(name)}:"
        match value:
            case dict():
                lines += [(label,), *_members(value, depth + 1)]
            case list():
                lines += [(label,), *_items(value, depth + 1)]
            case _:
                lines.append((label, _text(value)))
    return lines


def _items(found: list[JSON], depth: int) -> list[Line]:
    lines: list[Line] = []
    for item in found:
        lines += _members(item, depth) if isinstance(item, dict) else [("  " * depth + _text(item),)]
    return lines


def label_of(name: str) -> str:
    """`lastTransitionTime` → `Last Transition Time`; a name with digits or other signs stays as it is."""
    if not re.fullmatch(r"[A-Za-z-]+", name):
        return name
    words = _WORD.findall(name)
    return " ".join(word.upper() if word.upper() in _ACRONYMS else word[:1].upper() + word[1:] for word in words)


def _text(value: JSON) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return str(value)
