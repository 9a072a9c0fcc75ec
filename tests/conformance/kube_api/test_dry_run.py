"""Dry-run answers as the real thing would, and writes nothing."""

from __future__ import annotations

from tests.conformance.kube_api.objects import configmap, core
from tests.kubernetes.http import Http

DRY = {"dryRun": "All"}


async def test_create(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}), **DRY)

    assert answer.code == 201
    assert answer.ok["metadata"]["uid"]
    assert "resourceVersion" not in answer.ok["metadata"]
    assert (await http.get(core(ns, "configmaps", "a"))).code == 404


async def test_create_finds_what_exists(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.post(core(ns, "configmaps"), configmap("a"), **DRY)

    assert answer.code == 409


async def test_update_patch_and_apply(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    before = await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}), fieldManager="me")

    updated = await http.put(path, configmap("a", {"k": "u"}), **DRY)
    patched = await http.patch(path, {"data": {"k": "p"}}, **DRY)
    applied = await http.apply(path, configmap("a", {"k": "s"}), "you", force="true", **DRY)

    assert [answer.ok["data"]["k"] for answer in (updated, patched, applied)] == ["u", "p", "s"]
    after = await http.get(path)
    assert (after.version, after.ok["data"]) == (before.version, {"k": "v"})


async def test_delete(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    await http.post(core(ns, "configmaps"), configmap("a"))

    by_parameter = await http.delete(path, **DRY)
    by_body = await http.delete(path, {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]})

    assert (by_parameter.code, by_body.code) == (200, 200)
    assert (await http.get(path)).code == 200


async def test_delete_collection(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    await http.delete(core(ns, "configmaps"), **DRY)

    assert (await http.get(core(ns, "configmaps", "a"))).code == 200


async def test_an_unknown_value_is_refused(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("a"), dryRun="Some")

    assert answer.code == 422
    assert 'dryRun: Unsupported value: ["Some"]: supported values: "All"' in answer.body["message"]
