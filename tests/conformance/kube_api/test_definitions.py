"""CustomResourceDefinitions: accepted, served, changed and removed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.definitions import STRING, definition, small_version
from tests.conformance.kube_api.objects import GROUP, causes, grouped
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def plural() -> str:
    return f"t{uuid.uuid4().hex[:8]}s"


def kind(plural: str) -> str:
    return plural.capitalize()[:-1]


def thing(plural: str, spec: dict[str, Any], version: str = "v1", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{version}",
        "kind": kind(plural),
        "metadata": {"name": "a", **metadata},
        "spec": spec,
    }


async def served(http: Http, path: str) -> None:
    """Return once the path is served."""

    async def answers() -> bool:
        return (await http.get(path)).code == 200

    await eventually(answers)


async def test_a_definition_is_established(http: Http, ns: str, plural: str) -> None:
    path = f"{DEFINITIONS}/{plural}.{GROUP}"
    created = (await http.post(DEFINITIONS, definition(plural, kind(plural), [small_version({})]))).ok

    async def established() -> Any:
        found = (await http.get(path)).ok
        held = {one["type"]: one["status"] for one in found["status"].get("conditions") or []}
        return found if held.get("Established") == "True" else None

    found = await eventually(established)
    assert created["spec"]["conversion"] == {"strategy": "None"}
    assert found["status"]["storedVersions"] == ["v1"]
    assert found["status"]["acceptedNames"]["kind"] == kind(plural)
    assert {one["type"] for one in found["status"]["conditions"]} == {"NamesAccepted", "Established"}


async def test_a_removed_definition_takes_its_objects_along(cluster: Cluster, http: Http, ns: str, plural: str) -> None:
    path, name = grouped(f"{GROUP}/v1", ns, plural), f"{DEFINITIONS}/{plural}.{GROUP}"
    await cluster.install_crd(definition(plural, kind(plural), [small_version({"s": STRING})]))
    await served(http, path)
    await http.post(path, thing(plural, {"s": "x"}, finalizers=["conformance.certwright.io/wait"]))

    await http.delete(name)

    async def is_marked() -> bool:
        return "deletionTimestamp" in (await http.get(f"{path}/a")).ok["metadata"]

    await eventually(is_marked)
    assert (await http.get(name)).ok["metadata"]["deletionTimestamp"]
    await http.patch(f"{path}/a", {"metadata": {"finalizers": None}})

    async def is_gone() -> bool:
        return (await http.get(name)).code == 404 and (await http.get(path)).code == 404

    await eventually(is_gone)


async def test_versions_share_their_objects(cluster: Cluster, http: Http, ns: str, plural: str) -> None:
    versions = [small_version({"s": STRING}), small_version({"s": STRING}, "v1beta1", storage=False, deprecated=True)]
    await cluster.install_crd(definition(plural, kind(plural), versions))
    new, old = grouped(f"{GROUP}/v1", ns, plural), grouped(f"{GROUP}/v1beta1", ns, plural)
    await served(http, old)

    created = await http.post(old, thing(plural, {"s": "x"}, "v1beta1"))
    read = (await http.get(f"{new}/a")).ok

    assert created.ok["apiVersion"] == f"{GROUP}/v1beta1"
    use = f"use {GROUP}/v1 {kind(plural)}"
    assert created.warnings == (f'299 - "{GROUP}/v1beta1 {kind(plural)} is deprecated; {use}"',)
    assert (read["apiVersion"], read["spec"]) == (f"{GROUP}/v1", {"s": "x"})


async def test_a_field_that_is_added_is_served(cluster: Cluster, http: Http, ns: str, plural: str) -> None:
    path, name = grouped(f"{GROUP}/v1", ns, plural), f"{DEFINITIONS}/{plural}.{GROUP}"
    await cluster.install_crd(definition(plural, kind(plural), [small_version({"s": STRING})]))
    await served(http, path)
    stored = (await http.get(name)).ok
    properties = stored["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["added"] = {"type": "string", "default": "here"}

    (await http.put(name, stored)).ok  # noqa: B018 asserts success

    async def has_default() -> bool:
        answer = await http.post(path, thing(plural, {"s": "x"}), dryRun="All")
        # A real server refuses requests for a moment while it changes over.
        return answer.code == 201 and answer.ok["spec"].get("added") == "here"

    await eventually(has_default)


async def test_the_scale_subresource(cluster: Cluster, http: Http, ns: str, plural: str) -> None:
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    version = small_version({"replicas": {"type": "integer"}}, subresources={"status": {}, "scale": paths})
    version["schema"]["openAPIV3Schema"]["properties"]["status"] = {
        "type": "object",
        "properties": {"replicas": {"type": "integer"}},
    }
    await cluster.install_crd(definition(plural, kind(plural), [version]))
    path = grouped(f"{GROUP}/v1", ns, plural)
    await served(http, path)
    await http.post(path, thing(plural, {"replicas": 2}))

    scale = (await http.get(f"{path}/a/scale")).ok
    patched = (await http.patch(f"{path}/a/scale", {"spec": {"replicas": 5}})).ok
    read = (await http.get(f"{path}/a")).ok

    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], patched["spec"]["replicas"]) == ({"replicas": 2}, 5)
    assert (read["spec"]["replicas"], read["metadata"]["generation"]) == (5, 2)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "object", "properties": {"x": {}}}, "must not be empty for specified object fields"),
    ({"type": "object", "properties": {"x": {"type": "text"}}}, 'Unsupported value: "text"'),
    ({"type": "object", "properties": {"x": {"type": "array"}}}, "Required value: must be specified"),
    ({"type": "object", "properties": {"x": {"type": "string", "pattern": "["}}}, "must be a valid regular expression"),
    (
        {"type": "object", "properties": {"x": {"type": "string", "default": 1}}},
        'must be of type string: "integer"',
    ),
    (
        {"type": "object", "properties": {"x": {"type": "array", "uniqueItems": True, "items": STRING}}},
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    ),
    (
        {
            "type": "object",
            "properties": {"x": {"type": "array", "items": STRING, "x-kubernetes-list-type": "map"}},
        },
        "must not be empty if x-kubernetes-list-type is map",
    ),
    ({"type": "string"}, "must be object at the root"),
]


@pytest.mark.parametrize(("schema", "message"), REFUSED)
async def test_schemas_that_are_refused(http: Http, ns: str, schema: dict[str, Any], message: str) -> None:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}

    answer = await http.post(DEFINITIONS, definition("refuseds", "Refused", [version]))

    assert answer.code == 422
    assert message in answer.body["message"]


async def test_names_that_are_refused(http: Http, ns: str) -> None:
    wrong = definition("refuseds", "Refused", [small_version({})])
    wrong["metadata"]["name"] = "other.example.com"

    answer = await http.post(DEFINITIONS, wrong)

    assert causes(answer.body) == [
        (
            "FieldValueInvalid",
            "metadata.name",
            'Invalid value: "other.example.com": must be spec.names.plural+"."+spec.group',
        )
    ]


async def test_what_cannot_change(cluster: Cluster, http: Http, ns: str, plural: str) -> None:
    await cluster.install_crd(definition(plural, kind(plural), [small_version({})]))
    stored = (await http.get(f"{DEFINITIONS}/{plural}.{GROUP}")).ok

    changed = {**stored, "spec": {**stored["spec"], "scope": "Cluster"}}
    answer = await http.put(f"{DEFINITIONS}/{plural}.{GROUP}", changed)

    assert causes(answer.body) == [("FieldValueInvalid", "spec.scope", 'Invalid value: "Cluster": field is immutable')]


async def test_a_kind_that_is_taken_is_not_accepted(cluster: Cluster, http: Http, ns: str, plural: str) -> None:
    await cluster.install_crd(definition(plural, kind(plural), [small_version({})]))

    other = f"other{plural}"
    await http.post(DEFINITIONS, definition(other, kind(plural), [small_version({})]))

    async def refused() -> Any:
        found = (await http.get(f"{DEFINITIONS}/{other}.{GROUP}")).ok
        held = {one["type"]: one for one in found["status"].get("conditions") or []}
        return held if held.get("NamesAccepted", {}).get("status") == "False" else None

    held = await eventually(refused)
    assert held["NamesAccepted"]["message"].endswith("is already in use")
    assert held["Established"]["status"] == "False"
