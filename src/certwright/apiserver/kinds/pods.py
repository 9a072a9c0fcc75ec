"""Pod, and the template of a pod that other kinds hold."""

from __future__ import annotations

from datetime import datetime

from certwright.apiserver.definition import NAME_COLUMN, Column, Hooks
from certwright.apiserver.kinds.build import AGE, Kind
from certwright.apiserver.kinds.cluster import LOCAL_REFERENCE
from certwright.apiserver.kinds.dsl import (
    anything,
    fields,
    items,
    keyed,
    number,
    number_or_text,
    root,
    table,
    text,
    texts_by_name,
    time,
    truth,
    whole,
)
from certwright.apiserver.objects import child, children
from certwright.apiserver.objects import text as text_of
from certwright.apiserver.schema.causes import Cause, duplicate, invalid, required
from certwright.apiserver.schema.names import dns_label
from certwright.apiserver.schema.object_meta import OBJECT_META
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.resources import PODS

_CONTAINER_DEFAULTS = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def default_pod_spec(spec: JSONObject) -> None:
    """Fill in what the API server fills in."""
    spec.setdefault("securityContext", {})
    for name in ("containers", "initContainers"):
        for container in children(spec, name):
            _default_container(container)


def _default_container(container: JSONObject) -> None:
    image = text_of(container, "image")
    tag = image.rpartition("/")[2].partition(":")[2]
    is_pinned = "@" in image or tag not in {"", "latest"}
    container.setdefault("imagePullPolicy", "IfNotPresent" if is_pinned else "Always")
    container.setdefault("resources", {})
    for name, value in _CONTAINER_DEFAULTS.items():
        container.setdefault(name, value)


def pod_spec_faults(spec: JSONObject, path: str) -> list[Cause]:
    """What is wrong with the specification of a pod."""
    containers = children(spec, "containers")
    found = [] if containers else [required(f"{path}.containers")]
    seen: set[str] = set()
    for index, container in enumerate(containers):
        place, name = f"{path}.containers[{index}]", text_of(container, "name")
        if not name:
            found.append(required(f"{place}.name"))
        elif name in seen:
            found.append(duplicate(f"{place}.name", name))
        else:
            found += [invalid(f"{place}.name", name, fault) for fault in dns_label(name)]
        seen.add(name)
        if not text_of(container, "image"):
            found.append(required(f"{place}.image"))
    return found


_ENV = fields(
    "An environment variable.",
    needs=("name",),
    name=text("Its name."),
    value=text("Its value."),
    valueFrom=anything("Where the value comes from."),
)
_CONTAINER_PORT = fields(
    "A port of a container.",
    needs=("containerPort",),
    name=text("Its name."),
    containerPort=number("Its number."),
    protocol=text("TCP, UDP or SCTP.", default="TCP"),
    hostIP=text("The address of the host."),
    hostPort=number("The port of the host."),
)
_MOUNT = fields(
    "Where a volume stands.",
    needs=("name", "mountPath"),
    open_ended=True,
    name=text("The volume."),
    mountPath=text("The path in the container."),
    subPath=text("The path in the volume."),
    readOnly=truth("Whether it cannot be written."),
)
_PROBE = fields(
    "How a container is asked.",
    open_ended=True,
    httpGet=fields(
        "By HTTP.",
        open_ended=True,
        path=text("The path."),
        port=number_or_text("The port."),
        scheme=text("HTTP or HTTPS.", default="HTTP"),
    ),
    initialDelaySeconds=number("Seconds before the first time."),
    timeoutSeconds=number("Seconds that an answer may take.", default=1),
    periodSeconds=number("Seconds between two times.", default=10),
    successThreshold=number("Successes that are needed.", default=1),
    failureThreshold=number("Failures that are too many.", default=3),
)
_QUANTITIES = table(number_or_text(), "Amounts by resource.")
RESOURCES = fields(
    "What is used.",
    requests=_QUANTITIES,
    limits=_QUANTITIES,
    claims=keyed(
        fields("A claim.", needs=("name",), name=text("Its name."), request=text("The request in the claim.")), "name"
    ),
)
_CONTAINER = fields(
    "A container.",
    needs=("name",),
    open_ended=True,
    name=text("Its name."),
    image=text("Its image."),
    imagePullPolicy=text("Always, IfNotPresent or Never."),
    command=items(text(), "The program."),
    args=items(text(), "Its arguments."),
    workingDir=text("Its directory."),
    env=keyed(_ENV, "name", description="Environment variables."),
    envFrom=items(anything(), "Sources of environment variables."),
    ports=keyed(_CONTAINER_PORT, "containerPort", "protocol", description="Ports."),
    volumeMounts=keyed(_MOUNT, "mountPath", description="Volumes that it sees."),
    resources=RESOURCES,
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
    startupProbe=_PROBE,
    lifecycle=anything("What is done at its start and end."),
    securityContext=anything("Its rights."),
    terminationMessagePath=text("Where it leaves its last words."),
    terminationMessagePolicy=text("Where its last words are looked for."),
    stdin=truth("Whether it reads input."),
    tty=truth("Whether it has a terminal."),
)
_VOLUME = fields("A volume.", needs=("name",), open_ended=True, name=text("Its name."))
_TOLERATION = fields(
    "A taint that is borne.",
    key=text("The key."),
    operator=text("Exists or Equal."),
    value=text("The value."),
    effect=text("The effect."),
    tolerationSeconds=number("For how long.", form="int64"),
)
POD_SPEC = fields(
    "What is wanted.",
    needs=("containers",),
    open_ended=True,
    containers=keyed(_CONTAINER, "name", description="The containers."),
    initContainers=keyed(_CONTAINER, "name", description="Containers that run before."),
    ephemeralContainers=keyed(_CONTAINER, "name", description="Containers for looking in."),
    volumes={
        **keyed(_VOLUME, "name", description="The volumes."),
        "x-kubernetes-patch-strategy": "merge,retainKeys",
    },
    restartPolicy=text("Always, OnFailure or Never.", default="Always"),
    terminationGracePeriodSeconds=number("Seconds that the end may take.", default=30, form="int64"),
    activeDeadlineSeconds=number("Seconds that it may run.", form="int64"),
    dnsPolicy=text("How names are resolved.", default="ClusterFirst"),
    nodeSelector=whole(texts_by_name("Labels of the node.")),
    serviceAccountName=text("Its account."),
    serviceAccount=text("Deprecated."),
    automountServiceAccountToken=truth("Whether it gets a token."),
    nodeName=text("Its node."),
    hostNetwork=truth("Whether it shares the network of the node."),
    hostAliases=keyed(
        fields("Names of an address.", needs=("ip",), ip=text("The address."), hostnames=items(text())), "ip"
    ),
    securityContext=anything("Its rights."),
    imagePullSecrets=keyed({**LOCAL_REFERENCE}, "name", description="Secrets for pulling images."),
    affinity=anything("Where it would stand."),
    tolerations=items(_TOLERATION, "Taints that it bears."),
    topologySpreadConstraints=keyed(
        fields(
            "How pods are spread.",
            open_ended=True,
            topologyKey=text("Over what."),
            whenUnsatisfiable=text("Or else."),
        ),
        "topologyKey",
        "whenUnsatisfiable",
    ),
    priorityClassName=text("Its priority."),
    priority=number("Its priority as a number."),
    schedulerName=text("Who finds a node.", default="default-scheduler"),
    enableServiceLinks=truth("Whether services stand in its environment."),
)
POD_TEMPLATE = fields("The pods that are made.", metadata=OBJECT_META, spec=POD_SPEC)


