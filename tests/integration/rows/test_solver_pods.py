"""Solver Pods as the flags of the process and the template of the issuer want them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.cluster import Cluster
from tests.controller_process import ControllerProcess
from tests.integration.acme.objects import Json, Objects
from tests.integration.acme.world import own_world
from tests.kubernetes.eventually import eventually

AFFINITY: Json = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]
        }
    }
}
TEMPLATE: Json = {
    "metadata": {"labels": {"from": "template"}, "annotations": {"note": "kept"}},
    "spec": {
        "affinity": AFFINITY,
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "edge", "operator": "Exists"}],
        "priorityClassName": "high",
        "serviceAccountName": "solver",
        "imagePullSecrets": [{"name": "registry"}],
        "resources": {"limits": {"memory": "1Gi"}},
    },
}
FLAGS = (
    "--http01-mode=pod",
    "--http01-addresses=192.0.2.1",
    "--acme-http01-solver-image=example.test/solver:1",
    "--acme-http01-solver-extra-labels=team=web",
    "--acme-http01-solver-resource-limits-cpu=300m",
    "--acme-http01-solver-runtime-class-name=gvisor",
)


async def what_the_pod_names(cluster: Cluster, objects: Objects) -> None:
    """A real API server takes no Pod whose ServiceAccount, PriorityClass or RuntimeClass is not there; ours does."""
    await objects.create("serviceaccounts", {"metadata": {"name": "solver"}})
    high = {"metadata": {"name": "high"}, "value": 1}
    await cluster.http.post("/apis/scheduling.k8s.io/v1/priorityclasses", high)
    gvisor = {"metadata": {"name": "gvisor"}, "handler": "runsc"}
    await cluster.http.post("/apis/node.k8s.io/v1/runtimeclasses", gvisor)


async def test_a_challenge_has_a_pod(cluster: Cluster, objects: Objects, tmp_path: Path) -> None:
    await what_the_pod_names(cluster, objects)
    async with own_world() as world:
        trust = tmp_path / "ca.pem"
        trust.write_bytes(world.trust_pem)
        asked = f"--acme-http01-solver-nameservers={world.dns.address}"
        flags = [f"--namespace={objects.namespace}", f"--trusted-ca-file={trust}", asked, *FLAGS]
        process = ControllerProcess(tmp_path, cluster.kubeconfig, flags)
        await asyncio.to_thread(process.start)
        try:
            await objects.issuer(world, {"http01": {"ingress": {"podTemplate": TEMPLATE}}})
            await objects.request("web-1", "www.bench.test")

            async def made() -> Any:
                found = [await objects.all(plural) for plural in ("pods", "services")]
                return [each[0] for each in found] if all(found) else None

            pod, service = await eventually(made)

            async def looked() -> bool:
                """The name has an address at that nameserver only, and nothing listens there on port 80."""
                [challenge] = await objects.all("challenges")
                return "Connection refused" in challenge.get("status", {}).get("reason", "")

            await eventually(looked)
        finally:
            await asyncio.to_thread(process.stop)

    spec, [container] = pod["spec"], pod["spec"]["containers"]
    assert container["image"] == "example.test/solver:1"
    assert container["resources"]["limits"] == {"cpu": "300m", "memory": "1Gi"}
    assert (pod["metadata"]["labels"]["team"], pod["metadata"]["labels"]["from"]) == ("web", "template")
    assert pod["metadata"]["annotations"]["note"] == "kept"
    assert spec["affinity"] == AFFINITY
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "zone": "a"}
    assert {"key": "edge", "operator": "Exists"} in spec["tolerations"]
    assert (spec["priorityClassName"], spec["serviceAccountName"]) == ("high", "solver")
    assert (spec["imagePullSecrets"], spec["runtimeClassName"]) == ([{"name": "registry"}], "gvisor")
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert service["metadata"]["labels"]["team"] == "web"
