"""What a path and a method ask for."""

from __future__ import annotations

from urllib.parse import unquote

from certwright.apiserver.asked import Asked

_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OF_A_NAMESPACE = frozenset({"status", "finalize"})


def parse_path(method: str, path: str, *, is_watch: bool) -> Asked | None:
    """What is asked for under `/api/…` and `/apis/…`; None where the path names no resource."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    is_watch_path = False
    if rest[0] == "watch" and len(rest) > 1:
        rest, is_watch_path = rest[1:], True
    namespace, rest = _namespace(group, rest)
    if len(rest) > 3:
        return None
    plural, name, subresource = (*rest, "", "")[:3]
    # Of one object `watch` is no question, save below `/watch/`: the parameter means nothing there.
    verb = _verb(method, name, is_watch=is_watch_path or (is_watch and not name))
    return Asked(verb, group, version, plural, namespace, name, subresource) if verb else None


def _namespace(group: str, rest: list[str]) -> tuple[str, list[str]]:
    if rest[0] != "namespaces" or len(rest) < 2:
        return "", rest
    # A namespace is itself a resource of the core group: `namespaces/x` and `namespaces/x/status` mean it.
    if len(rest) == 2 or (group == "" and len(rest) == 3 and rest[2] in _OF_A_NAMESPACE):
        return (rest[1] if group == "" else ""), rest
    return rest[1], rest[2:]


def _verb(method: str, name: str, *, is_watch: bool) -> str:
    verb = _VERBS.get(method, "")
    if verb == "get":
        if is_watch:
            return "watch"
        return "get" if name else "list"
    if verb == "delete" and not name:
        return "deletecollection"
    return verb
