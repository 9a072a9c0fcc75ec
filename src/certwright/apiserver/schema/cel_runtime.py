"""The CEL evaluator behind one small interface: nothing else knows the library."""

from __future__ import annotations

from functools import lru_cache

from cel_expr_python import cel


@lru_cache(maxsize=1)
def _regular_expressions() -> object:
    env = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return env.compile("text.matches(pattern)")


def re2_match(pattern: str, text: str) -> bool | str:
    """Whether RE2 finds `pattern` in `text`; a sentence where the pattern is not valid."""
    answer = _regular_expressions().eval(data={"text": text, "pattern": pattern})  # type: ignore[attr-defined] # untyped library
    value = answer.value()
    return value if isinstance(value, bool) else str(value)
