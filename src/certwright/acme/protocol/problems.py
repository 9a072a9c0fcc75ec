"""Problem documents (RFC 9457) with the error types and subproblems of RFC 8555 section 6.7."""

from __future__ import annotations

import msgspec
from msgspec import Struct

CONTENT_TYPE = "application/problem+json"
ABOUT_BLANK = "about:blank"
ERROR_PREFIX = "urn:ietf:params:acme:error:"
# Texts of another party end in conditions and events, which are small.
LONGEST_DETAIL = 4096
MOST_SUBPROBLEMS = 100


class ProblemIdentifier(Struct, frozen=True):
    """The identifier that a subproblem is about."""

    type: str
    value: str


class Subproblem(Struct, frozen=True, omit_defaults=True):
    """What is wrong with one identifier."""

    type: str = ABOUT_BLANK
    detail: str = ""
    identifier: ProblemIdentifier | None = None

    def __str__(self) -> str:
        about = f"[{self.identifier.type}: {self.identifier.value}] " if self.identifier else ""
        return f"{self.type}: {about}{self.detail}"


class Problem(Struct, frozen=True, omit_defaults=True):
    """What the CA says is wrong; `str()` is the text that conditions and events carry."""

    type: str = ABOUT_BLANK
    detail: str = ""
    status: int = 0
    instance: str = ""
    subproblems: tuple[Subproblem, ...] = ()

    @property
    def kind(self) -> str:
        """The last part of an ACME error type (`rateLimited`), or the whole type where it is another's."""
        return self.type.removeprefix(ERROR_PREFIX)

    def __str__(self) -> str:
        text = f"{self.status} {self.type}: {self.detail}" if self.status else f"{self.type}: {self.detail}"
        if not self.subproblems:
            return text
        return text + "; subproblems:" + "".join(f"\n\t{sub}" for sub in self.subproblems)


def acme_problem(kind: str, detail: str, status: int, subproblems: tuple[Subproblem, ...] = ()) -> Problem:
    """A problem of the ACME error type `kind`."""
    return Problem(ERROR_PREFIX + kind, detail, status, "", subproblems)


def read_problem(body: bytes, status: int, content_type: str = CONTENT_TYPE) -> Problem:
    """The problem in an answer of HTTP `status`; a body that is none is never quoted, since it may be anybody's."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.MsgspecError, RecursionError):
        problem = Problem()
    if problem.kind == ABOUT_BLANK and (content_type != CONTENT_TYPE or not problem.detail):
        problem = Problem(detail="the server gave no problem document; check the URL and the server's own log")
    return msgspec.structs.replace(
        problem,
        status=status,
        detail=problem.detail[:LONGEST_DETAIL],
        subproblems=problem.subproblems[:MOST_SUBPROBLEMS],
    )
