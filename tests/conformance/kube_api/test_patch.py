"""JSON patch, merge patch and strategic merge patch."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.kube_api.objects import configmap, core, grouped, widget, widgets
from tests.kubernetes.http import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Http

REJECTED = "the server rejected our request due to an error in our request"


@pytest.fixture
async def path(http: Http, ns: str) -> str:
    """A ConfigMap with two keys."""
    (await http.post(core(ns, "configmaps"), configmap("a", {"k": "v", "l": "w"}, labels={"x": "1"}))).ok  # noqa: B018
    return core(ns, "configmaps", "a")


@pytest.mark.parametrize(
    ("kind", "patch", "data"),
    [
        (MERGE_PATCH, {"data": {"k": "new"}}, {"k": "new", "l": "w"}),
        (MERGE_PATCH, {"data": {"k": None}}, {"l": "w"}),
        (MERGE_PATCH, {"data": None}, None),
        (STRATEGIC_PATCH, {"data": {"k": None, "m": "x"}}, {"l": "w", "m": "x"}),
        (STRATEGIC_PATCH, {"data": {"$patch": "replace", "m": "x"}}, {"m": "x"}),
        (JSON_PATCH, [{"op": "replace", "path": "/data/k", "value": "new"}], {"k": "new", "l": "w"}),
        (JSON_PATCH, [{"op": "remove", "path": "/data/k"}], {"l": "w"}),
        (
            JSON_PATCH,
            [{"op": "test", "path": "/data/k", "value": "v"}, {"op": "add", "path": "/data/a.b", "value": "y"}],
            {"k": "v", "l": "w", "a.b": "y"},
        ),
        (
            JSON_PATCH,
            [
                {"op": "copy", "from": "/data/k", "path": "/data/m"},
                {"op": "move", "from": "/data/l", "path": "/data/n"},
            ],
            {"k": "v", "m": "v", "n": "w"},
        ),
    ],
)
async def test_patch(http: Http, path: str, kind: str, patch: Any, data: dict[str, str] | None) -> None:
    patched = (await http.patch(path, patch, kind)).ok

    assert patched.get("data") == data


async def test_a_patch_that_changes_nothing_is_no_write(http: Http, path: str) -> None:
    before = await http.get(path)

    after = await http.patch(path, {"data": {"k": "v"}})

    assert after.version == before.version


async def test_a_patch_may_demand_a_version(http: Http, path: str) -> None:
    old = await http.get(path)
    await http.patch(path, {"data": {"k": "new"}})

    answer = await http.patch(path, {"metadata": {"resourceVersion": old.version}, "data": {"k": "newer"}})

    assert (answer.code, answer.body["reason"]) == (409, "Conflict")
    assert "the object has been modified" in answer.body["message"]


@pytest.mark.parametrize("kind", [MERGE_PATCH, STRATEGIC_PATCH, JSON_PATCH])
async def test_a_patch_of_an_absent_object(http: Http, ns: str, kind: str) -> None:
    answer = await http.patch(core(ns, "configmaps", "none"), [] if kind == JSON_PATCH else {}, kind)

    assert (answer.code, answer.body["message"]) == (404, 'configmaps "none" not found')


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        ([{"op": "test", "path": "/data/k", "value": "wrong"}], 422, REJECTED),
        ([{"op": "remove", "path": "/data/none"}], 422, REJECTED),
        ({"not": "a list"}, 400, "error decoding patch: json: cannot unmarshal object into Go value of type"),
    ],
)
async def test_a_json_patch_that_fails(http: Http, path: str, patch: object, code: int, message: str) -> None:
    answer = await http.patch(path, patch, JSON_PATCH)

    assert answer.code == code
    assert message in answer.body["message"]


async def test_a_broken_merge_patch(http: Http, path: str) -> None:
    answer = await http.call("PATCH", path, headers={"Content-Type": MERGE_PATCH}, data="{nonsense")

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")


async def test_a_patch_cannot_rename(http: Http, path: str) -> None:
    answer = await http.patch(path, {"metadata": {"name": "b"}})

    assert answer.code == 400
    assert answer.body["message"] == "the name of the object (b) does not match the name on the URL (a)"


async def test_a_patch_type_must_be_known(http: Http, path: str) -> None:
    answer = await http.patch(path, {}, "application/nonsense")

    assert answer.code == 415


async def test_custom_resources_take_no_strategic_patch(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a"))

    answer = await http.patch(widgets(wns, "a"), {}, STRATEGIC_PATCH)

    assert (answer.code, answer.body["reason"]) == (415, "UnsupportedMediaType")
    assert answer.body["message"] == (
        "the body of the request was in an unknown format - accepted media types include: "
        f"{JSON_PATCH}, {MERGE_PATCH}, {APPLY_PATCH}"
    )


def deployment(*containers: dict[str, Any]) -> dict[str, Any]:
    """A Deployment with these containers."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": list(containers)}},
        },
    }


CONTAINERS = ({"name": "one", "image": "x"}, {"name": "two", "image": "y", "env": [{"name": "A", "value": "1"}]})


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ([{"name": "two", "image": "z"}], {"one": "x", "two": "z"}),
        ([{"name": "three", "image": "z"}], {"one": "x", "two": "y", "three": "z"}),
        ([{"name": "two", "$patch": "delete"}], {"one": "x"}),
        ([{"$patch": "replace"}, {"name": "new", "image": "n"}], {"new": "n"}),
    ],
)
async def test_a_strategic_patch_merges_lists_by_key(
    http: Http, ns: str, patch: list[dict[str, Any]], expected: dict[str, str]
) -> None:
    collection = grouped("apps/v1", ns, "deployments")
    (await http.post(collection, deployment(*CONTAINERS))).ok  # noqa: B018

    body = {"spec": {"template": {"spec": {"containers": patch}}}}
    patched = (await http.patch(f"{collection}/a", body, STRATEGIC_PATCH)).ok

    assert {c["name"]: c["image"] for c in patched["spec"]["template"]["spec"]["containers"]} == expected


async def test_a_merge_patch_replaces_lists(http: Http, ns: str) -> None:
    collection = grouped("apps/v1", ns, "deployments")
    (await http.post(collection, deployment(*CONTAINERS))).ok  # noqa: B018

    body = {"spec": {"template": {"spec": {"containers": [{"name": "only", "image": "o"}]}}}}
    patched = (await http.patch(f"{collection}/a", body)).ok

    assert [c["name"] for c in patched["spec"]["template"]["spec"]["containers"]] == ["only"]


async def test_a_strategic_patch_merges_finalizers_as_a_set(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("f", finalizers=["a.b/one"]))

    patched = await http.patch(core(ns, "configmaps", "f"), {"metadata": {"finalizers": ["a.b/two"]}}, STRATEGIC_PATCH)
    removed = await http.patch(
        core(ns, "configmaps", "f"),
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.b/one", "a.b/two"]}},
        STRATEGIC_PATCH,
    )

    assert sorted(patched.ok["metadata"]["finalizers"]) == ["a.b/one", "a.b/two"]
    assert "finalizers" not in removed.ok["metadata"]


async def test_status_is_patched_below_its_own_path(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a"))
    patch = [{"op": "add", "path": "/status", "value": {"phase": "ready"}}]

    patched = await http.patch(widgets(wns, "a", "status"), patch, JSON_PATCH)

    assert patched.ok["status"] == {"phase": "ready"}
