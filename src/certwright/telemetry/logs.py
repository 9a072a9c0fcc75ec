"""One event a line, with fields; as text or as JSON."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Literal, TextIO

LogFormat = Literal["text", "json"]

# Verbosity as klog counts it: up to 2 is what an operator wants to see, from 3 on what a developer does.
DEBUG_FROM = 3
LIBRARIES_FROM = 6

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_JSON_KEYS = frozenset({"ts", "caller", "msg", "v", "level", "stacktrace"})


def configure_logging(stream: TextIO, form: LogFormat = "text", verbosity: int = 0) -> None:
    """Log to `stream`, one line an event; below verbosity 0 only warnings.

    Libraries' own lines come from warnings up, and all of them from `-v 6`.
    """
    lines = logging.StreamHandler(stream)
    lines.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(lines)
    root.setLevel(logging.DEBUG if verbosity >= LIBRARIES_FROM else logging.WARNING)
    logging.getLogger("certwright").setLevel(_level(verbosity))


def _level(verbosity: int) -> int:
    if verbosity < 0:
        return logging.WARNING
    return logging.DEBUG if verbosity >= DEBUG_FROM else logging.INFO


class TextLines(logging.Formatter):
    """`I1125 15:53:08.123456      1 issuing.py:42] "Certificate issued" certificate="shop/web"`, the form of klog."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        head = f"{_letter(record)}{at:%m%d %H:%M:%S.%f} {record.process:>7} {record.filename}:{record.lineno}]"
        words = [head, json.dumps(record.getMessage(), ensure_ascii=False)]
        words += [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in _fields(record).items()]
        trace = _trace(record)
        return " ".join(words) + (f"\n{trace}" if trace else "")


class JsonLines(logging.Formatter):
    """One JSON object a line, with the keys that cert-manager's JSON log has."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": round(record.created * 1000, 3),
            "caller": f"{record.filename}:{record.lineno}",
            "msg": record.getMessage(),
            "v": DEBUG_FROM if record.levelno < logging.INFO else 0,
            "level": record.levelname.lower(),
            **{f"field_{name}" if name in _JSON_KEYS else name: value for name, value in _fields(record).items()},
        }
        trace = _trace(record)
        if trace:
            line["stacktrace"] = trace
        return json.dumps(line, ensure_ascii=False)


def _letter(record: logging.LogRecord) -> str:
    if record.levelno >= logging.ERROR:
        return "E"
    return "W" if record.levelno >= logging.WARNING else "I"


def _fields(record: logging.LogRecord) -> dict[str, str]:
    """What was given as `extra`, as text: a SecretText hides itself in its str."""
    return {name: str(value) for name, value in vars(record).items() if name not in _PLAIN}


def _trace(record: logging.LogRecord) -> str:
    return logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
