"""What the ACME client raises."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from certwright.acme.protocol.problems import Problem

# Answers below 500 that say "not now" rather than "never".
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_PASSING_KINDS = {"rateLimited", "badNonce", "serverInternal"}


class AcmeUnreachable(Exception):
    """No usable answer came: refused, timed out, not ACME, or too large; the same request may succeed later."""


class AcmeProblem(Exception):
    """The server refused a request; `str()` is `<status> <type>: <detail>` with any subproblems on further lines."""

    def __init__(self, problem: Problem, status: int, retry_after: timedelta | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.status = status
        self.retry_after = retry_after

    @property
    def kind(self) -> str:
        """The ACME error type without its prefix, as `malformed`."""
        return self.problem.kind

    @property
    def is_rate_limited(self) -> bool:
        """Whether a limit was hit; `retry_after` may say until when."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or self.kind == "rateLimited"

    @property
    def is_account_gone(self) -> bool:
        """Whether the CA does not know the account (any more)."""
        return self.kind == "accountDoesNotExist"

    @property
    def is_terminal(self) -> bool:
        """Whether the same request will never be accepted."""
        passing = self.status in _PASSING or self.kind in _PASSING_KINDS
        return HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR and not passing