def _default_pod(pod: JSONObject) -> None:
    spec = child(pod, "spec")
    default_pod_spec(spec)
    # Templates of pods leave it out.
    spec.setdefault("enableServiceLinks", True)


def _set_phase(pod: JSONObject, _now: datetime) -> None:
    pod["status"] = {"phase": "Pending", "qosClass": "BestEffort"}


def _faults(pod: JSONObject, _old: JSONObject | None) -> list[Cause]:
    return pod_spec_faults(child(pod, "spec"), "spec")


def _statuses(pod: JSONObject) -> list[JSONObject]:
    return children(child(pod, "status"), "containerStatuses")


def _ready(pod: JSONObject, _now: datetime) -> str:
    ready = sum(status.get("ready") is True for status in _statuses(pod))
    return f"{ready}/{len(children(child(pod, 'spec'), 'containers'))}"


def _status(pod: JSONObject, _now: datetime) -> str:
    if "deletionTimestamp" in child(pod, "metadata"):
        return "Terminating"
    return text_of(child(pod, "status"), "reason") or text_of(child(pod, "status"), "phase")


def _restarts(pod: JSONObject, _now: datetime) -> str:
    counts = [status.get("restartCount") for status in _statuses(pod)]
    return str(sum(count for count in counts if isinstance(count, int)))


def _or_none(value: str) -> str:
    return value or "<none>"


_CONTAINER_STATUS = fields(
    "The state of a container.",
    open_ended=True,
    name=text("Its name."),
    ready=truth("Whether it takes traffic."),
    restartCount=number("How often it was started again."),
)
_POD_CONDITION = fields(
    "One aspect of the state.",
    open_ended=True,
    type=text("Name of the condition."),
    status=text("True, False or Unknown."),
    reason=text("One word for the cause."),
    message=text("A sentence for people."),
    lastProbeTime=time("When it was last looked at."),
    lastTransitionTime=time("When the status last changed."),
)
POD = Kind(
    resource=PODS,
    schema=root(
        "Containers that run together.",
        spec=POD_SPEC,
        status=fields(
            "What is there.",
            open_ended=True,
            phase=text("Pending, Running, Succeeded, Failed or Unknown."),
            reason=text("One word for the cause."),
            message=text("A sentence for people."),
            podIP=text("Its address."),
            podIPs=keyed(fields("An address.", needs=("ip",), ip=text("The address.")), "ip"),
            hostIP=text("The address of its node."),
            startTime=time("When it was taken on."),
            conditions=keyed(_POD_CONDITION, "type", description="Aspects of the state."),
            containerStatuses=items(_CONTAINER_STATUS, "The state of the containers."),
            initContainerStatuses=items(_CONTAINER_STATUS, "The state of the containers that run before."),
        ),
    ),
    short_names=("po",),
    categories=("all",),
    subresources=("status",),
    columns=(
        NAME_COLUMN,
        Column("Ready", cell=_ready),
        Column("Status", cell=_status),
        Column("Restarts", cell=_restarts),
        AGE,
        Column("IP", priority=1, cell=lambda obj, _now: _or_none(text_of(child(obj, "status"), "podIP"))),
        Column("Node", priority=1, cell=lambda obj, _now: _or_none(text_of(child(obj, "spec"), "nodeName"))),
        Column("Nominated Node", priority=1, cell=lambda _obj, _now: "<none>"),
        Column("Readiness Gates", priority=1, cell=lambda _obj, _now: "<none>"),
    ),
    selectable_fields=(
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    ),
    counts_generations=True,
    hooks=Hooks(default=_default_pod, prepare_create=_set_phase, faults=_faults),
)
KINDS = (POD,)
