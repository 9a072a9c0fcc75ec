"""A log line is one event with fields, and holds no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from certwright.rest import SecretText
from certwright.telemetry.logs import JsonLines, LogFormat, TextLines, configure_logging


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("certwright")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def record_of(fields: dict[str, object]) -> logging.LogRecord:
    return logging.makeLogRecord({"levelno": logging.INFO, "levelname": "INFO", "process": 1, **fields})


def logged(form: LogFormat, verbosity: int, logger: str = "certwright.controllers.certificate") -> str:
    stream = io.StringIO()
    configure_logging(stream, form, verbosity)
    log = logging.getLogger(logger)
    log.debug("Nothing to do", extra={"certificate": "shop/web"})
    log.info("Certificate issued", extra={"certificate": "shop/web", "revision": 3})
    return stream.getvalue()


def test_text_has_the_form_of_klog() -> None:
    text = logged("text", 0)

    assert text.startswith("I")
    assert text.endswith('] "Certificate issued" certificate="shop/web" revision="3"\n')
    assert "test_logs.py:" in text


def test_json_keys_are_those_of_cert_manager() -> None:
    line = json.loads(logged("json", 0))

    assert line.pop("ts") > 1_700_000_000_000
    assert line.pop("caller").startswith("test_logs.py:")
    assert line == {"msg": "Certificate issued", "v": 0, "level": "info", "certificate": "shop/web", "revision": "3"}


@pytest.mark.parametrize(("verbosity", "lines"), [(0, 1), (2, 1), (3, 2), (6, 2)])
def test_verbosity_opens_what_developers_want(verbosity: int, lines: int) -> None:
    assert logged("json", verbosity).count("\n") == lines


@pytest.mark.parametrize(("verbosity", "lines"), [(3, 0), (5, 0), (6, 2)])
def test_libraries_speak_from_six(verbosity: int, lines: int) -> None:
    assert logged("json", verbosity, logger="aiohttp.access").count("\n") == lines


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_second_configuration_replaces_the_first(form: LogFormat) -> None:
    logged("text", 0)

    assert logged(form, 0).count("\n") == 1


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
def test_a_value_cannot_forge_a_line_or_show_a_secret(lines: logging.Formatter) -> None:
    record = record_of({"msg": "Refused\nE0101", "token": SecretText("hunter2"), "said": 'a"\nb'})

    text = lines.format(record)

    assert "\n" not in text
    assert "hunter2" not in text


def test_a_field_cannot_take_the_place_of_a_key() -> None:
    line = json.loads(JsonLines().format(record_of({"msg": "Refused", "level": "shop", "ts": 0})))

    assert line["field_level"] == "shop"
    assert line["ts"] > 0
    assert line["field_ts"] == "0"


def test_a_fault_brings_its_traceback() -> None:
    stream = io.StringIO()
    configure_logging(stream, "json")

    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("certwright").exception("A pass failed")

    line = json.loads(stream.getvalue())
    assert line["level"] == "error"
    assert line["stacktrace"].endswith("ValueError: broken")
