"""Errors about fields in the form of the Kubernetes API: `<path>: <what is wrong>: <detail>`."""

from __future__ import annotations

import json
from collections.abc import Iterable


def required(path: str, detail: str = "") -> str:
    """A value is missing."""
    return _joined(path, "Required value", detail)


def invalid(path: str, value: str | int | bool | tuple[str, ...], detail: str) -> str:
    """A value does not fit; it is written as Go writes it."""
    return _joined(path, f"Invalid value: {_as_go(value)}", detail)


def forbidden(path: str, detail: str) -> str:
    """Nothing may be given here."""
    return _joined(path, "Forbidden", detail)


def unsupported(path: str, value: str | int, supported: Iterable[str]) -> str:
    """A value is none of those that are known."""
    known = ", ".join(json.dumps(word) for word in supported)
    return _joined(path, f"Unsupported value: {_as_go(value)}", f"supported values: {known}")


def joined(errors: Iterable[str]) -> str:
    """One error as it is, several as `[a, b]`, each once."""
    different = list(dict.fromkeys(errors))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]"


def _joined(path: str, what: str, detail: str) -> str:
    return f"{path}: {what}: {detail}" if detail else f"{path}: {what}"


def _as_go(value: str | int | bool | tuple[str, ...]) -> str:
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return f"[]string{{{', '.join(json.dumps(item, ensure_ascii=False) for item in value)}}}"
        case str():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
