"""Requests that the CA refuses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from certwright.acme.protocol.problems import Problem, Subproblem, acme_problem


class Refused(Exception):
    """The request is answered with this problem, these headers and, in the document, these further members."""

    def __init__(
        self,
        problem: Problem,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.headers = dict(headers or {})
        self.members = dict(members or {})


def malformed(detail: str, status: int = HTTPStatus.BAD_REQUEST) -> Refused:
    """The request is not what the protocol says it must be."""
    return refused("malformed", detail, status)


def unauthorized(detail: str, status: int = HTTPStatus.FORBIDDEN) -> Refused:
    """The requester may not do this."""
    return refused("unauthorized", detail, status)


def refused(
    kind: str, detail: str, status: int = HTTPStatus.BAD_REQUEST, subproblems: tuple[Subproblem, ...] = ()
) -> Refused:
    """A refusal of the ACME error type `kind`."""
    return Refused(acme_problem(kind, detail, status, subproblems))


def rate_limited(detail: str, after: timedelta) -> Refused:
    """Too much in too short a time."""
    seconds = max(1, round(after.total_seconds()))
    problem = acme_problem("rateLimited", detail, HTTPStatus.TOO_MANY_REQUESTS)
    return Refused(problem, {"Retry-After": str(seconds)})
