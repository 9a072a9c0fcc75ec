"""The roles, bindings and priorities that every cluster has."""

from __future__ import annotations

from collections.abc import Iterator

from certwright.kube.wire.json import JSON, JSONObject

GROUP = "rbac.authorization.k8s.io"
_READ: tuple[JSON, ...] = ("get", "list", "watch")
_WRITE: tuple[JSON, ...] = ("create", "delete", "deletecollection", "patch", "update")
_OPEN_PATHS: tuple[JSON, ...] = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY_PATHS: tuple[JSON, ...] = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_OPEN_PATHS)
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_EVERYDAY: tuple[JSON, ...] = (
    "configmaps",
    "endpoints",
    "events",
    "pods",
    "pods/log",
    "pods/status",
    "services",
    "services/status",
)


def _rule(groups: tuple[JSON, ...], resources: tuple[JSON, ...], verbs: tuple[JSON, ...]) -> JSONObject:
    return {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}


def _paths(paths: tuple[JSON, ...]) -> JSONObject:
    return {"nonResourceURLs": list(paths), "verbs": ["get"]}


def _role(name: str, rules: list[JSON], labels: dict[str, JSON] | None = None) -> JSONObject:
    shown: JSONObject = {"kubernetes.io/bootstrapping": "rbac-defaults", **(labels or {})}
    metadata: JSONObject = {"name": name, "labels": shown}
    metadata["annotations"] = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
    return {"metadata": metadata, "rules": rules}


def _aggregated(name: str, below: str = "") -> JSONObject:
    role = _role(name, [], {f"{_AGGREGATE}{below}": "true"} if below else None)
    role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {f"{_AGGREGATE}{name}": "true"}}]}
    return role


def cluster_roles() -> Iterator[JSONObject]:
    """The default ClusterRoles, as far as their resources are served here."""
    every_path: JSONObject = {"nonResourceURLs": ["*"], "verbs": ["*"]}
    yield _role("cluster-admin", [_rule(("*",), ("*",), ("*",)), every_path])
    yield _aggregated("admin")
    yield _aggregated("edit", "admin")
    yield _aggregated("view", "edit")
    workloads = (
        _rule(("",), _EVERYDAY, _READ),
        _rule(("apps",), ("deployments", "deployments/scale", "deployments/status"), _READ),
        _rule(("batch",), ("jobs", "jobs/status"), _READ),
        _rule(("networking.k8s.io",), ("ingresses", "ingresses/status", "networkpolicies"), _READ),
        _rule(("discovery.k8s.io",), ("endpointslices",), _READ),
        _rule(("",), ("namespaces", "serviceaccounts", "resourcequotas", "limitranges"), _READ),
    )
    yield _role("system:aggregate-to-view", list(workloads), {f"{_AGGREGATE}view": "true"})
    changes = (
        _rule(("",), ("configmaps", "endpoints", "events", "pods", "secrets", "serviceaccounts", "services"), _WRITE),
        _rule(("",), ("secrets",), _READ),
        _rule(("",), ("serviceaccounts/token",), ("create",)),
        _rule(("apps",), ("deployments", "deployments/scale"), _WRITE),
        _rule(("batch",), ("jobs",), _WRITE),
        _rule(("networking.k8s.io",), ("ingresses", "networkpolicies"), _WRITE),
        _rule(("coordination.k8s.io",), ("leases",), (*_READ, *_WRITE)),
    )
    yield _role("system:aggregate-to-edit", list(changes), {f"{_AGGREGATE}edit": "true"})
    rights = (
        _rule(("authorization.k8s.io",), ("localsubjectaccessreviews",), ("create",)),
        _rule((GROUP,), ("roles", "rolebindings"), (*_READ, *_WRITE)),
    )
    yield _role("system:aggregate-to-admin", list(rights), {f"{_AGGREGATE}admin": "true"})
    yield _role("system:discovery", [_paths(_DISCOVERY_PATHS)])
    yield _role("system:public-info-viewer", [_paths(_OPEN_PATHS)])
    asking = (
        _rule(("authorization.k8s.io",), ("selfsubjectaccessreviews", "selfsubjectrulesreviews"), ("create",)),
        _rule(("authentication.k8s.io",), ("selfsubjectreviews",), ("create",)),
    )
    yield _role("system:basic-user", list(asking))
    delegated = (
        _rule(("authentication.k8s.io",), ("tokenreviews",), ("create",)),
        _rule(("authorization.k8s.io",), ("subjectaccessreviews",), ("create",)),
    )
    yield _role("system:auth-delegator", list(delegated))


def cluster_role_bindings() -> Iterator[JSONObject]:
    """The default ClusterRoleBindings."""
    yield _binding("cluster-admin", ("system:masters",))
    yield _binding("system:discovery", ("system:authenticated",))
    yield _binding("system:basic-user", ("system:authenticated",))
    yield _binding("system:public-info-viewer", ("system:authenticated", "system:unauthenticated"))


def _binding(role: str, groups: tuple[str, ...]) -> JSONObject:
    subjects: list[JSON] = [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in groups]
    shown = _role(role, [])
    return {
        "metadata": shown["metadata"],
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": subjects,
    }


def priority_classes() -> Iterator[JSONObject]:
    """The priorities of what a cluster cannot do without."""
    for name, value in (("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)):
        yield {"metadata": {"name": name}, "value": value, "description": "For what the cluster cannot do without."}
