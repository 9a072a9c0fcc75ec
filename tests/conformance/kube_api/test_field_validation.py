"""What happens to fields that nobody knows."""

from __future__ import annotations

import pytest
from tests.conformance.kube_api.objects import GROUP, configmap, core, widget, widgets
from tests.kubernetes.http import JSON_PATCH, STRATEGIC_PATCH, Http

STRICT = {"fieldValidation": "Strict"}
WARN = {"fieldValidation": "Warn"}
IGNORE = {"fieldValidation": "Ignore"}


async def test_strict_refuses_unknown_fields(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), {**configmap("a"), "extra": 1}, **STRICT)

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "extra"'
    )


async def test_strict_refuses_unknown_fields_of_custom_resources(http: Http, wns: str) -> None:
    body = widget("a", {"size": 1, "extra": 1, "parts": [{"id": "x", "more": 1}]})

    answer = await http.post(widgets(wns), body, **STRICT)

    assert answer.code == 400
    assert answer.body["message"] == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.extra", '
        'unknown field "spec.parts[0].more"'
    )


async def test_warn_tells_in_a_header(http: Http, wns: str) -> None:
    answer = await http.post(widgets(wns), widget("a", {"size": 1, "extra": 1}), **WARN)

    assert answer.code == 201
    assert answer.warnings == ('299 - "unknown field \\"spec.extra\\""',)
    assert "extra" not in answer.ok["spec"]


async def test_warn_is_the_default(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), {**configmap("a"), "extra": 1})

    assert answer.code == 201
    assert answer.warnings == ('299 - "unknown field \\"extra\\""',)


async def test_ignore_is_silent(http: Http, wns: str) -> None:
    answer = await http.post(widgets(wns), widget("a", {"size": 1, "extra": 1}), **IGNORE)

    assert (answer.code, answer.warnings) == (201, ())
    assert "extra" not in answer.ok["spec"]


@pytest.mark.parametrize("path", ["core", "custom"])
async def test_strict_refuses_duplicates(http: Http, wns: str, path: str) -> None:
    core_text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1","k":"2"}}'
    custom_text = (
        f'{{"apiVersion":"{GROUP}/v1","kind":"Widget","metadata":{{"name":"a"}},"spec":{{"size":1,"size":2}}}}'
    )
    collection, text, field = {
        "core": (core(wns, "configmaps"), core_text, "data.k"),
        "custom": (widgets(wns), custom_text, "spec.size"),
    }[path]

    answer = await http.call("POST", collection, data=text, params=STRICT, headers={"Content-Type": "application/json"})

    assert answer.code == 400
    assert f'strict decoding error: duplicate field "{field}"' in answer.body["message"]


async def test_strict_holds_for_updates(http: Http, wns: str) -> None:
    created = (await http.post(widgets(wns), widget("a"))).ok

    answer = await http.put(widgets(wns, "a"), {**created, "spec": {"size": 1, "extra": 1}}, **STRICT)

    assert answer.code == 400
    assert 'unknown field "spec.extra"' in answer.body["message"]


async def test_strict_holds_for_merge_patches(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a"))

    answer = await http.patch(widgets(wns, "a"), {"spec": {"extra": 1}}, **STRICT)

    assert answer.code == 422
    assert 'strict decoding error: unknown field "spec.extra"' in answer.body["message"]


async def test_strict_holds_for_json_patches(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a"))
    patch = [{"op": "add", "path": "/spec/extra", "value": 1}]

    answer = await http.patch(widgets(wns, "a"), patch, JSON_PATCH, **STRICT)

    assert answer.code == 422
    assert 'strict decoding error: unknown field "spec.extra"' in answer.body["message"]


async def test_strict_holds_for_strategic_patches(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.patch(core(ns, "configmaps", "a"), {"extra": 1}, STRATEGIC_PATCH, **STRICT)

    assert answer.code == 422
    assert 'strict decoding error: unknown field "extra"' in answer.body["message"]


async def test_an_unknown_level_is_refused(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), configmap("a"), fieldValidation="Sometimes")

    assert answer.code == 422
    assert 'fieldValidation: Unsupported value: "Sometimes": supported values:' in answer.body["message"]


async def test_a_wrong_type_in_a_core_object(http: Http, ns: str) -> None:
    answer = await http.post(core(ns, "configmaps"), {**configmap("a"), "data": {"k": 1}})

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"].startswith('ConfigMap in version "v1" cannot be handled as a ConfigMap: ')
