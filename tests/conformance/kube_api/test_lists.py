"""Lists: selectors, pages, forms and sizes."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.objects import causes, configmap, core, widget, widgets
from tests.kubernetes.http import Http

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def names(body: object) -> list[str]:
    assert isinstance(body, dict)
    return [item["metadata"]["name"] for item in body["items"]]


async def test_pages_show_one_state(http: Http, ns: str) -> None:
    for name in "abcde":
        await http.post(core(ns, "secrets"), {"metadata": {"name": name}})

    first = await http.get(core(ns, "secrets"), limit="2")
    await http.post(core(ns, "secrets"), {"metadata": {"name": "bb"}})
    await http.delete(core(ns, "secrets", "d"))
    second = await http.get(core(ns, "secrets"), limit="2", **{"continue": first.ok["metadata"]["continue"]})
    third = await http.get(core(ns, "secrets"), limit="2", **{"continue": second.ok["metadata"]["continue"]})

    assert [names(page.ok) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert {page.version for page in (first, second, third)} == {first.version}
    assert (first.ok["metadata"]["remainingItemCount"], "continue" in third.ok["metadata"]) == (3, False)


async def test_selected_pages_count_no_rest(http: Http, ns: str) -> None:
    for name in "abc":
        await http.post(core(ns, "secrets"), {"metadata": {"name": name, "labels": {"l": "1"}}})

    page = (await http.get(core(ns, "secrets"), limit="2", labelSelector="l=1")).ok

    assert names(page) == ["a", "b"]
    assert "remainingItemCount" not in page["metadata"]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tier=front", ["a"]),
        ("tier!=front", ["b", "c"]),
        ("tier in (front, back)", ["a", "b"]),
        ("tier notin (front),app", ["c"]),
        ("app", ["a", "c"]),
        ("!app", ["b"]),
        ("app=x,tier=front", ["a"]),
        ("size>3", ["c"]),
    ],
)
async def test_label_selectors(http: Http, ns: str, selector: str, expected: list[str]) -> None:
    for name, labels in [
        ("a", {"app": "x", "tier": "front"}),
        ("b", {"tier": "back"}),
        ("c", {"app": "y", "size": "5"}),
    ]:
        await http.post(core(ns, "secrets"), {"metadata": {"name": name, "labels": labels}})

    assert names((await http.get(core(ns, "secrets"), labelSelector=selector)).ok) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("metadata.name=a", ["a"]),
        ("metadata.name!=a", ["b"]),
        ("type=kubernetes.io/tls", ["b"]),
        ("type!=Opaque", ["b"]),
    ],
)
async def test_field_selectors_of_secrets(http: Http, ns: str, selector: str, expected: list[str]) -> None:
    await http.post(core(ns, "secrets"), {"metadata": {"name": "a"}})
    await http.post(
        core(ns, "secrets"),
        {"metadata": {"name": "b"}, "type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""}},
    )

    assert names((await http.get(core(ns, "secrets"), fieldSelector=selector)).ok) == expected


async def test_selectable_fields_of_custom_resources(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("red"))
    await http.post(widgets(wns), widget("blue", {"size": 1, "color": "blue"}))

    blue = await http.get(widgets(wns), fieldSelector="spec.color=blue")
    unknown = await http.get(widgets(wns), fieldSelector="spec.size=1")

    assert names(blue.ok) == ["blue"]
    assert (unknown.code, unknown.body["message"]) == (400, "field label not supported: spec.size")


async def test_a_bad_label_selector(http: Http, ns: str) -> None:
    answer = await http.get(core(ns, "secrets"), labelSelector="a b")

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")


async def test_a_version_may_be_asked_for_exactly(http: Http, ns: str) -> None:
    before = await http.post(core(ns, "secrets"), {"metadata": {"name": "a"}})
    await http.post(core(ns, "secrets"), {"metadata": {"name": "b"}})

    exact = await http.get(core(ns, "secrets"), resourceVersion=before.version, resourceVersionMatch="Exact")
    newer = await http.get(core(ns, "secrets"), resourceVersion=before.version, resourceVersionMatch="NotOlderThan")

    assert (names(exact.ok), names(newer.ok)) == (["a"], ["a", "b"])
    assert exact.version == before.version


async def test_matches_that_contradict(http: Http, ns: str) -> None:
    answer = await http.get(core(ns, "secrets"), resourceVersionMatch="Sometimes")

    assert causes(answer.body) == [
        (
            "FieldValueForbidden",
            "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "FieldValueNotSupported",
            "resourceVersionMatch",
            'Unsupported value: "Sometimes": supported values: "Exact", "NotOlderThan", ""',
        ),
    ]


async def test_a_continue_token_that_is_none(http: Http, ns: str) -> None:
    answer = await http.get(core(ns, "secrets"), **{"continue": "nonsense!"})

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert "continue key is not valid" in answer.body["message"]


async def test_a_table_of_a_custom_resource(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a", {"size": 7, "color": "blue"}))

    table = (await http.get(widgets(wns), accept=TABLE)).ok
    whole = (await http.get(widgets(wns), accept=TABLE, includeObject="Object")).ok
    bare = (await http.get(widgets(wns), accept=TABLE, includeObject="None")).ok

    columns = [(column["name"], column["type"], column["priority"]) for column in table["columnDefinitions"]]
    assert columns == [
        ("Name", "string", 0),
        ("Color", "string", 0),
        ("Size", "integer", 1),
        ("Ready", "string", 0),
        ("Age", "date", 0),
    ]
    assert table["rows"][0]["cells"][:4] == ["a", "blue", 7, None]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert whole["rows"][0]["object"]["spec"]["size"] == 7
    assert not bare["rows"][0].get("object")


async def test_metadata_only(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a", labels={"l": "1"}))

    listed = (await http.get(widgets(wns), accept=METADATA)).ok

    assert listed["kind"] == "PartialObjectMetadataList"
    assert listed["items"][0]["metadata"]["labels"] == {"l": "1"}
    assert "spec" not in listed["items"][0]


async def test_items_of_built_in_lists_leave_their_kind_out(http: Http, wns: str) -> None:
    await http.post(core(wns, "secrets"), {"metadata": {"name": "a"}})
    await http.post(widgets(wns), widget("a"))

    secrets = (await http.get(core(wns, "secrets"))).ok
    customs = (await http.get(widgets(wns))).ok

    assert (secrets["kind"], "kind" in secrets["items"][0]) == ("SecretList", False)
    assert (customs["kind"], customs["items"][0]["kind"]) == ("WidgetList", "Widget")


async def test_yaml_is_written_and_read(http: Http, ns: str) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  day: 2026-01-02\n"
    refused = await http.call("POST", core(ns, "configmaps"), data="a: [", headers={"Content-Type": "application/yaml"})

    quoted = text.replace("2026-01-02", "'2026-01-02'")
    created = await http.call("POST", core(ns, "configmaps"), data=quoted, headers={"Content-Type": "application/yaml"})
    read = await http.get(core(ns, "configmaps", "a"), accept="application/yaml")

    assert created.ok["data"] == {"day": "2026-01-02"}
    assert "kind: ConfigMap" in read.ok
    assert refused.code == 400


async def test_large_answers_are_compressed_where_asked(cluster: Cluster, ns: str) -> None:
    http = cluster.http
    await http.post(core(ns, "configmaps"), configmap("big", {"k": "x" * 300_000}))

    async with http.stream(core(ns, "configmaps"), {"Accept-Encoding": "gzip"}) as response:
        packed = await response.read()
        encoding = response.headers.get("Content-Encoding")

    assert encoding == "gzip"
    assert len(packed) < 100_000
    assert json.loads(gzip.decompress(packed))["kind"] == "ConfigMapList"


@pytest.mark.parametrize("media", ["application/cbor", "text/plain"])
async def test_media_types_that_are_not_read(http: Http, ns: str, media: str) -> None:
    answer = await http.call("POST", core(ns, "configmaps"), data="x", headers={"Content-Type": media})

    assert (answer.code, answer.body["reason"]) == (415, "UnsupportedMediaType")
    assert "accepted media types include: application/json, application/yaml" in answer.body["message"]


async def test_media_types_that_are_not_written(http: Http, ns: str) -> None:
    answer = await http.get(core(ns, "configmaps"), accept="text/html")

    assert (answer.code, answer.body["reason"]) == (406, "NotAcceptable")


async def test_a_body_that_is_too_large(http: Http, ns: str) -> None:
    body = io.BytesIO(json.dumps(configmap("a", {"k": "x" * (4 * 1024 * 1024)})).encode())

    answer = await http.call("POST", core(ns, "configmaps"), data=body, headers={"Content-Type": "application/json"})

    assert (answer.code, answer.body["reason"]) == (413, "RequestEntityTooLarge")
