"""Who a request comes from."""

from __future__ import annotations

from msgspec import Struct

from certwright.kube.wire.json import JSON, JSONObject

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


def user_info(caller: Caller) -> JSONObject:
    """The caller as reviews tell of one (authentication.k8s.io/v1 UserInfo)."""
    groups: list[JSON] = list(caller.groups)
    shown: JSONObject = {"username": caller.name, "groups": groups}
    if caller.uid:
        shown["uid"] = caller.uid
    if caller.extra:
        shown["extra"] = {name: list(values) for name, values in caller.extra.items()}
    return shown


ANONYMOUS = Caller("system:anonymous", ("system:unauthenticated",))
INTERNAL = Caller("system:apiserver", (MASTERS, "system:authenticated"))
