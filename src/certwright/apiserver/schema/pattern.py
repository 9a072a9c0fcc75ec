"""Regular expressions with the meaning of RE2, which the API server uses."""

from __future__ import annotations

import re
from collections.abc import Callable

from certwright.apiserver.schema.re2 import re2_match

Matcher = Callable[[str], bool]

# Constructs that Python reads differently, or not at all: Unicode classes, POSIX classes, flags, \z, \Q…\E, octal
# and look-around or possessive forms that RE2 refuses.
_FOREIGN = re.compile(r"\\[pPzZQECG0-9kxX]|\[\[|\(\?|[*+?}]\+|\\[AbBaefv]")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{\d*,?\d*\})")
# Python's engine backtracks: a repeated group that itself repeats could take for ever, so RE2 takes such patterns.
_REPETITION = re.compile(r"[*+]|\{\d+,\d*\}")


def _python_form(pattern: str) -> str | None:
    """The pattern for Python's engine, or None where only RE2 reads it rightly and in bounded time."""
    if _FOREIGN.search(pattern):
        return None
    if _REPEATED_GROUP.search(pattern) and len(_REPETITION.findall(pattern)) > 1:
        return None
    return re.sub(r"((?:^|[^\\])(?:\\\\)*)\$(?![^\[]*\])", r"\1\\Z", pattern)


def compile_pattern(pattern: str) -> Matcher:
    """A test whether a text contains a match of `pattern`; ValueError where RE2 would refuse the pattern."""
    refusal = re2_match(pattern, "")
    if isinstance(refusal, str):
        raise ValueError(refusal)
    form = _python_form(pattern)
    if form is not None:
        try:
            search = re.compile(form, re.ASCII).search
        except (re.error, OverflowError):
            pass
        else:
            return lambda text: search(text) is not None
    return lambda text: re2_match(pattern, text) is True
