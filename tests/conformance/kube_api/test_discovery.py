"""What a server says it serves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conformance.kube_api.objects import GROUP
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SERVED = {
    "v1": {
        "namespaces", "secrets", "configmaps", "resourcequotas", "limitranges", "events", "services", "endpoints",
        "pods", "serviceaccounts", "serviceaccounts/token", "nodes", "namespaces/status", "namespaces/finalize",
    },
    "events.k8s.io/v1": {"events"},
    "discovery.k8s.io/v1": {"endpointslices"},
    "coordination.k8s.io/v1": {"leases"},
    "networking.k8s.io/v1": {"ingresses", "ingresses/status", "ingressclasses", "networkpolicies"},
    "apps/v1": {"deployments", "deployments/status", "deployments/scale"},
    "batch/v1": {"jobs"},
    "policy/v1": {"poddisruptionbudgets"},
    "scheduling.k8s.io/v1": {"priorityclasses"},
    "rbac.authorization.k8s.io/v1": {"roles", "rolebindings", "clusterroles", "clusterrolebindings"},
    "authorization.k8s.io/v1": {
        "subjectaccessreviews", "localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews",
    },
    "authentication.k8s.io/v1": {"tokenreviews", "selfsubjectreviews"},
    "admissionregistration.k8s.io/v1": {
        "validatingwebhookconfigurations", "mutatingwebhookconfigurations",
        "validatingadmissionpolicies", "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies", "mutatingadmissionpolicybindings",
    },
    "apiregistration.k8s.io/v1": {"apiservices", "apiservices/status"},
    "apiextensions.k8s.io/v1": {"customresourcedefinitions", "customresourcedefinitions/status"},
    "certificates.k8s.io/v1": {
        "certificatesigningrequests", "certificatesigningrequests/status", "certificatesigningrequests/approval",
    },
    "certificates.k8s.io/v1beta1": {"clustertrustbundles", "podcertificaterequests"},
}  # fmt: skip


def group_path(group_version: str) -> str:
    return f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"


@pytest.mark.parametrize("group_version", SERVED)
async def test_a_group_version_lists_its_resources(http: Http, group_version: str) -> None:
    found = (await http.get(group_path(group_version))).ok

    assert found["kind"] == "APIResourceList"
    assert found["groupVersion"] == group_version
    assert SERVED[group_version] <= {resource["name"] for resource in found["resources"]}


async def test_a_resource_says_all_that_kubectl_needs(http: Http) -> None:
    found = (await http.get("/api/v1")).ok

    [configmaps] = [resource for resource in found["resources"] if resource["name"] == "configmaps"]
    assert configmaps.pop("storageVersionHash", "x")
    assert configmaps == {
        "name": "configmaps",
        "singularName": "configmap",
        "namespaced": True,
        "kind": "ConfigMap",
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "shortNames": ["cm"],
    }


async def test_a_subresource_names_the_kind_that_it_takes(http: Http) -> None:
    found = (await http.get("/api/v1")).ok

    [token] = [resource for resource in found["resources"] if resource["name"] == "serviceaccounts/token"]
    assert token == {
        "name": "serviceaccounts/token",
        "singularName": "",
        "namespaced": True,
        "group": "authentication.k8s.io",
        "version": "v1",
        "kind": "TokenRequest",
        "verbs": ["create"],
    }


async def test_legacy_discovery_lists_core_versions(http: Http) -> None:
    found = (await http.get("/api")).ok

    assert found["kind"] == "APIVersions"
    assert found["versions"] == ["v1"]


async def test_legacy_discovery_lists_groups(http: Http) -> None:
    found = (await http.get("/apis")).ok

    groups = {group["name"]: group for group in found["groups"]}
    assert found["kind"] == "APIGroupList"
    assert groups["apps"]["versions"] == [{"groupVersion": "apps/v1", "version": "v1"}]
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}


async def test_a_group_tells_its_versions(http: Http) -> None:
    found = (await http.get("/apis/apps")).ok

    assert found["kind"] == "APIGroup"
    assert found["name"] == "apps"
    assert found["preferredVersion"]["groupVersion"] == "apps/v1"


@pytest.mark.parametrize(("path", "group_version"), [("/api", "v1"), ("/apis", "apps/v1")])
async def test_aggregated_discovery(http: Http, path: str, group_version: str) -> None:
    answer = await http.get(path, accept=f"{AGGREGATED},application/json")

    group, _, version = group_version.rpartition("/")
    assert answer.ok["kind"] == "APIGroupDiscoveryList"
    assert answer.ok["apiVersion"] == "apidiscovery.k8s.io/v2"
    assert answer.headers["Content-Type"] == AGGREGATED
    [found] = [item for item in answer.ok["items"] if item["metadata"].get("name", "") == group]
    assert [one["version"] for one in found["versions"]] == [version]
    assert found["versions"][0]["freshness"] == "Current"


async def test_aggregated_discovery_nests_subresources(http: Http) -> None:
    answer = await http.get("/apis", accept=AGGREGATED)

    [apps] = [item for item in answer.ok["items"] if item["metadata"]["name"] == "apps"]
    [deployments] = [one for one in apps["versions"][0]["resources"] if one["resource"] == "deployments"]
    assert deployments["responseKind"]["kind"] == "Deployment"
    assert deployments["scope"] == "Namespaced"
    assert deployments["singularResource"] == "deployment"
    assert deployments["categories"] == ["all"]
    assert {one["subresource"] for one in deployments["subresources"]} == {"scale", "status"}


async def test_aggregated_discovery_has_an_etag(http: Http) -> None:
    first = await http.get("/apis", accept=AGGREGATED)

    again = await http.call("GET", "/apis", headers={"Accept": AGGREGATED, "If-None-Match": first.headers["ETag"]})

    assert again.code == 304


async def test_a_custom_resource_is_discovered(http: Http, wns: str) -> None:
    found = (await http.get(f"/apis/{GROUP}/v1")).ok

    resources = {resource["name"]: resource for resource in found["resources"]}
    assert resources["widgets"].pop("storageVersionHash", "x")
    assert resources["widgets"] == {
        "name": "widgets",
        "singularName": "widget",
        "namespaced": True,
        "kind": "Widget",
        "verbs": ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
        "shortNames": ["wd"],
        "categories": ["gear"],
    }
    assert resources["widgets/status"]["verbs"] == ["get", "patch", "update"]


async def test_version(http: Http) -> None:
    found = (await http.get("/version")).ok

    assert found["gitVersion"].startswith(f"v{found['major']}.{found['minor']}.")
    assert set(found) >= {"gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"}


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/ping"])
async def test_health(http: Http, path: str) -> None:
    answer = await http.get(path)

    assert (answer.code, answer.body) == (200, "ok")


async def test_verbose_health(http: Http) -> None:
    answer = await http.get("/readyz", verbose="")

    assert answer.body.startswith("[+]ping ok\n")
    assert answer.body.endswith("readyz check passed\n")


async def test_openapi_v3_index_names_each_group_version(http: Http, wns: str) -> None:
    wanted = {"api/v1", "apis/apps/v1", f"apis/{GROUP}/v1"}

    async def told() -> dict[str, Any] | None:
        index = (await http.get("/openapi/v3")).ok
        paths = (json.loads(index) if isinstance(index, str) else index)["paths"]
        return paths if wanted <= set(paths) else None

    paths = await eventually(told)
    assert paths["api/v1"]["serverRelativeURL"].startswith("/openapi/v3/api/v1?hash=")


async def test_openapi_v3_holds_the_schema_of_a_custom_resource(http: Http, wns: str) -> None:
    document = (await http.get(f"/openapi/v3/apis/{GROUP}/v1")).ok

    [widget] = [
        schema
        for schema in document["components"]["schemas"].values()
        if {"group": GROUP, "kind": "Widget", "version": "v1"} in schema.get("x-kubernetes-group-version-kind", [])
    ]
    assert widget["properties"]["spec"]["properties"]["color"]["enum"] == ["red", "green", "blue"]
    assert f"/apis/{GROUP}/v1/namespaces/{{namespace}}/widgets/{{name}}" in document["paths"]


async def test_openapi_v2_is_a_swagger_document(http: Http) -> None:
    document = (await http.get("/openapi/v2")).ok

    assert document["swagger"] == "2.0"
    assert "io.k8s.api.core.v1.ConfigMap" in document["definitions"]


async def test_the_root_lists_paths_that_can_be_asked(http: Http) -> None:
    paths = (await http.get("/")).ok["paths"]

    assert {"/api", "/api/v1", "/apis", "/apis/apps/v1", "/healthz", "/openapi/v3", "/version"} <= set(paths)
