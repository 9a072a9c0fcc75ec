"""Who may do what: everyone everything, or the stored roles of RBAC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from certwright.apiserver import objects
from certwright.apiserver.asked import Asked
from certwright.apiserver.caller import Caller
from certwright.apiserver.storage.store import Store
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.keys import ObjectKey

_GROUP = "rbac.authorization.k8s.io"
_EVERYTHING: JSONObject = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_EVERY_PATH: JSONObject = {"verbs": ["*"], "nonResourceURLs": ["*"]}


class Rights(Protocol):
    """Decides what a caller may do."""

    def allows(self, caller: Caller, asked: Asked) -> bool:
        """Whether the caller may do what is asked of a resource."""

    def allows_path(self, caller: Caller, verb: str, path: str) -> bool:
        """Whether the caller may ask for a path that is no resource."""

    def rules(self, caller: Caller, namespace: str) -> tuple[list[JSON], list[JSON]]:
        """The rules for resources and for paths that hold for the caller in a namespace."""


class AllRights:
    """Everyone may do everything."""

    def allows(self, _caller: Caller, _asked: Asked) -> bool:
        return True

    def allows_path(self, _caller: Caller, _verb: str, _path: str) -> bool:
        return True

    def rules(self, _caller: Caller, _namespace: str) -> tuple[list[JSON], list[JSON]]:
        return [_EVERYTHING], [_EVERY_PATH]


class RoleRights:
    """What the stored Roles, ClusterRoles and their bindings grant; `system:masters` may do everything."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allows(self, caller: Caller, asked: Asked) -> bool:
        return caller.is_master or any(_grants(rule, asked) for rule in self._rules(caller, asked.namespace))

    def allows_path(self, caller: Caller, verb: str, path: str) -> bool:
        return caller.is_master or any(_grants_path(rule, verb, path) for rule in self._rules(caller, ""))

    def rules(self, caller: Caller, namespace: str) -> tuple[list[JSON], list[JSON]]:
        if caller.is_master:
            return [_EVERYTHING], [_EVERY_PATH]
        found = list(self._rules(caller, namespace))
        paths: list[JSON] = [rule for rule in found if rule.get("nonResourceURLs")]
        return [rule for rule in found if not rule.get("nonResourceURLs")], paths

    def _rules(self, caller: Caller, namespace: str) -> Iterator[JSONObject]:
        for binding in self._store.list(f"clusterrolebindings.{_GROUP}"):
            obj = binding.obj()
            if _is_subject(caller, obj, ""):
                yield from self._role(objects.child(obj, "roleRef"), "")
        if not namespace:
            return
        for binding in self._store.list(f"rolebindings.{_GROUP}", namespace):
            obj = binding.obj()
            if _is_subject(caller, obj, namespace):
                yield from self._role(objects.child(obj, "roleRef"), namespace)

    def _role(self, reference: JSONObject, namespace: str) -> list[JSONObject]:
        name = objects.text(reference, "name")
        if objects.text(reference, "kind") == "ClusterRole":
            found = self._store.get(f"clusterroles.{_GROUP}", ObjectKey("", name))
        else:
            found = self._store.get(f"roles.{_GROUP}", ObjectKey(namespace, name))
        return objects.children(found.obj(), "rules") if found else []


def _is_subject(caller: Caller, binding: JSONObject, namespace: str) -> bool:
    for subject in objects.children(binding, "subjects"):
        name = objects.text(subject, "name")
        match objects.text(subject, "kind"):
            case "User" if name == caller.name:
                return True
            case "Group" if name in caller.groups:
                return True
            case "ServiceAccount":
                home = objects.text(subject, "namespace") or namespace
                if caller.name == f"system:serviceaccount:{home}:{name}":
                    return True
    return False


def _grants(rule: JSONObject, asked: Asked) -> bool:
    names = objects.texts(rule, "resourceNames")
    return (
        _has(objects.texts(rule, "verbs"), asked.verb)
        and _has(objects.texts(rule, "apiGroups"), asked.group)
        and _has_resource(objects.texts(rule, "resources"), asked)
        and (not names or asked.name in names)
    )


def _has(listed: list[str], wanted: str) -> bool:
    return "*" in listed or wanted in listed


def _has_resource(listed: list[str], asked: Asked) -> bool:
    if _has(listed, asked.resource):
        return True
    return bool(asked.subresource) and f"*/{asked.subresource}" in listed


def _grants_path(rule: JSONObject, verb: str, path: str) -> bool:
    if not _has(objects.texts(rule, "verbs"), verb):
        return False
    return any(
        pattern == path or (pattern.endswith("*") and path.startswith(pattern[:-1]))
        for pattern in objects.texts(rule, "nonResourceURLs")
    )
