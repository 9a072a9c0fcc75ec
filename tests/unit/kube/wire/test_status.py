from __future__ import annotations

import msgspec
import pytest

from certwright.kube.wire import status as wire
from certwright.kube.wire.status import ApiError, Status, StatusDetails, error_from


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", wire.BadRequest),
        (401, "Unauthorized", wire.Unauthorized),
        (403, "Forbidden", wire.Forbidden),
        (404, "NotFound", wire.NotFound),
        (405, "MethodNotAllowed", wire.MethodNotAllowed),
        (409, "AlreadyExists", wire.AlreadyExists),
        (409, "Conflict", wire.Conflict),
        (410, "Gone", wire.Gone),
        (410, "Expired", wire.Expired),
        (413, "RequestEntityTooLarge", wire.RequestEntityTooLarge),
        (415, "UnsupportedMediaType", wire.UnsupportedMediaType),
        (422, "Invalid", wire.Invalid),
        (429, "TooManyRequests", wire.TooManyRequests),
        (500, "InternalError", wire.InternalError),
        (500, "ServerTimeout", wire.ServerTimeout),
        (503, "ServiceUnavailable", wire.Unavailable),
        (504, "Timeout", wire.Timeout),
        (418, "Teapot", ApiError),
        (409, "", wire.Conflict),
        (410, "", wire.Gone),
        (500, "", wire.InternalError),
    ],
)
def test_reason_then_code_choose_the_exception(code: int, reason: str, expected: type[ApiError]) -> None:
    error = error_from(code, msgspec.json.encode(Status(reason=reason, message="why", code=code)))

    assert type(error) is expected
    assert (error.status.code, str(error)) == (code, "why")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe", b'{"kind":"List"}', b'{"kind":7}', b"[" * 50_000, b"null"]
)
def test_an_answer_that_is_no_status_keeps_its_code(body: bytes) -> None:
    error = error_from(503, body)

    assert type(error) is wire.Unavailable
    assert error.status.reason == "ServiceUnavailable"
    assert str(error).startswith("The server answered 503")
    assert len(str(error)) < 1100


def test_the_other_sides_words_are_kept() -> None:
    assert str(error_from(404, b"404 page not found\n")) == "The server answered 404: 404 page not found"


def test_a_status_without_code_takes_that_of_the_answer() -> None:
    error = error_from(409, b'{"kind":"Status","reason":"Conflict","message":"m"}')

    assert error.status.code == 409


def test_encoding_is_that_of_the_api_server() -> None:
    encoded = msgspec.json.encode(wire.not_found("certificates.cert-manager.io", "shop").status)

    assert encoded == (
        b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
        b'"message":"certificates.cert-manager.io \\"shop\\" not found","reason":"NotFound",'
        b'"details":{"name":"shop","group":"cert-manager.io","kind":"certificates"},"code":404}'
    )


def test_words_of_conflicts() -> None:
    stale = wire.conflict("secrets", "tls", "the object has been modified")

    assert isinstance(stale, wire.Conflict)
    assert str(stale) == 'Operation cannot be fulfilled on secrets "tls": the object has been modified'
    assert str(wire.already_exists("secrets", "tls")) == 'secrets "tls" already exists'


def test_retry_after_comes_from_the_details() -> None:
    assert wire.TooManyRequests.of("slow down", StatusDetails(retry_after_seconds=3)).retry_after_seconds == 3
    assert wire.TooManyRequests.of("slow down").retry_after_seconds == 0


def test_unknown_fields_and_nulls_do_not_hide_the_message() -> None:
    error = error_from(422, b'{"kind":"Status","message":"bad","details":{"causes":null,"x":1},"code":422}')

    assert (type(error), str(error)) == (wire.Invalid, "bad")
