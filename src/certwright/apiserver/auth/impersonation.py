"""Requests made in the name of another: the `Impersonate-…` headers that `kubectl --as` sends."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from multidict import CIMultiDictProxy

from certwright.apiserver.asked import Asked
from certwright.apiserver.auth.authenticate import AUTHENTICATED
from certwright.apiserver.auth.rights import Rights
from certwright.apiserver.caller import Caller
from certwright.kube.wire.status import Forbidden, InternalError

_USER, _GROUP, _UID, _EXTRA = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "impersonate-extra-"
_ACCOUNT = "system:serviceaccount:"
_AUTHENTICATION = "authentication.k8s.io"


def impersonated(headers: CIMultiDictProxy[str], caller: Caller, rights: Rights) -> Caller:
    """Whom the request is made for: the caller, or whom the headers name; Forbidden where that is not allowed."""
    user, groups, uid = headers.get(_USER, ""), tuple(headers.getall(_GROUP, ())), headers.get(_UID, "")
    extra = {
        unquote(name[len(_EXTRA) :]).lower(): tuple(headers.getall(name))
        for name in headers
        if name.lower().startswith(_EXTRA)
    }
    if not user:
        if groups or uid or extra:
            raise InternalError.of("requested impersonation without a user; send Impersonate-User too")
        return caller
    for asked in _asked(user, groups, uid, extra):
        if not rights.allows(caller, asked):
            resource = f"{asked.plural}.{asked.group}" if asked.group else asked.plural
            what = f'User "{caller.name}" cannot impersonate resource "{asked.resource}" in API group "{asked.group}"'
            where = f' in the namespace "{asked.namespace}"' if asked.namespace else " at the cluster scope"
            raise Forbidden.of(f'{resource} "{asked.name}" is forbidden: {what}{where}')
    return Caller(user, _with_own_groups(user, groups), uid, extra)


def _asked(user: str, groups: tuple[str, ...], uid: str, extra: dict[str, tuple[str, ...]]) -> Iterator[Asked]:
    """The permissions that are needed, one for each thing that is claimed."""
    if user.startswith(_ACCOUNT) and user.count(":") == _ACCOUNT.count(":") + 1:
        _, _, namespace, name = user.split(":")
        yield Asked("impersonate", "", "v1", "serviceaccounts", namespace, name)
    else:
        yield Asked("impersonate", "", "v1", "users", "", user)
    for group in groups:
        yield Asked("impersonate", "", "v1", "groups", "", group)
    if uid:
        yield Asked("impersonate", _AUTHENTICATION, "v1", "uids", "", uid)
    for key, values in extra.items():
        for value in values:
            yield Asked("impersonate", _AUTHENTICATION, "v1", "userextras", "", value, key)


def _with_own_groups(user: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    if user.startswith(_ACCOUNT) and not groups:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{user.split(':')[2]}")
    if user == "system:anonymous" or AUTHENTICATED in groups:
        return groups
    return (*groups, AUTHENTICATED)
