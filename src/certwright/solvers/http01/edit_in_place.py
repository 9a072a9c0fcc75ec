"""A challenge's path on an Ingress of the user's: JSON Patch operations to add it and to take it away again."""

from __future__ import annotations

from certwright.kube.wire.json import JSON, JSONObject

RULES = "/spec/rules"


def operations_to_add(version: str, spec: JSON, host: str, path: JSONObject) -> list[JSONObject]:
    """Put the path first among those of the host; nothing where it is there already.

    A rule without paths is left alone and gets a rule of the host beside it, so that removing restores it.
    `version` is the resource version of what was read.
    """
    rules = _rules(spec)
    ours = [at for at, rule in enumerate(rules) if isinstance(rule, dict) and rule.get("host", "") == host]
    for at in ours:
        for number, found in enumerate(_paths(rules[at])):
            if _is_path(found, path["path"]):
                place = f"{RULES}/{at}/http/paths/{number}"
                return [] if found == path else [_guard(version), {"op": "replace", "path": place, "value": path}]
    for at in ours:
        if _paths(rules[at]):
            return [_guard(version), {"op": "add", "path": f"{RULES}/{at}/http/paths/0", "value": path}]
    added: JSONObject = {**({"host": host} if host else {}), "http": {"paths": [path]}}
    if rules:
        return [_guard(version), {"op": "add", "path": f"{RULES}/-", "value": added}]
    return [_guard(version), {"op": "add", "path": RULES, "value": [added]}]


def operations_to_remove(version: str, spec: JSON, path: str) -> list[JSONObject]:
    """Take the path away wherever it is, and a rule that it leaves empty; nothing where it is not there."""
    rules = _rules(spec)
    operations: list[JSONObject] = []
    gone = 0
    for at in reversed(range(len(rules))):
        paths = _paths(rules[at])
        ours = [number for number, found in enumerate(paths) if _is_path(found, path)]
        if ours and len(ours) == len(paths):
            gone += 1
            operations.append(_remove_rule(at, alone=gone == len(rules), spec=spec))
        else:
            operations += [_remove(f"{RULES}/{at}/http/paths/{number}") for number in reversed(ours)]
    return [_guard(version), *operations] if operations else []


def _remove_rule(at: int, *, alone: bool, spec: JSON) -> JSONObject:
    if not alone:
        return _remove(f"{RULES}/{at}")
    # An Ingress has rules or a default backend: where the user took both away meanwhile, an empty rule stays.
    has_default = isinstance(spec, dict) and spec.get("defaultBackend") is not None
    return _remove(RULES if has_default else f"{RULES}/{at}/http")


def _remove(path: str) -> JSONObject:
    return {"op": "remove", "path": path}


def _guard(version: str) -> JSONObject:
    return {"op": "test", "path": "/metadata/resourceVersion", "value": version}


def _rules(spec: JSON) -> list[JSON]:
    rules = spec.get("rules") if isinstance(spec, dict) else None
    return rules if isinstance(rules, list) else []


def _paths(rule: JSON) -> list[JSON]:
    http = rule.get("http") if isinstance(rule, dict) else None
    paths = http.get("paths") if isinstance(http, dict) else None
    return paths if isinstance(paths, list) else []


def _is_path(found: JSON, path: JSON) -> bool:
    return isinstance(found, dict) and found.get("path") == path
