"""The solver Pod as cert-manager makes it, and what flags and templates change."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.solvers.http01.samples import KEY, TOKEN, challenge

from certwright.api.acme_v1 import HTTP01, HTTP01GatewayHTTPRoute, HTTP01Ingress
from certwright.api.pod_template import (
    ImagePullSecret,
    PodSecurityContext,
    PodTemplate,
    ResourceRequirements,
    SolverPodSpec,
    TemplateMeta,
    Toleration,
)
from certwright.solvers.http01.pod import PodOptions, pod_service, solver_pod

IMAGE = "quay.io/jetstack/cert-manager-acmesolver:v1.21.1"
OPTIONS = PodOptions(image=IMAGE)
LABELS = {
    "acme.cert-manager.io/http-domain": "785515997",
    "acme.cert-manager.io/http-token": "965742110",
    "acme.cert-manager.io/http01-solver": "true",
}


def _pod(template: PodTemplate | None = None, options: PodOptions = OPTIONS, **extra: str) -> Any:
    solver = HTTP01(ingress=HTTP01Ingress(pod_template=template))
    return solver_pod(challenge(solver=solver), options, extra)


def test_the_pod_that_cert_manager_makes() -> None:
    found = _pod()

    assert found["metadata"]["labels"] == LABELS
    assert found["metadata"]["generateName"] == "cm-acme-http-solver-"
    assert found["metadata"]["annotations"] == {
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
        "sidecar.istio.io/inject": "false",
    }
    assert found["spec"] == {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "restartPolicy": "OnFailure",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "acmesolver",
                "image": IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "args": ["--listen-port=8089", "--domain=http.bench.test", f"--token={TOKEN}", f"--key={KEY}"],
                "ports": [{"containerPort": 8089, "name": "http", "protocol": "TCP"}],
                "resources": {
                    "limits": {"cpu": "100m", "memory": "64Mi"},
                    "requests": {"cpu": "10m", "memory": "64Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
            }
        ],
    }


def test_flags() -> None:
    options = PodOptions(
        image=IMAGE, arguments=("acmesolver",), cpu_limit="1", run_as_non_root=False, runtime_class_name="gvisor"
    )
    found = _pod(options=options, team="web")

    assert found["metadata"]["labels"] == {**LABELS, "team": "web"}
    assert found["spec"]["runtimeClassName"] == "gvisor"
    assert found["spec"]["securityContext"]["runAsNonRoot"] is False
    [container] = found["spec"]["containers"]
    assert container["args"][:2] == ["acmesolver", "--listen-port=8089"]
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "64Mi"}


def test_every_field_of_the_template() -> None:
    spec = SolverPodSpec(
        node_selector={"disk": "ssd"},
        tolerations=(Toleration(key="edge", operator="Exists"),),
        priority_class_name="high",
        service_account_name="solver",
        image_pull_secrets=(ImagePullSecret(name="registry"),),
        security_context=PodSecurityContext(run_as_user=1000),
        resources=ResourceRequirements(limits={"cpu": "2"}, requests={"memory": "32Mi"}),
    )
    meta = TemplateMeta(
        labels={"a": "b", "acme.cert-manager.io/http-token": "x"}, annotations={"sidecar.istio.io/inject": "true"}
    )

    found = _pod(PodTemplate(metadata=meta, spec=spec))

    assert found["metadata"]["labels"] == {**LABELS, "a": "b"}
    assert found["metadata"]["annotations"]["sidecar.istio.io/inject"] == "true"
    pod = found["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert pod["tolerations"] == [{"key": "edge", "operator": "Exists"}]
    assert (pod["priorityClassName"], pod["serviceAccountName"]) == ("high", "solver")
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["securityContext"] == {"runAsUser": 1000}
    assert pod["containers"][0]["resources"] == {
        "limits": {"cpu": "2", "memory": "64Mi"},
        "requests": {"cpu": "10m", "memory": "32Mi"},
    }


def test_the_service_selects_the_pod() -> None:
    solver = HTTP01(gateway_http_route=HTTP01GatewayHTTPRoute(service_type="ClusterIP"))
    found: Any = pod_service(challenge(solver=solver), {"team": "web"})

    assert found["metadata"]["labels"] == {**LABELS, "team": "web"}
    assert found["metadata"]["annotations"] == {"auth.istio.io/8089": "NONE"}
    assert found["spec"] == {
        "type": "ClusterIP",
        "ports": [{"name": "http", "protocol": "TCP", "port": 8089, "targetPort": 8089}],
        "selector": LABELS,
    }


@pytest.mark.parametrize(
    ("solver", "has"),
    [
        (HTTP01(), False),
        (HTTP01(ingress=HTTP01Ingress()), False),
        (HTTP01(ingress=HTTP01Ingress(pod_template=PodTemplate())), True),
        (HTTP01(gateway_http_route=HTTP01GatewayHTTPRoute(pod_template=PodTemplate())), True),
    ],
)
def test_an_issuer_with_a_template_wants_a_pod(solver: HTTP01, has: bool) -> None:
    assert challenge(solver=solver).has_pod_template is has
