"""What an admission function is asked, and how it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct

from certwright.apiserver.caller import Caller
from certwright.apiserver.definition import Definition
from certwright.kube.wire.json import JSONObject

Operation = Literal["CREATE", "UPDATE", "DELETE"]


class Review(Struct, frozen=True, kw_only=True):
    """One write that is about to happen."""

    operation: Operation
    definition: Definition
    namespace: str
    name: str
    subresource: str
    obj: JSONObject | None
    """What is to be stored, in the version of the request; None for DELETE."""
    old: JSONObject | None
    """What is stored now; None for CREATE."""
    caller: Caller
    dry_run: bool
    options: JSONObject
    warnings: list[str]
    """A function may add to it; the client sees each as a `Warning:` header."""


# A mutating function returns the object to go on with; both kinds raise an ApiError to refuse.
Mutate = Callable[[Review], Awaitable[JSONObject]]
Validate = Callable[[Review], Awaitable[None]]


class Hooks(Struct, frozen=True):
    """The admission functions of a server, called in order."""

    mutate: tuple[Mutate, ...] = ()
    validate: tuple[Validate, ...] = ()
