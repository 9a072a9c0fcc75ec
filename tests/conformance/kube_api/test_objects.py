"""Create, read, update and delete, and what is refused."""

from __future__ import annotations

import re

import pytest
from tests.conformance.kube_api.objects import causes, configmap, core, widget, widgets
from tests.kubernetes.http import Http

INVALID_NAME = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


async def test_create_sets_the_metadata_of_the_server(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}), fieldManager="me")

    metadata = answer.ok["metadata"]
    assert answer.code == 201
    assert set(metadata) == {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert metadata["resourceVersion"].isdigit()
    assert answer.ok["data"] == {"k": "v"}


async def test_create_ignores_what_only_the_server_sets(http: Http, ns: str) -> None:
    body = configmap("a", uid="mine", creationTimestamp="2001-01-01T00:00:00Z")

    created = (await http.post(core(ns, "configmaps"), body)).ok

    assert created["metadata"]["uid"] != "mine"
    assert not created["metadata"]["creationTimestamp"].startswith("2001")


async def test_create_refuses_a_resource_version(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("a", resourceVersion="5"))

    assert (answer.code, answer.body["message"]) == (500, "resourceVersion should not be set on objects to be created")


async def test_create_twice(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.post(core(ns, "configmaps"), configmap("a"))

    assert answer.code == 409
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "a" already exists',
        "reason": "AlreadyExists",
        "details": {"name": "a", "kind": "configmaps"},
        "code": 409,
    }


async def test_a_custom_resource_is_named_with_its_group(http: Http, wns: str) -> None:
    answer = await http.get(widgets(wns, "none"))

    assert answer.code == 404
    assert answer.body["message"] == 'widgets.conformance.certwright.io "none" not found'
    assert answer.body["reason"] == "NotFound"
    assert answer.body["details"] == {"name": "none", "group": "conformance.certwright.io", "kind": "widgets"}


async def test_create_in_an_absent_namespace(http: Http) -> None:
    answer = await http.post(core("absent", "configmaps"), configmap("a"))

    assert (answer.code, answer.body["message"]) == (404, 'namespaces "absent" not found')


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/api/v1/nonsense", "the server could not find the requested resource"),
        ("/apis/none.example.com/v1/things", "the server could not find the requested resource"),
    ],
)
async def test_an_unknown_resource(http: Http, path: str, text: str) -> None:
    answer = await http.get(path)

    assert answer.code == 404
    assert text in str(answer.body["message"] if isinstance(answer.body, dict) else text)


async def test_generate_name_adds_five_letters(http: Http, ns: str) -> None:
    created = (await http.post(core(ns, "configmaps"), configmap("gen-"))).ok

    assert re.fullmatch(r"gen-[bcdfghjklmnpqrstvwxz2456789]{5}", created["metadata"]["name"])
    assert created["metadata"]["generateName"] == "gen-"


async def test_a_name_is_required(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), {"apiVersion": "v1", "kind": "ConfigMap"})

    assert answer.code == 422
    assert answer.body["message"] == (
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'
    )
    assert causes(answer.body) == [
        ("FieldValueRequired", "metadata.name", "Required value: name or generateName is required")
    ]


async def test_a_name_must_be_a_dns_name(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("Bad_Name"))

    text = f'Invalid value: "Bad_Name": {INVALID_NAME}'
    assert answer.code == 422
    assert answer.body["message"] == f'ConfigMap "Bad_Name" is invalid: metadata.name: {text}'
    assert answer.body["details"]["name"] == "Bad_Name"
    assert answer.body["details"]["kind"] == "ConfigMap"
    assert causes(answer.body) == [("FieldValueInvalid", "metadata.name", text)]


async def test_labels_are_checked(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("a", labels={"ok": "not ok!"}))

    [(reason, field, message)] = causes(answer.body)
    assert (answer.code, reason, field) == (422, "FieldValueInvalid", "metadata.labels")
    assert message.startswith('Invalid value: "not ok!": a valid label must be an empty string or consist of')


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            configmap("a", namespace="other"),
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}},
            400,
            'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): '
            "unknown conversion",
        ),
        (
            {"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}},
            400,
            'no kind "ConfigMap" is registered for version "v2"',
        ),
    ],
)
async def test_a_body_must_fit_the_path(http: Http, ns: str, body: object, code: int, message: str) -> None:
    answer = await http.post(core(ns, "configmaps"), body)

    assert answer.code == code
    assert message in answer.body["message"]


async def test_kind_and_version_may_be_left_out(http: Http, ns: str) -> None:
    created = (await http.post(core(ns, "configmaps"), {"metadata": {"name": "a"}})).ok

    assert (created["apiVersion"], created["kind"]) == ("v1", "ConfigMap")


