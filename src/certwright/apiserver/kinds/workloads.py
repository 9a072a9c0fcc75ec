"""Deployment, Job and PodDisruptionBudget; stored, run by nobody."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.definition import NAME_COLUMN, Column, Hooks, ScalePaths
from certwright.apiserver.kinds.build import AGE, Kind, columns
from certwright.apiserver.kinds.dsl import (
    anything,
    conditions,
    fields,
    keyed,
    label_selector,
    number,
    number_or_text,
    root,
    text,
    time,
    truth,
)
from certwright.apiserver.kinds.pods import POD_TEMPLATE, default_pod_spec, pod_spec_faults
from certwright.apiserver.kinds.services import labels_text
from certwright.apiserver.objects import child, children, ensure, meta, parse_timestamp, strings
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, invalid, not_supported, required
from certwright.apiserver.schema.node import same
from certwright.apiserver.tables import human_duration
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.resources import Resource


def _template(obj: JSONObject) -> JSONObject:
    return child(child(child(obj, "spec"), "template"), "spec")


def _default_deployment(deployment: JSONObject) -> None:
    spec = ensure(deployment, "spec")
    strategy = ensure(spec, "strategy")
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = ensure(strategy, "rollingUpdate")
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    default_pod_spec(_template(deployment))


def _deployment_faults(deployment: JSONObject, old: JSONObject | None) -> list[Cause]:
    spec = child(deployment, "spec")
    selector = child(spec, "selector")
    found: list[Cause] = []
    replicas = spec.get("replicas")
    if isinstance(replicas, int) and replicas < 0:
        found.append(invalid("spec.replicas", replicas, "must be greater than or equal to 0"))
    if not selector:
        found.append(required("spec.selector"))
    labels = strings(child(child(spec, "template"), "metadata"), "labels")
    wanted = strings(selector, "matchLabels")
    if any(labels.get(name) != value for name, value in wanted.items()):
        shown: JSONObject = dict(labels)
        found.append(invalid("spec.template.metadata.labels", shown, "`selector` does not match template `labels`"))
    if old is not None and not same(selector, child(child(old, "spec"), "selector")):
        found.append(invalid("spec.selector", selector, "field is immutable"))
    policy = text_of(_template(deployment), "restartPolicy")
    if policy != "Always":
        found.append(not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
    return found + pod_spec_faults(_template(deployment), "spec.template.spec")


def _count(obj: JSONObject, part: str, name: str) -> int:
    value = child(obj, part).get(name)
    return value if isinstance(value, int) else 0


def _containers(name: str) -> Column:
    def cell(obj: JSONObject, _now: datetime) -> JSON:
        return ",".join(text_of(each, name) for each in children(_template(obj), "containers"))

    return Column("Containers" if name == "name" else "Images", priority=1, cell=cell)


def _selector(obj: JSONObject, _now: datetime) -> str:
    return labels_text(strings(child(child(obj, "spec"), "selector"), "matchLabels"))


DEPLOYMENT = Kind(
    resource=Resource("apps", "v1", "deployments", "Deployment", True),
    schema=root(
        "Keeps a number of equal pods.",
        spec=fields(
            "What is wanted.",
            needs=("selector", "template"),
            replicas=number("How many pods.", default=1),
            selector=label_selector(),
            template=POD_TEMPLATE,
            strategy=fields(
                "How pods are replaced.",
                type=text("Recreate or RollingUpdate."),
                rollingUpdate=fields(
                    "The pace.",
                    maxSurge=number_or_text("Pods beyond the wanted number."),
                    maxUnavailable=number_or_text("Pods that may lack."),
                ),
            ),
            minReadySeconds=number("Seconds that a pod is ready before it counts."),
            revisionHistoryLimit=number("Old versions that are kept.", default=10),
            progressDeadlineSeconds=number("Seconds after which it has failed.", default=600),
            paused=truth("Whether nothing is done."),
        ),
        status=fields(
            "What is there.",
            open_ended=True,
            observedGeneration=number("The generation that was looked at.", form="int64"),
            replicas=number("Pods."),
            updatedReplicas=number("Pods of the newest version."),
            readyReplicas=number("Pods that are ready."),
            availableReplicas=number("Pods that count."),
            unavailableReplicas=number("Pods that lack."),
            conditions=keyed(anything("One aspect of the state."), "type", description="Aspects of the state."),
        ),
    ),
    short_names=("deploy",),
    categories=("all",),
    subresources=("status", "scale"),
    columns=(
        NAME_COLUMN,
        Column(
            "Ready",
            cell=lambda obj, _now: f"{_count(obj, 'status', 'readyReplicas')}/{_count(obj, 'spec', 'replicas')}",
        ),
        Column("Up-to-date", cell=lambda obj, _now: str(_count(obj, "status", "updatedReplicas"))),
        Column("Available", cell=lambda obj, _now: str(_count(obj, "status", "availableReplicas"))),
        AGE,
        _containers("name"),
        _containers("image"),
        Column("Selector", priority=1, cell=_selector),
    ),
    counts_generations=True,
    scale=ScalePaths(".spec.replicas", ".status.replicas"),
    hooks=Hooks(default=_default_deployment, faults=_deployment_faults),
)


def _default_job(job: JSONObject) -> None:
    default_pod_spec(_template(job))


def _select_own_pods(job: JSONObject, _now: datetime) -> None:
    spec = ensure(job, "spec")
    if spec.get("manualSelector") is True:
        return
    uid, name = text_of(meta(job), "uid"), text_of(meta(job), "name")
    own: JSONObject = {"batch.kubernetes.io/controller-uid": uid}
    labels = ensure(ensure(ensure(spec, "template"), "metadata"), "labels")
    labels.update({**own, "batch.kubernetes.io/job-name": name, "controller-uid": uid, "job-name": name})
    spec["selector"] = {"matchLabels": own}


def _job_faults(job: JSONObject, _old: JSONObject | None) -> list[Cause]:
    policy = text_of(_template(job), "restartPolicy")
    found = pod_spec_faults(_template(job), "spec.template.spec")
    if policy not in {"OnFailure", "Never"}:
        rule = 'valid values: "OnFailure", "Never"'
        path = "spec.template.spec.restartPolicy"
        found.append(required(path, rule) if policy in {"", "Always"} else not_supported(path, policy, ("Never",)))
    return found


def _completions(job: JSONObject, _now: datetime) -> str:
    return f"{_count(job, 'status', 'succeeded')}/{_count(job, 'spec', 'completions') or 1}"


def _job_duration(job: JSONObject, now: datetime) -> str:
    status = child(job, "status")
    start, end = parse_timestamp(text_of(status, "startTime")), parse_timestamp(text_of(status, "completionTime"))
    return human_duration((end or now) - start) if start else ""


def _job_status(job: JSONObject, _now: datetime) -> str:
    held = [
        text_of(each, "type") for each in children(child(job, "status"), "conditions") if each.get("status") == "True"
    ]
    for name in ("Complete", "Failed"):
        if name in held:
            return name
    return "Suspended" if child(job, "spec").get("suspend") is True else "Running"


JOB = Kind(
    resource=Resource("batch", "v1", "jobs", "Job", True),
    schema=root(
        "Runs pods to their end.",
        spec=fields(
            "What is wanted.",
            needs=("template",),
            open_ended=True,
            parallelism=number("Pods at once.", default=1),
            completions=number("Pods that must succeed.", default=1),
            backoffLimit=number("Failures before it gives up.", default=6),
            activeDeadlineSeconds=number("Seconds that it may run.", form="int64"),
            ttlSecondsAfterFinished=number("Seconds that it is kept."),
            completionMode=text("NonIndexed or Indexed.", default="NonIndexed"),
            suspend=truth("Whether it waits.", default=False),
            manualSelector=truth("Whether the selector was chosen by hand."),
            podReplacementPolicy=text("When a pod is replaced.", default="TerminatingOrFailed"),
            selector=label_selector(),
            template=POD_TEMPLATE,
        ),
        status=fields(
            "What is there.",
            open_ended=True,
            active=number("Pods that run."),
            succeeded=number("Pods that succeeded."),
            failed=number("Pods that failed."),
            startTime=time("When it began."),
            completionTime=time("When it ended."),
            conditions={**conditions(), "x-kubernetes-list-type": "atomic"},
        ),
    ),
    categories=("all",),
    subresources=("status",),
    columns=(
        *columns(
            Column("Status", cell=_job_status),
            Column("Completions", cell=_completions),
            Column("Duration", cell=_job_duration),
        ),
        _containers("name"),
        _containers("image"),
        Column("Selector", priority=1, cell=_selector),
    ),
    selectable_fields=("status.successful",),
    counts_generations=True,
    hooks=Hooks(default=_default_job, prepare_create=_select_own_pods, faults=_job_faults),
)


def _either(spec: JSONObject, name: str) -> str:
    value = spec.get(name)
    return "N/A" if value is None else str(value)


def _budget_faults(budget: JSONObject, _old: JSONObject | None) -> list[Cause]:
    spec = child(budget, "spec")
    if "minAvailable" in spec and "maxUnavailable" in spec:
        return [invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
    return []


POD_DISRUPTION_BUDGET = Kind(
    resource=Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True),
    schema=root(
        "How many pods must stay when others are moved.",
        spec=fields(
            "What is wanted.",
            minAvailable=number_or_text("Pods that must stay."),
            maxUnavailable=number_or_text("Pods that may lack."),
            selector=label_selector(),
            unhealthyPodEvictionPolicy=text("Whether pods that are not ready may always go."),
        ),
        status=fields(
            "What is there.",
            open_ended=True,
            disruptionsAllowed=number("Pods that may go now."),
            conditions=conditions(),
        ),
    ),
    short_names=("pdb",),
    subresources=("status",),
    columns=columns(
        Column("Min Available", cell=lambda obj, _now: _either(child(obj, "spec"), "minAvailable")),
        Column("Max Unavailable", cell=lambda obj, _now: _either(child(obj, "spec"), "maxUnavailable")),
        Column("Allowed Disruptions", "integer", cell=lambda obj, _now: _count(obj, "status", "disruptionsAllowed")),
    ),
    counts_generations=True,
    hooks=Hooks(faults=_budget_faults),
)
KINDS = (DEPLOYMENT, JOB, POD_DISRUPTION_BUDGET)
