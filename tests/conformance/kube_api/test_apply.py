"""Server-side apply: who owns which field, conflicts, and what goes when nobody applies it any more."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.kube_api.objects import causes, configmap, core, secret, widget, widgets
from tests.kubernetes.http import APPLY_PATCH, Http


def managers(body: Any) -> dict[tuple[str, str, str], Any]:
    """Fields by (manager, operation, subresource)."""
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", "")): entry["fieldsV1"]
        for entry in body["metadata"]["managedFields"]
    }


async def test_apply_creates(http: Http, ns: str) -> None:
    answer = await http.apply(core(ns, "configmaps", "a"), configmap("a", {"k": "v"}))

    assert answer.code == 201
    [entry] = answer.ok["metadata"]["managedFields"]
    assert entry.pop("time")
    assert entry == {
        "manager": "me",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:k": {}}},
    }


async def test_a_create_is_recorded_as_update(http: Http, ns: str) -> None:
    created = (
        await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}, labels={"l": "1"}), fieldManager="x")
    ).ok

    assert managers(created) == {
        ("x", "Update", ""): {
            "f:data": {".": {}, "f:k": {}},
            "f:metadata": {"f:labels": {".": {}, "f:l": {}}},
        }
    }


async def test_the_user_agent_is_the_manager_of_who_names_none(http: Http, ns: str) -> None:
    answer = await http.call(
        "POST", core(ns, "configmaps"), json=configmap("a", {"k": "v"}), headers={"User-Agent": "tool/v1 (linux)"}
    )

    assert [entry["manager"] for entry in answer.ok["metadata"]["managedFields"]] == ["tool"]


async def test_apply_again_writes_nothing(http: Http, ns: str) -> None:
    first = await http.apply(core(ns, "configmaps", "a"), configmap("a", {"k": "v"}))

    again = await http.apply(core(ns, "configmaps", "a"), configmap("a", {"k": "v"}))

    assert (again.code, again.version) == (200, first.version)


async def test_what_is_no_longer_applied_goes(http: Http, ns: str) -> None:
    await http.apply(core(ns, "configmaps", "a"), configmap("a", {"k": "v", "l": "w"}, labels={"x": "1"}))

    applied = (await http.apply(core(ns, "configmaps", "a"), configmap("a", {"k": "v"}))).ok

    assert applied["data"] == {"k": "v"}
    assert "labels" not in applied["metadata"]


async def test_what_others_own_stays(http: Http, ns: str) -> None:
    path = core(ns, "secrets", "a")
    await http.apply(path, secret("a", {"mine": "YQ=="}, labels={"mine": "1"}, annotations={"mine": "1"}))
    theirs = {"data": {"theirs": "Yg=="}, "metadata": {"labels": {"theirs": "2"}, "annotations": {"theirs": "2"}}}
    await http.patch(path, theirs, fieldManager="other")

    applied = (await http.apply(path, secret("a", {"mine": "Yw=="}, labels={}, annotations={"mine": "1"}))).ok

    assert applied["data"] == {"mine": "Yw==", "theirs": "Yg=="}
    assert applied["metadata"]["labels"] == {"theirs": "2"}
    assert applied["metadata"]["annotations"] == {"mine": "1", "theirs": "2"}


async def test_a_conflict_names_owner_and_field(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.apply(path, configmap("a", {"k": "v"}), "first")

    answer = await http.apply(path, configmap("a", {"k": "w"}), "second")

    assert answer.code == 409
    assert answer.body["reason"] == "Conflict"
    assert answer.body["message"] == 'Apply failed with 1 conflict: conflict with "first": .data.k'
    assert causes(answer.body) == [("FieldManagerConflict", ".data.k", 'conflict with "first"')]


async def test_conflicts_with_an_updater_name_its_version(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.post(core(ns, "configmaps"), configmap("a", {"k": "v", "l": "v"}), fieldManager="editor")

    answer = await http.apply(path, configmap("a", {"k": "w", "l": "w"}))

    assert answer.code == 409
    assert answer.body["message"].startswith(
        'Apply failed with 2 conflicts: conflicts with "editor" using v1:\n- .data.k\n- .data.l'
    )
    assert [(reason, field) for reason, field, _ in causes(answer.body)] == [
        ("FieldManagerConflict", ".data.k"),
        ("FieldManagerConflict", ".data.l"),
    ]
    assert causes(answer.body)[0][2].startswith('conflict with "editor" using v1')


async def test_force_takes_the_field(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.apply(path, configmap("a", {"k": "v", "l": "v"}), "first")

    forced = (await http.apply(path, configmap("a", {"k": "w"}), "second", force="true")).ok

    assert forced["data"] == {"k": "w", "l": "v"}
    assert managers(forced) == {
        ("first", "Apply", ""): {"f:data": {"f:l": {}}},
        ("second", "Apply", ""): {"f:data": {"f:k": {}}},
    }


async def test_the_same_value_is_shared(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.apply(path, configmap("a", {"k": "v"}), "first")
    await http.apply(path, configmap("a", {"k": "v"}), "second")

    left = (await http.apply(path, configmap("a"), "first")).ok

    assert left["data"] == {"k": "v"}
    assert managers(left)["second", "Apply", ""] == {"f:data": {"f:k": {}}}


async def test_an_update_takes_what_it_changes(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.apply(path, configmap("a", {"k": "v", "l": "v"}), "applier")

    patched = (await http.patch(path, {"data": {"k": "w"}}, fieldManager="editor")).ok

    assert managers(patched) == {
        ("applier", "Apply", ""): {"f:data": {"f:l": {}}},
        ("editor", "Update", ""): {"f:data": {"f:k": {}}},
    }


async def test_apply_needs_a_manager(http: Http, ns: str) -> None:
    answer = await http.patch(core(ns, "configmaps", "a"), configmap("a"), APPLY_PATCH)

    assert answer.code == 422
    assert answer.body["message"] == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    )


async def test_force_is_for_apply_only(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.patch(core(ns, "configmaps", "a"), {}, force="true")

    assert answer.code == 422
    assert answer.body["message"] == (
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'
    )


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (configmap("b"), 400, "the name of the object (b) does not match the name on the URL (a)"),
        ({"apiVersion": "v1", "kind": "Secret"}, 400, "v1, Kind=Secret"),
        (configmap("a", managedFields=[{"manager": "x"}]), 400, "metadata.managedFields must be nil"),
        ({"metadata": {"name": "a"}}, 400, "invalid object type: /, Kind="),
        (configmap("a", resourceVersion="1"), 409, "the object has been modified"),
    ],
)
async def test_apply_refuses(http: Http, ns: str, body: object, code: int, message: str) -> None:
    await http.apply(core(ns, "configmaps", "a"), configmap("a"))

    answer = await http.apply(core(ns, "configmaps", "a"), body)

    assert answer.code == code
    assert message in answer.body["message"]


async def test_apply_takes_yaml(http: Http, ns: str) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: |\n    two\n    lines\n"

    path = core(ns, "configmaps", "a")
    answer = await http.call(
        "PATCH", path, data=text, headers={"Content-Type": APPLY_PATCH}, params={"fieldManager": "me"}
    )

    assert answer.ok["data"] == {"k": "two\nlines\n"}


async def test_list_maps_merge_by_key(http: Http, wns: str) -> None:
    path = widgets(wns, "a")
    await http.apply(path, widget("a", {"size": 1, "parts": [{"id": "x"}, {"id": "y", "count": 5}]}), "first")

    applied = (await http.apply(path, {**widget("a", {"parts": [{"id": "z"}]})}, "second")).ok

    assert [part["id"] for part in applied["spec"]["parts"]] == ["x", "y", "z"]
    assert managers(applied)["second", "Apply", ""] == {
        "f:spec": {"f:parts": {'k:{"id":"z"}': {".": {}, "f:id": {}}}},
    }


async def test_leaving_a_list_map_removes_only_ones_own_items(http: Http, wns: str) -> None:
    path = widgets(wns, "a")
    await http.apply(path, widget("a", {"size": 1, "parts": [{"id": "x"}]}), "first")
    await http.apply(path, widget("a", {"parts": [{"id": "z"}]}), "second")

    applied = (await http.apply(path, widget("a", {}), "second")).ok

    assert [part["id"] for part in applied["spec"]["parts"]] == ["x"]


async def test_sets_merge_by_value(http: Http, wns: str) -> None:
    path = widgets(wns, "a")
    await http.apply(path, widget("a", {"size": 1, "words": ["x", "y"]}), "first")

    applied = (await http.apply(path, widget("a", {"words": ["y", "z"]}), "second")).ok

    assert sorted(applied["spec"]["words"]) == ["x", "y", "z"]
    assert managers(applied)["second", "Apply", ""] == {"f:spec": {"f:words": {'v:"y"': {}, 'v:"z"': {}}}}


async def test_plain_lists_are_one_field(http: Http, wns: str) -> None:
    path = widgets(wns, "a")
    await http.apply(path, widget("a", {"size": 1, "plain": ["x"]}), "first")

    answer = await http.apply(path, widget("a", {"plain": ["y"]}), "second")

    assert (answer.code, causes(answer.body)[0][1]) == (409, ".spec.plain")


async def test_status_is_applied_below_its_own_path(http: Http, wns: str) -> None:
    await http.apply(widgets(wns, "a"), widget("a"), "spec-writer")
    body = widget("a", {})
    del body["spec"]
    body["status"] = {"phase": "ready", "conditions": [{"type": "Ready", "status": "True"}]}

    applied = (await http.apply(widgets(wns, "a", "status"), body, "status-writer")).ok

    assert applied["status"]["phase"] == "ready"
    assert managers(applied)["status-writer", "Apply", "status"] == {
        "f:status": {
            "f:phase": {},
            "f:conditions": {'k:{"type":"Ready"}': {".": {}, "f:type": {}, "f:status": {}}},
        }
    }
    assert managers(applied)["spec-writer", "Apply", ""] == {"f:spec": {"f:size": {}}}


async def test_status_of_an_absent_object_is_not_created(http: Http, wns: str) -> None:
    answer = await http.apply(widgets(wns, "none", "status"), widget("none"))

    assert answer.code == 404


async def test_two_condition_writers_keep_out_of_each_others_way(http: Http, wns: str) -> None:
    applied = await http.apply(widgets(wns, "a"), widget("a"))
    for name in ("One", "Two", "One"):
        condition = {"type": name, "status": "True"}
        body = {**widget("a", {}), "status": {"conditions": [condition]}}
        del body["spec"]
        applied = await http.apply(widgets(wns, "a", "status"), body, f"writer-{name}")

    final = (await http.get(widgets(wns, "a"))).ok
    assert applied.version == final["metadata"]["resourceVersion"]
    assert [condition["type"] for condition in final["status"]["conditions"]] == ["One", "Two"]


async def test_unknown_fields_of_custom_resources_are_not_applied(http: Http, wns: str) -> None:
    answer = await http.apply(widgets(wns, "a"), widget("a", {"size": 1, "unknown": 1}))

    assert answer.code == 500
    assert ".spec.unknown: field not declared in schema" in answer.body["message"]


async def test_a_finalizer_can_be_applied_by_two(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.apply(path, configmap("a", finalizers=["a.b/one"]), "first")
    await http.apply(path, configmap("a", finalizers=["a.b/two"]), "second")

    left = (await http.apply(path, configmap("a"), "first")).ok

    assert left["metadata"]["finalizers"] == ["a.b/two"]


async def test_owner_references_merge_by_uid(http: Http, ns: str) -> None:
    owner = (await http.post(core(ns, "configmaps"), configmap("owner"))).ok
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}

    applied = (await http.apply(core(ns, "configmaps", "a"), configmap("a", ownerReferences=[reference]))).ok

    uid = owner["metadata"]["uid"]
    assert managers(applied)["me", "Apply", ""] == {
        "f:metadata": {"f:ownerReferences": {f'k:{{"uid":"{uid}"}}': {}}},
    }


async def test_managed_fields_can_be_cleared(http: Http, ns: str) -> None:
    await http.apply(core(ns, "configmaps", "a"), configmap("a", {"k": "v"}))

    cleared = (await http.patch(core(ns, "configmaps", "a"), {"metadata": {"managedFields": [{}]}})).ok

    assert "managedFields" not in cleared["metadata"]
