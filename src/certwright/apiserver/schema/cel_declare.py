"""How a Python function becomes a function of CEL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cel_expr_python import cel

# The library finds an implementation by exact kinds only, so what takes anything is declared for each of these.
ANYTHING = (
    cel.Type.BOOL,
    cel.Type.INT,
    cel.Type.UINT,
    cel.Type.DOUBLE,
    cel.Type.STRING,
    cel.Type.BYTES,
    cel.Type.LIST,
    cel.Type.MAP,
    cel.Type.DURATION,
    cel.Type.TIMESTAMP,
)
TYPES = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "list": cel.Type.LIST,
    # Values of Kubernetes' own types (quantity, ip, cidr, url, format) are maps: the library knows no others.
    "map": cel.Type.MAP,
    "dyn": cel.Type.DYN,
}


class Signatures:
    """The overloads of functions, gathered by name."""

    def __init__(self) -> None:
        self._overloads: dict[str, list[Any]] = {}

    def function(self, signature: str, call: Callable[..., object]) -> None:
        """Declare `name(string, any) int`; of `any` there may be one. An error that `call` raises is one of CEL."""
        self._declare(signature, call, is_member=False)

    def member(self, signature: str, call: Callable[..., object]) -> None:
        """Declare `name(list) bool`, called on its first argument."""
        self._declare(signature, call, is_member=True)

    def _declare(self, signature: str, call: Callable[..., object], *, is_member: bool) -> None:
        name, _, rest = signature.partition("(")
        listed, _, returns = rest.partition(") ")
        parameters = [part.strip() for part in listed.split(",") if part.strip()]
        for one in ANYTHING if "any" in parameters else (None,):
            types = [one if part == "any" else TYPES[part] for part in parameters]
            overloads = self._overloads.setdefault(name, [])
            identity = f"kubernetes_{name.replace('.', '_')}_{len(overloads)}"
            overloads.append(cel.Overload(identity, TYPES[returns], types, is_member, call))

    def extension(self, name: str) -> Any:
        """All of them, as the library takes them."""
        return cel.CelExtension(name, [cel.FunctionDecl(each, found) for each, found in self._overloads.items()])
