from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.rest import LONGEST_WORDS, failure_words, redact, tls_context, words_of

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["error", "errors", "message", "code"]), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errors": [{"code": 9109, "message": "Invalid access token"}]}, "Invalid access token (9109)"),
        ({"message": "not found"}, "not found"),
        ({"error": {"message": "denied", "code": "AuthorizationFailed"}}, "denied (AuthorizationFailed)"),
        ({"errors": ["permission denied", "and more"]}, "permission denied; and more"),
        ({"error": "invalid_grant", "error_description": "bad assertion"}, "bad assertion: invalid_grant"),
        ({"detail": "two\nlines  of text"}, "two lines of text"),
        ({"data": "nothing that speaks"}, ""),
        ([], ""),
        (5, ""),
    ],
)
def test_the_shapes_of_cloud_apis_are_read(body: object, words: str) -> None:
    assert words_of(json.dumps(body).encode()) == words


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_no_json_has_no_words(body: bytes) -> None:
    assert words_of(body) == ""


@settings(deadline=None)
@given(ANY_JSON)
def test_any_json_gives_short_words_in_one_line(document: object) -> None:
    words = words_of(json.dumps(document).encode())

    assert len(words) <= LONGEST_WORDS
    assert "\n" not in words


@pytest.mark.parametrize(
    ("words", "secrets", "wanted"),
    [
        ("the token abcd1234 is bad", ["Bearer abcd1234"], "the token [hidden] is bad"),
        ("Bearer is the wrong scheme", ["Bearer abcd1234"], "Bearer is the wrong scheme"),
        ("abcd1234 and abcd12345", ["abcd1234", "abcd12345"], "[hidden] and [hidden]"),
        ("a", ["a"], "a"),
    ],
)
def test_secrets_are_hidden_also_in_parts(words: str, secrets: list[str], wanted: str) -> None:
    assert redact(words, secrets) == wanted


def test_a_failed_connection_is_told_alike_each_time() -> None:
    told = {
        failure_words(OSError(f"Cannot connect to host ca.test:443 ssl:{tls} [Connection refused]"))
        for tls in (tls_context(), tls_context(), True, "default")
    }

    assert told == {"Cannot connect to host ca.test:443 [Connection refused]"}
