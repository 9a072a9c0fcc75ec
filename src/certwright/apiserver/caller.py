"""Who a request comes from."""

from __future__ import annotations

from msgspec import Struct

MASTERS = "system:masters"


class Caller(Struct, frozen=True):
    """A user as the API knows one: a name, groups, and what the authenticator adds."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, tuple[str, ...]] = {}

    @property
    def is_master(self) -> bool:
        """Whether no rule restrains this caller."""
        return MASTERS in self.groups


ANONYMOUS = Caller("system:anonymous", ("system:unauthenticated",))
INTERNAL = Caller("system:apiserver", (MASTERS, "system:authenticated"))
