"""Regular expressions as RE2 reads them, by way of the CEL library, which has RE2 inside."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cel_expr_python import cel


@lru_cache(maxsize=1)
def _matcher() -> Any:
    env = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return env.compile("text.matches(pattern)")


def re2_match(pattern: str, text: str) -> bool | str:
    """Whether RE2 finds `pattern` in `text`; a sentence where the pattern is not valid."""
    value = _matcher().eval(data={"text": text, "pattern": pattern}).value()
    return value if isinstance(value, bool) else str(value)
