"""JSON values as the rules of a schema see them, and the types by which rules are checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from certwright.apiserver.schema.node import INT_OR_STRING, Node, as_text
from certwright.kube.wire.json import JSON

Conversion = Callable[[JSON], object]

# Words of CEL that are no names there: a field of such a name is written with underscores around it.
_RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    }
)
_ESCAPED = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_DEEPEST_CHECKED = 6
_UNITS = {"ns": 1e-3, "us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6, "m": 6e7, "h": 3.6e9}
_BY_TYPE = {"string": "string", "integer": "int", "number": "double", "boolean": "bool"}
_BY_FORMAT = {"byte": "bytes", "duration": "duration", "date": "timestamp", "date-time": "timestamp"}


def escaped(name: str) -> str:
    """A name of a field as rules write it."""
    if name in _RESERVED:
        return f"__{name}__"
    for text, instead in _ESCAPED:
        name = name.replace(text, instead)
    return name


def kind_of(node: Node) -> str:
    """The type of the variable `self` for a node: `string`, `list<int>`, `dyn`, …"""
    scalar = _scalar(node)
    if scalar != "dyn":
        return scalar
    # Moments and spans within others reach the evaluator as texts: it takes them at the top only.
    if node.types == ("array",) and node.items and _scalar(node.items) in {"string", "int", "double", "bool"}:
        return f"list<{_scalar(node.items)}>"
    if node.types == ("object",) and node.additional and _scalar(node.additional) in {"string", "int", "bool"}:
        return f"map<{_scalar(node.additional)}>"
    return "dyn"


def field_kinds(node: Node, prefix: str = "") -> dict[str, str]:
    """The types of the scalar fields below a node, by their paths as rules write them."""
    found: dict[str, str] = {}
    if node.types != ("object",) or prefix.count(".") >= _DEEPEST_CHECKED:
        return found
    for name, child in node.properties.items():
        kind = _scalar(child)
        if kind != "dyn":
            found[prefix + escaped(name)] = kind
        found |= field_kinds(child, f"{prefix}{escaped(name)}.")
    return found


def _scalar(node: Node) -> str:
    if node.nullable or node.types == INT_OR_STRING or len(node.types) != 1:
        return "dyn"
    if node.types == ("string",):
        return _BY_FORMAT.get(as_text(node.raw.get("format")), "string")
    return _BY_TYPE.get(node.types[0], "dyn")


def compile_top(node: Node) -> Conversion:
    """The conversion of a value that stands in a variable."""
    kind = _scalar(node)
    if kind == "duration":
        return lambda value: _span(value) if isinstance(value, str) else value
    if kind == "timestamp":
        return lambda value: _moment(value) if isinstance(value, str) else value
    return compile_value(node) or (lambda value: value)


def compile_value(node: Node) -> Conversion | None:
    """The conversion of a value below another; None where JSON is what rules expect."""
    kind = _scalar(node)
    if kind == "bytes":
        return _bytes
    if kind == "double":
        return lambda value: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if kind == "int":
        return lambda value: int(value) if isinstance(value, float) and value.is_integer() else value
    if node.items:
        return _list_conversion(compile_value(node.items))
    return _map_conversion(node)


def _list_conversion(inner: Conversion | None) -> Conversion | None:
    if inner is None:
        return None
    return lambda value: [inner(item) for item in value] if isinstance(value, list) else value


def _map_conversion(node: Node) -> Conversion | None:
    inner = {name: compile_value(child) for name, child in node.properties.items()}
    changed = {name: convert for name, convert in inner.items() if convert is not None}
    renamed = {name: escaped(name) for name in node.properties if escaped(name) != name}
    other = compile_value(node.additional) if node.additional else None
    if not changed and not renamed and other is None:
        return None

    def convert(value: JSON) -> object:
        if not isinstance(value, dict):
            return value
        found: dict[str, object] = {}
        for name, item in value.items():
            step = changed.get(name, other)
            found[name] = item if step is None or item is None else step(item)
            if name in renamed:
                found[renamed[name]] = found[name]
        return found

    return convert


def _bytes(value: JSON) -> object:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except (binascii.Error, ValueError):
        return value


def _moment(text: str) -> object:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _span(text: str) -> object:
    sign, rest, micros = (-1 if text.startswith("-") else 1), text.lstrip("+-"), 0.0
    while rest and rest != "0":
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        unit = next((name for name in ("ns", "us", "µs", "μs", "ms", "s", "m", "h") if rest.startswith(name)), "")
        if not number or not unit:
            return text
        micros += float(number) * _UNITS[unit]
        rest = rest[len(unit) :]
    return timedelta(microseconds=sign * micros)
