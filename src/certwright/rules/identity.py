"""Who made a CertificateRequest: filled in at creation, and never another one afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import JSONObject
from certwright.rules.validation import FORBIDDEN, Problem

_NOT_YOURS = "It is not that of the requester; leave it out, it is filled in."


class Requester(Struct, frozen=True, kw_only=True):
    """Who asks, as the API server knows them (authentication.k8s.io UserInfo)."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def identity_patch(spec: JSONObject, requester: Requester) -> list[JSONObject]:
    """The JSON patch that puts the requester into a CertificateRequest with this spec, over whatever it claims."""
    fields: JSONObject = {"username": requester.username, "uid": requester.uid}
    if requester.groups:
        fields["groups"] = list(requester.groups)
    if requester.extra:
        fields["extra"] = {name: list(values) for name, values in requester.extra.items()}
    claimed = [name for name in ("groups", "extra") if name in spec and name not in fields]
    added: list[JSONObject] = [{"op": "add", "path": f"/spec/{name}", "value": value} for name, value in fields.items()]
    removed: list[JSONObject] = [{"op": "remove", "path": f"/spec/{name}"} for name in claimed]
    return added + removed


def identity_problems(spec: cm.CertificateRequestSpec, requester: Requester) -> Iterator[Problem]:
    """Where a new CertificateRequest claims to be of somebody else; the order of groups and values says nothing."""
    same = {
        "username": spec.username == requester.username,
        "uid": spec.uid == requester.uid,
        "groups": sorted(spec.groups) == sorted(requester.groups),
        "extra": _sorted(spec.extra) == _sorted(requester.extra),
    }
    for name, holds in same.items():
        if not holds:
            yield Problem(f"spec.{name}", _NOT_YOURS, FORBIDDEN)


def _sorted(extra: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {name: sorted(values) for name, values in extra.items()}