async def test_update_replaces(http: Http, ns: str) -> None:
    created = (await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}))).ok

    updated = (await http.put(core(ns, "configmaps", "a"), configmap("a", {"other": "w"}))).ok

    assert updated["data"] == {"other": "w"}
    assert updated["metadata"]["uid"] == created["metadata"]["uid"]
    assert int(updated["metadata"]["resourceVersion"]) > int(created["metadata"]["resourceVersion"])


async def test_update_that_changes_nothing_is_no_write(http: Http, ns: str) -> None:
    created = await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}))

    updated = await http.put(core(ns, "configmaps", "a"), created.ok)

    assert updated.version == created.version


async def test_update_of_a_stale_version_conflicts(http: Http, ns: str) -> None:
    created = (await http.post(core(ns, "configmaps"), configmap("a"))).ok
    await http.patch(core(ns, "configmaps", "a"), {"data": {"k": "v"}})

    answer = await http.put(core(ns, "configmaps", "a"), {**created, "data": {"k": "w"}})

    assert answer.code == 409
    assert answer.body["reason"] == "Conflict"
    assert answer.body["message"] == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes '
        "to the latest version and try again"
    )
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}


async def test_update_of_an_absent_object(http: Http, ns: str) -> None:
    answer = await http.put(core(ns, "configmaps", "a"), configmap("a"))

    assert (answer.code, answer.body["reason"]) == (404, "NotFound")


async def test_update_under_another_name(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.put(core(ns, "configmaps", "a"), configmap("b"))

    assert answer.code == 400
    assert answer.body["message"] == "the name of the object (b) does not match the name on the URL (a)"


async def test_update_with_another_uid(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.put(core(ns, "configmaps", "a"), configmap("a", uid="other"))

    assert answer.code == 409
    assert "Precondition failed: UID in precondition: other, UID in object meta: " in answer.body["message"]


async def test_a_custom_resource_must_carry_its_version_to_be_replaced(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a"))

    answer = await http.put(widgets(wns, "a"), widget("a", {"size": 2}))

    assert answer.code == 422
    assert causes(answer.body) == [
        ("FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
    ]


async def test_generation_counts_changes_of_the_spec_only(http: Http, wns: str) -> None:
    created = (await http.post(widgets(wns), widget("a"))).ok

    labelled = (await http.patch(widgets(wns, "a"), {"metadata": {"labels": {"l": "1"}}})).ok
    status = (await http.patch(widgets(wns, "a", "status"), {"status": {"phase": "x"}})).ok
    changed = (await http.patch(widgets(wns, "a"), {"spec": {"size": 2}})).ok

    generations = [body["metadata"]["generation"] for body in (created, labelled, status, changed)]
    assert generations == [1, 1, 1, 2]


async def test_status_is_dropped_from_ordinary_writes(http: Http, wns: str) -> None:
    created = (await http.post(widgets(wns), {**widget("a"), "status": {"phase": "made up"}})).ok
    patched = (await http.patch(widgets(wns, "a"), {"status": {"phase": "made up"}})).ok

    assert "status" not in created
    assert "status" not in patched


async def test_the_status_subresource_changes_status_only(http: Http, wns: str) -> None:
    created = (await http.post(widgets(wns), widget("a"))).ok
    body = {**created, "spec": {"size": 9}, "status": {"phase": "ready"}}
    body["metadata"] = {**created["metadata"], "labels": {"l": "1"}}

    updated = (await http.put(widgets(wns, "a", "status"), body)).ok

    assert updated["status"] == {"phase": "ready"}
    assert updated["spec"] == created["spec"]
    assert "labels" not in updated["metadata"]


async def test_delete_of_a_core_object_answers_with_a_status(http: Http, ns: str) -> None:
    created = (await http.post(core(ns, "configmaps"), configmap("a"))).ok

    answer = await http.delete(core(ns, "configmaps", "a"))

    assert answer.ok == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "kind": "configmaps", "uid": created["metadata"]["uid"]},
    }
    assert (await http.get(core(ns, "configmaps", "a"))).code == 404


async def test_delete_of_an_absent_object(http: Http, ns: str) -> None:
    answer = await http.delete(core(ns, "configmaps", "a"))

    assert (answer.code, answer.body["reason"]) == (404, "NotFound")


async def test_create_with_a_name_in_the_path_is_not_allowed(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps", "a"), configmap("a"))

    assert (answer.code, answer.body["reason"]) == (405, "MethodNotAllowed")
    assert answer.body["message"] == "the server does not allow this method on the requested resource"


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_collections_are_not_replaced(http: Http, ns: str, verb: str) -> None:
    answer = await http.call(verb, core(ns, "configmaps"), json={}, headers={"Content-Type": "application/json"})

    assert (answer.code, answer.body["reason"]) == (405, "MethodNotAllowed")
