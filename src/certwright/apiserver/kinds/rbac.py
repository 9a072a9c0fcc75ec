"""Role, ClusterRole and their bindings."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.definition import NAME_COLUMN, Cell, Column, Hooks
from certwright.apiserver.kinds.build import AGE, Kind
from certwright.apiserver.kinds.dsl import fields, items, label_selector, root, text, whole
from certwright.apiserver.objects import child, children, meta, texts
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, invalid, not_supported, required
from certwright.apiserver.schema.names import segment_name
from certwright.apiserver.schema.node import same
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import Resource

GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("Group", "ServiceAccount", "User")


def _rule_faults(role: JSONObject, _old: JSONObject | None) -> list[Cause]:
    found: list[Cause] = []
    for index, rule in enumerate(children(role, "rules")):
        path = f"rules[{index}]"
        if not texts(rule, "verbs"):
            found.append(required(f"{path}.verbs", "verbs must contain at least one value"))
        if texts(rule, "nonResourceURLs"):
            if text_of(role, "kind") == "Role":
                urls = rule.get("nonResourceURLs")
                found.append(
                    invalid(f"{path}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
                )
            continue
        if not texts(rule, "apiGroups"):
            found.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
        if not texts(rule, "resources"):
            found.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    return found


def _default_binding(binding: JSONObject) -> None:
    role = child(binding, "roleRef")
    if role and not role.get("apiGroup"):
        role["apiGroup"] = GROUP
    for subject in children(binding, "subjects"):
        if not subject.get("apiGroup"):
            if text_of(subject, "kind") in {"User", "Group"}:
                subject["apiGroup"] = GROUP
            else:
                subject.pop("apiGroup", None)


def _binding_faults(binding: JSONObject, old: JSONObject | None) -> list[Cause]:
    role = child(binding, "roleRef")
    kinds = ("ClusterRole",) if text_of(binding, "kind") == "ClusterRoleBinding" else ("ClusterRole", "Role")
    found: list[Cause] = []
    if text_of(role, "apiGroup") != GROUP:
        found.append(not_supported("roleRef.apiGroup", role.get("apiGroup") or "", (GROUP,)))
    if text_of(role, "kind") not in kinds:
        found.append(not_supported("roleRef.kind", role.get("kind") or "", kinds))
    if not text_of(role, "name"):
        found.append(required("roleRef.name"))
    for index, subject in enumerate(children(binding, "subjects")):
        found += _subject_faults(subject, f"subjects[{index}]")
    if old is not None and not same(role, child(old, "roleRef")):
        found.append(invalid("roleRef", role, "cannot change roleRef"))
    return found


def _subject_faults(subject: JSONObject, path: str) -> list[Cause]:
    found = [] if text_of(subject, "name") else [required(f"{path}.name")]
    kind = text_of(subject, "kind")
    if kind not in _SUBJECTS:
        found.append(not_supported(f"{path}.kind", kind, _SUBJECTS))
    if kind == "ServiceAccount" and not text_of(subject, "namespace"):
        found.append(required(f"{path}.namespace"))
    return found


def _named(kind: str) -> Cell:
    def cell(binding: JSONObject, _now: datetime) -> str:
        subjects = [each for each in children(binding, "subjects") if text_of(each, "kind") == kind]
        spaces = [f"{text_of(each, 'namespace')}/" if kind == "ServiceAccount" else "" for each in subjects]
        return ", ".join(space + text_of(each, "name") for space, each in zip(spaces, subjects, strict=True))

    return cell


def _role(binding: JSONObject, _now: datetime) -> str:
    role = child(binding, "roleRef")
    return f"{text_of(role, 'kind')}/{text_of(role, 'name')}"


_RULE = fields(
    "What may be done.",
    needs=("verbs",),
    verbs=items(text(), "Verbs, or *."),
    apiGroups=items(text(), "API groups, or *."),
    resources=items(text(), "Resources, or *."),
    resourceNames=items(text(), "Names of objects; all where empty."),
    nonResourceURLs=items(text(), "Paths that are no resources."),
)
_RIGHTS = "Rights that bindings grant."
_RULES = items(_RULE, "The rights.")
_ROLE_COLUMNS = (
    NAME_COLUMN,
    Column("Created At", "date", cell=lambda obj, _now: meta(obj).get("creationTimestamp")),
)
_BINDING_COLUMNS = (
    NAME_COLUMN,
    Column("Role", cell=_role),
    AGE,
    Column("Users", priority=1, cell=_named("User")),
    Column("Groups", priority=1, cell=_named("Group")),
    Column("ServiceAccounts", priority=1, cell=_named("ServiceAccount")),
)
_AGGREGATION = fields(
    "Roles whose rules are drawn together.",
    clusterRoleSelectors=items(label_selector(), "Labels of the roles."),
)
_ROLE_REF = whole(
    fields(
        "The role that is granted; cannot change.",
        needs=("apiGroup", "kind", "name"),
        apiGroup=text("Its group."),
        kind=text("Its kind."),
        name=text("Its name."),
    )
)
_SUBJECT = whole(
    fields(
        "Who is granted the role.",
        needs=("kind", "name"),
        kind=text("User, Group or ServiceAccount."),
        apiGroup=text("Its group."),
        name=text("Its name."),
        namespace=text("Its namespace."),
    )
)


def _role_kind(plural: str, kind: str, namespaced: bool, schema: JSONObject) -> Kind:
    return Kind(
        resource=Resource(GROUP, "v1", plural, kind, namespaced),
        schema=schema,
        columns=_ROLE_COLUMNS,
        name_rule=segment_name,
        hooks=Hooks(faults=_rule_faults),
    )


def _binding_kind(plural: str, kind: str, namespaced: bool) -> Kind:
    return Kind(
        resource=Resource(GROUP, "v1", plural, kind, namespaced),
        schema=root(
            "Grants a role.",
            needs=("roleRef",),
            subjects=items(_SUBJECT, "To whom it is granted."),
            roleRef=_ROLE_REF,
        ),
        columns=_BINDING_COLUMNS,
        name_rule=segment_name,
        hooks=Hooks(default=_default_binding, faults=_binding_faults),
    )


KINDS = (
    _role_kind("clusterroles", "ClusterRole", False, root(_RIGHTS, rules=_RULES, aggregationRule=_AGGREGATION)),
    _binding_kind("clusterrolebindings", "ClusterRoleBinding", False),
    _role_kind("roles", "Role", True, root(_RIGHTS, rules=_RULES)),
    _binding_kind("rolebindings", "RoleBinding", True),
)
