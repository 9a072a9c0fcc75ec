"""Node, PriorityClass, ResourceQuota, LimitRange and APIService; stored, acted on by nobody."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.definition import NAME_COLUMN, Cell, Column, Hooks
from certwright.apiserver.kinds.build import Kind, columns
from certwright.apiserver.kinds.dsl import (
    anything,
    conditions,
    fields,
    items,
    keyed,
    number,
    number_or_text,
    root,
    table,
    text,
    truth,
)
from certwright.apiserver.objects import child, children, ensure, meta
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, invalid
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import Resource

_LARGEST_PRIORITY = 1_000_000_000
_QUANTITIES = table(number_or_text(), "Amounts by resource.")


def _node_state(node: JSONObject, _now: datetime) -> str:
    for condition in children(child(node, "status"), "conditions"):
        if text_of(condition, "type") == "Ready":
            return "Ready" if text_of(condition, "status") == "True" else "NotReady"
    return "Unknown"


NODE = Kind(
    resource=Resource("", "v1", "nodes", "Node", False),
    schema=root(
        "A machine on which pods run.",
        spec=anything("What is wanted."),
        status=fields(
            "What is there.",
            open_ended=True,
            conditions=keyed(
                fields("One aspect of the state.", open_ended=True, type=text("Name of the condition.")), "type"
            ),
            addresses=keyed(fields("An address.", open_ended=True, type=text("Its kind.")), "type"),
        ),
    ),
    short_names=("no",),
    subresources=("status",),
    columns=columns(Column("Status", cell=_node_state)),
    selectable_fields=("spec.unschedulable",),
)


def _priority_faults(priority: JSONObject, old: JSONObject | None) -> list[Cause]:
    value, name = priority.get("value"), text_of(meta(priority), "name")
    found: list[Cause] = []
    if isinstance(value, int) and value > _LARGEST_PRIORITY and not name.startswith("system-"):
        rule = f"maximum allowed value of a user defined priority is {_LARGEST_PRIORITY}"
        found.append(invalid("value", value, rule))
    if old is not None and value != old.get("value"):
        found.append(invalid("value", value, "may not be changed in an update."))
    return found


PRIORITY_CLASS = Kind(
    resource=Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False),
    schema=root(
        "A priority with a name.",
        needs=("value",),
        value=number("The priority; cannot change."),
        globalDefault=truth("Whether pods without a class have it."),
        description=text("What it is for."),
        preemptionPolicy=text("PreemptLowerPriority or Never.", default="PreemptLowerPriority"),
    ),
    short_names=("pc",),
    columns=(
        *columns(
            Column("Value", "integer", path=".value"),
            Column("Global-Default", "boolean", cell=lambda obj, _now: obj.get("globalDefault") is True),
        ),
        Column("PreemptionPolicy", path=".preemptionPolicy"),
    ),
    counts_generations=True,
    hooks=Hooks(faults=_priority_faults),
)


def _default_quota(quota: JSONObject) -> None:
    ensure(quota, "status")


def _use_status(quota: JSONObject, _now: datetime) -> None:
    quota["status"] = {}


def _quota_column(limits: bool) -> Cell:
    """Used and allowed amounts of what is requested, or of what is limited."""

    def cell(quota: JSONObject, _now: datetime) -> str:
        status = child(quota, "status")
        hard, used = child(status, "hard"), child(status, "used")
        shown = [name for name in sorted(hard) if name.startswith("limits.") is limits]
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in shown)

    return cell


RESOURCE_QUOTA = Kind(
    resource=Resource("", "v1", "resourcequotas", "ResourceQuota", True),
    schema=root(
        "Limits of a namespace.",
        spec=fields(
            "What is wanted.",
            hard=_QUANTITIES,
            scopes=items(text(), "Which objects count."),
            scopeSelector=anything("Which objects count."),
        ),
        status=fields("What is there.", hard=_QUANTITIES, used=_QUANTITIES),
    ),
    short_names=("quota",),
    subresources=("status",),
    columns=columns(Column("Request", cell=_quota_column(False)), Column("Limit", cell=_quota_column(True))),
    hooks=Hooks(default=_default_quota, prepare_create=_use_status),
)
LIMIT_RANGE = Kind(
    resource=Resource("", "v1", "limitranges", "LimitRange", True),
    schema=root(
        "Limits of single objects of a namespace.",
        spec=fields(
            "What is wanted.",
            needs=("limits",),
            limits=items(
                fields(
                    "Limits of a kind.",
                    needs=("type",),
                    type=text("Pod, Container or PersistentVolumeClaim."),
                    max=_QUANTITIES,
                    min=_QUANTITIES,
                    default=_QUANTITIES,
                    defaultRequest=_QUANTITIES,
                    maxLimitRequestRatio=_QUANTITIES,
                ),
                "The limits.",
            ),
        ),
    ),
    short_names=("limits",),
    columns=(NAME_COLUMN, Column("Created At", "date", cell=lambda obj, _now: meta(obj).get("creationTimestamp"))),
)


def _service_of(api_service: JSONObject, _now: datetime) -> str:
    service = child(child(api_service, "spec"), "service")
    return f"{text_of(service, 'namespace')}/{text_of(service, 'name')}" if service else "Local"


def _available(api_service: JSONObject, _now: datetime) -> str:
    for condition in children(child(api_service, "status"), "conditions"):
        if text_of(condition, "type") == "Available":
            is_true = text_of(condition, "status") == "True"
            return "True" if is_true else f"{text_of(condition, 'status')} ({text_of(condition, 'reason')})"
    return "Unknown"


def _api_service_faults(api_service: JSONObject, _old: JSONObject | None) -> list[Cause]:
    spec, name = child(api_service, "spec"), text_of(meta(api_service), "name")
    wanted = f"{text_of(spec, 'version')}.{text_of(spec, 'group')}"
    if name != wanted:
        return [invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: {wanted!r}'.replace("'", '"'))]
    return []


API_SERVICE = Kind(
    resource=Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False),
    schema=root(
        "An API version that another server serves.",
        spec=fields(
            "What is wanted.",
            service=fields(
                "The server.", namespace=text("Its namespace."), name=text("Its name."), port=number("Its port.", 443)
            ),
            group=text("The API group."),
            version=text("The API version."),
            insecureSkipTLSVerify=truth("Whether its certificate is not checked."),
            caBundle=text("Certificates that its certificate must chain to, in base64.", form="byte"),
            groupPriorityMinimum=number("The rank of the group."),
            versionPriority=number("The rank of the version."),
        ),
        status=fields("What is there.", conditions=conditions()),
    ),
    categories=("api-extensions",),
    subresources=("status",),
    columns=columns(Column("Service", cell=_service_of), Column("Available", cell=_available)),
    hooks=Hooks(faults=_api_service_faults),
)
KINDS = (NODE, PRIORITY_CLASS, RESOURCE_QUOTA, LIMIT_RANGE, API_SERVICE)
