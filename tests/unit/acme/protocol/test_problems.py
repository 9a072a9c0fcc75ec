from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.acme.protocol.problems import LONGEST_DETAIL, MOST_SUBPROBLEMS, acme_problem, read_problem

# RFC 8555 section 6.7.1
COMPOUND = json.dumps(
    {
        "type": "urn:ietf:params:acme:error:malformed",
        "detail": "Some of the identifiers requested were rejected",
        "subproblems": [
            {
                "type": "urn:ietf:params:acme:error:malformed",
                "detail": 'Invalid underscore in DNS name "_example.org"',
                "identifier": {"type": "dns", "value": "_example.org"},
            },
            {
                "type": "urn:ietf:params:acme:error:rejectedIdentifier",
                "detail": 'This CA will not issue for "example.net"',
                "identifier": {"type": "dns", "value": "example.net"},
            },
        ],
    }
).encode()


def test_the_text_of_the_compound_problem_of_rfc_8555() -> None:
    problem = read_problem(COMPOUND, 403)

    assert problem.kind == "malformed"
    assert str(problem) == (
        "403 urn:ietf:params:acme:error:malformed: Some of the identifiers requested were rejected; subproblems:"
        '\n\turn:ietf:params:acme:error:malformed: [dns: _example.org] Invalid underscore in DNS name "_example.org"'
        '\n\turn:ietf:params:acme:error:rejectedIdentifier: [dns: example.net] This CA will not issue for "example.net"'
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>secret page</html>", "text/html"),
        (b"", "application/problem+json"),
        (b"[1, 2]", "application/problem+json"),
        (b'{"detail": "secret page"}', "application/json"),
        (b"[" * 100_000, "application/problem+json"),
    ],
)
def test_a_body_that_is_no_problem_is_not_quoted(body: bytes, content_type: str) -> None:
    problem = read_problem(body, 502, content_type)

    assert str(problem).startswith("502 about:blank: the server gave no problem document")
    assert "secret" not in str(problem)


def test_the_status_is_the_one_of_the_answer() -> None:
    assert read_problem(b'{"type": "x", "detail": "d", "status": 200}', 429).status == 429


def test_what_is_long_is_cut() -> None:
    document = {"type": "t", "detail": "x" * 100_000, "subproblems": [{"detail": "y"}] * 1000}

    problem = read_problem(json.dumps(document).encode(), 400)

    assert len(problem.detail) == LONGEST_DETAIL
    assert len(problem.subproblems) == MOST_SUBPROBLEMS


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(300, 599))
def test_any_body_makes_a_problem_with_that_status(body: bytes, status: int) -> None:
    assert read_problem(body, status).status == status


def test_a_problem_of_ours_has_the_acme_type() -> None:
    assert acme_problem("badNonce", "again", 400).type == "urn:ietf:params:acme:error:badNonce"
