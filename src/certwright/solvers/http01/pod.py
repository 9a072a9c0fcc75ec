"""The solver Pod of a challenge and its Service, as JSON: for clusters whose proxies reach nothing but Pods."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from certwright.api.meta import to_json
from certwright.api.pod_template import PodTemplate, ResourceRequirements
from certwright.kube.wire.json import JSON, JSONObject
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.objects import (
    NO_ISTIO_AUTH,
    SERVICE_PORT,
    metadata_of_one,
    service_ports,
    service_type,
    solver_labels,
)

NO_SIDECAR: Mapping[str, str] = {
    "sidecar.istio.io/inject": "false",
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
}


class PodOptions(Struct, frozen=True, kw_only=True):
    """What the flags of the controller say of solver Pods; `arguments` stand before those of the challenge."""

    image: str
    arguments: tuple[str, ...] = ()
    cpu_request: str = "10m"
    memory_request: str = "64Mi"
    cpu_limit: str = "100m"
    memory_limit: str = "64Mi"
    run_as_non_root: bool = True
    runtime_class_name: str = ""


def solver_pod(challenge: Http01Challenge, options: PodOptions, extra_labels: Mapping[str, str]) -> JSONObject:
    """The Pod, with the issuer's template laid over the defaults."""
    template = _template(challenge)
    labels = {**extra_labels, **template.metadata.labels}
    spec: JSONObject = {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux", **template.spec.node_selector},
        "securityContext": _security(options),
        "containers": [_container(challenge, options, template.spec.resources)],
        **_laid_over(template),
    }
    if options.runtime_class_name:
        spec["runtimeClassName"] = options.runtime_class_name
    annotations = {**NO_SIDECAR, **template.metadata.annotations}
    metadata = metadata_of_one(challenge, labels, annotations)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def pod_service(challenge: Http01Challenge, extra_labels: Mapping[str, str]) -> JSONObject:
    """The Service that leads to the challenge's Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata_of_one(challenge, extra_labels, NO_ISTIO_AUTH),
        "spec": {
            "type": service_type(challenge),
            "ports": service_ports(),
            "selector": dict(solver_labels(challenge)),
        },
    }


def _template(challenge: Http01Challenge) -> PodTemplate:
    solver = challenge.solver.ingress or challenge.solver.gateway_http_route
    return (solver.pod_template if solver else None) or PodTemplate()


def _laid_over(template: PodTemplate) -> JSONObject:
    """What the template's spec says and the defaults do not merge by themselves."""
    merged = {"nodeSelector", "resources"}
    return {name: value for name, value in to_json(template.spec).items() if name not in merged}


def _security(options: PodOptions) -> JSONObject:
    return {"runAsNonRoot": options.run_as_non_root, "seccompProfile": {"type": "RuntimeDefault"}}


def _container(challenge: Http01Challenge, options: PodOptions, given: ResourceRequirements | None) -> JSONObject:
    arguments: list[JSON] = [
        *options.arguments,
        f"--listen-port={SERVICE_PORT}",
        f"--domain={challenge.identifier}",
        f"--token={challenge.token}",
        f"--key={challenge.key}",
    ]
    return {
        "name": "acmesolver",
        "image": options.image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "ports": [{"name": "http", "containerPort": SERVICE_PORT, "protocol": "TCP"}],
        "resources": _resources(options, given or ResourceRequirements()),
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _resources(options: PodOptions, given: ResourceRequirements) -> JSONObject:
    requests = {"cpu": options.cpu_request, "memory": options.memory_request, **given.requests}
    limits = {"cpu": options.cpu_limit, "memory": options.memory_limit, **given.limits}
    return {"requests": _quantities(requests), "limits": _quantities(limits)}


def _quantities(found: Mapping[str, int | str]) -> JSONObject:
    return {name: amount for name, amount in found.items() if amount != ""}
