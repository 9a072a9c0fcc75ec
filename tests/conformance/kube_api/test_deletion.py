"""Finalizers, preconditions, owners, collections and namespaces."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.objects import NAMESPACES, causes, configmap, core, widget, widgets
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

FINALIZER = "conformance.certwright.io/wait"


def reference(owner: Any, *, block: bool = False) -> dict[str, Any]:
    """An ownerReference to that object."""
    metadata = owner["metadata"]
    found = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return {**found, "blockOwnerDeletion": True} if block else found


async def gone(http: Http, path: str) -> None:
    """Return once the path answers 404."""

    async def absent() -> bool:
        return (await http.get(path)).code == 404

    await eventually(absent)


async def test_a_finalizer_holds_a_deleted_object(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.post(core(ns, "configmaps"), configmap("a", finalizers=[FINALIZER]))

    answer = await http.delete(path)

    metadata = answer.ok["metadata"]
    assert answer.ok["kind"] == "ConfigMap"
    assert metadata["deletionTimestamp"]
    assert metadata["deletionGracePeriodSeconds"] == 0
    await http.patch(path, {"metadata": {"finalizers": None}})
    assert (await http.get(path)).code == 404


async def test_the_generation_counts_the_deletion_of_a_custom_resource(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a", finalizers=[FINALIZER]))

    deleted = (await http.delete(widgets(wns, "a"))).ok

    assert deleted["metadata"]["generation"] == 2


async def test_a_second_delete_keeps_the_time_of_the_first(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.post(core(ns, "configmaps"), configmap("a", finalizers=[FINALIZER]))
    first = await http.delete(path)

    second = await http.delete(path)

    assert second.ok["metadata"]["deletionTimestamp"] == first.ok["metadata"]["deletionTimestamp"]
    assert second.version == first.version


async def test_a_deleted_object_takes_no_new_finalizer(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.post(core(ns, "configmaps"), configmap("a", finalizers=[FINALIZER]))
    await http.delete(path)

    answer = await http.patch(path, {"metadata": {"finalizers": [FINALIZER, "a.b/more"]}})

    assert answer.code == 422
    assert "no new finalizers can be added if the object is being deleted" in answer.body["message"]


async def test_a_finalizer_must_be_qualified(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("a", finalizers=["bad one"]))

    assert answer.code == 422
    assert 'metadata.finalizers: Invalid value: "bad one"' in answer.body["message"]


async def test_preconditions(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    created = await http.post(core(ns, "configmaps"), configmap("a"))
    uid = created.ok["metadata"]["uid"]

    wrong_uid = await http.delete(path, {"preconditions": {"uid": "other"}})
    wrong_version = await http.delete(path, {"preconditions": {"resourceVersion": "1"}})
    right = await http.delete(path, {"preconditions": {"uid": uid, "resourceVersion": created.version}})

    assert (wrong_uid.code, wrong_version.code, right.code) == (409, 409, 200)
    assert wrong_uid.body["message"] == (
        'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID '
        f"in record ({uid}). The object might have been deleted and then recreated"
    )
    assert wrong_version.body["message"] == (
        'Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match '
        f"the ResourceVersion in record ({created.version}). The object might have been modified"
    )


async def test_background_deletion_takes_dependents_along(http: Http, ns: str) -> None:
    owner = (await http.post(core(ns, "configmaps"), configmap("owner"))).ok
    await http.post(core(ns, "configmaps"), configmap("child", ownerReferences=[reference(owner)]))

    await http.delete(core(ns, "configmaps", "owner"), {"propagationPolicy": "Background"})

    assert (await http.get(core(ns, "configmaps", "owner"))).code == 404
    await gone(http, core(ns, "configmaps", "child"))


async def test_foreground_deletion_waits_for_blocking_dependents(http: Http, ns: str) -> None:
    owner = (await http.post(core(ns, "configmaps"), configmap("owner"))).ok
    child = configmap("child", ownerReferences=[reference(owner, block=True)], finalizers=[FINALIZER])
    await http.post(core(ns, "configmaps"), child)

    deleted = (await http.delete(core(ns, "configmaps", "owner"), propagationPolicy="Foreground")).ok

    async def child_is_deleted() -> bool:
        return "deletionTimestamp" in (await http.get(core(ns, "configmaps", "child"))).ok["metadata"]

    assert deleted["metadata"]["finalizers"] == ["foregroundDeletion"]
    await eventually(child_is_deleted)
    assert (await http.get(core(ns, "configmaps", "owner"))).code == 200
    await http.patch(core(ns, "configmaps", "child"), {"metadata": {"finalizers": None}})
    await gone(http, core(ns, "configmaps", "owner"))


async def test_orphaned_dependents_lose_their_reference(http: Http, ns: str) -> None:
    owner = (await http.post(core(ns, "configmaps"), configmap("owner"))).ok
    await http.post(core(ns, "configmaps"), configmap("child", ownerReferences=[reference(owner)]))

    deleted = (await http.delete(core(ns, "configmaps", "owner"), {"propagationPolicy": "Orphan"})).ok

    assert deleted["metadata"]["finalizers"] == ["orphan"]
    await gone(http, core(ns, "configmaps", "owner"))
    child = (await http.get(core(ns, "configmaps", "child"))).ok
    assert "ownerReferences" not in child["metadata"]


async def test_a_dependent_of_two_stays_until_both_are_gone(http: Http, ns: str) -> None:
    one = (await http.post(core(ns, "configmaps"), configmap("one"))).ok
    two = (await http.post(core(ns, "configmaps"), configmap("two"))).ok
    child = configmap("child", ownerReferences=[reference(one), reference(two)])
    await http.post(core(ns, "configmaps"), child)

    await http.delete(core(ns, "configmaps", "one"))

    async def one_reference() -> bool:
        answer = await http.get(core(ns, "configmaps", "child"))
        return [r["name"] for r in answer.ok["metadata"]["ownerReferences"]] == ["two"]

    await eventually(one_reference)
    await http.delete(core(ns, "configmaps", "two"))
    await gone(http, core(ns, "configmaps", "child"))


async def test_a_dependent_of_an_owner_that_never_was_goes(http: Http, ns: str) -> None:
    absent = {"apiVersion": "v1", "kind": "ConfigMap", "name": "never", "uid": "11111111-1111-4111-8111-111111111111"}

    await http.post(core(ns, "configmaps"), configmap("child", ownerReferences=[absent]))

    await gone(http, core(ns, "configmaps", "child"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uid": ""}, 'metadata.ownerReferences.uid: Invalid value: "": must not be empty'),
        ({"name": ""}, 'metadata.ownerReferences.name: Invalid value: "": must not be empty'),
        ({"kind": ""}, 'metadata.ownerReferences.kind: Invalid value: "": must not be empty'),
        ({"apiVersion": ""}, "metadata.ownerReferences.apiVersion: Invalid value:"),
    ],
)
async def test_owner_references_are_checked(http: Http, ns: str, change: dict[str, str], message: str) -> None:
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u"}

    answer = await http.post(core(ns, "configmaps"), configmap("b", ownerReferences=[{**whole, **change}]))

    assert answer.code == 422
    assert message in answer.body["message"]


async def test_one_controller_only(http: Http, ns: str) -> None:
    owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": name, "controller": True} for name in "xy"]

    answer = await http.post(core(ns, "configmaps"), configmap("b", ownerReferences=owners))

    assert answer.code == 422
    assert "Only one reference can have Controller set to true" in answer.body["message"]


async def test_an_unknown_propagation_policy(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.delete(core(ns, "configmaps", "a"), {"propagationPolicy": "Nope"})

    assert answer.code == 422
    assert "propagationPolicy" in answer.body["message"]


async def test_delete_collection_takes_what_the_selector_matches(http: Http, ns: str) -> None:
    for name, label in [("a", "x"), ("b", "x"), ("c", "y")]:
        await http.post(core(ns, "configmaps"), configmap(name, labels={"l": label}))

    answer = await http.delete(core(ns, "configmaps"), labelSelector="l=x")

    assert answer.ok["kind"] == "ConfigMapList"
    assert sorted(item["metadata"]["name"] for item in answer.ok["items"]) == ["a", "b"]
    assert (await http.get(core(ns, "configmaps", "a"))).code == 404
    assert (await http.get(core(ns, "configmaps", "c"))).code == 200


async def test_delete_collection_respects_finalizers(http: Http, ns: str) -> None:
    await http.post(core(ns, "secrets"), {"metadata": {"name": "a", "finalizers": [FINALIZER]}})

    await http.delete(core(ns, "secrets"))

    left = (await http.get(core(ns, "secrets", "a"))).ok
    assert left["metadata"]["deletionTimestamp"]
    await http.patch(core(ns, "secrets", "a"), {"metadata": {"finalizers": None}})


async def test_a_namespace_bears_its_name_as_label(http: Http, ns: str) -> None:
    found = (await http.get(f"{NAMESPACES}/{ns}")).ok

    assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": ns}
    assert found["spec"] == {"finalizers": ["kubernetes"]}
    assert found["status"] == {"phase": "Active"}


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public", "kube-node-lease"])
async def test_default_namespaces_exist(http: Http, name: str) -> None:
    assert (await http.get(f"{NAMESPACES}/{name}")).ok["status"]["phase"] == "Active"


async def test_a_namespace_gets_its_account_and_the_root_certificate(http: Http, ns: str) -> None:
    async def account() -> bool:
        return (await http.get(core(ns, "serviceaccounts", "default"))).code == 200

    async def root() -> Any:
        answer = await http.get(core(ns, "configmaps", "kube-root-ca.crt"))
        return answer.body if answer.code == 200 else None

    await eventually(account)
    assert (await eventually(root))["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")


async def test_a_deleted_namespace_takes_its_contents_along(cluster: Cluster, http: Http) -> None:
    name = f"{cluster.namespace}-gone"
    await http.post(NAMESPACES, {"metadata": {"name": name}})
    await http.post(core(name, "configmaps"), configmap("a", finalizers=[FINALIZER]))

    deleted = (await http.delete(f"{NAMESPACES}/{name}")).ok

    assert deleted["status"]["phase"] == "Terminating"
    refused = await http.post(core(name, "configmaps"), configmap("b"))
    assert refused.code == 403
    assert refused.body["message"] == (
        f'configmaps "b" is forbidden: unable to create new content in namespace {name} because it is being terminated'
    )
    assert causes(refused.body) == [
        ("NamespaceTerminating", "metadata.namespace", f"namespace {name} is being terminated")
    ]

    async def content_is_deleted() -> bool:
        return "deletionTimestamp" in (await http.get(core(name, "configmaps", "a"))).ok["metadata"]

    await eventually(content_is_deleted)
    await http.patch(core(name, "configmaps", "a"), {"metadata": {"finalizers": None}})
    await gone(http, f"{NAMESPACES}/{name}")


async def test_default_namespaces_cannot_be_deleted(http: Http) -> None:
    answer = await http.delete(f"{NAMESPACES}/kube-system")

    assert answer.code == 403
    assert answer.body["message"] == 'namespaces "kube-system" is forbidden: this namespace may not be deleted'


async def test_a_namespace_is_a_dns_label(http: Http) -> None:
    answer = await http.post(NAMESPACES, {"metadata": {"name": "a.b"}})

    assert answer.code == 422
    assert 'metadata.name: Invalid value: "a.b"' in answer.body["message"]
