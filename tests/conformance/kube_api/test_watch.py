"""Watches: what a client-go reflector leans on."""

from __future__ import annotations

from tests.cluster import Cluster
from tests.conformance.kube_api.definitions import definition, small_version
from tests.conformance.kube_api.objects import GROUP, configmap, core, grouped, widget, widgets
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http, Watch


async def after_sync(watch: Watch) -> None:
    """Read the events of what exists up to the bookmark that ends them."""
    await watch.until("BOOKMARK")


SYNC = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}


async def test_a_life(http: Http, ns: str) -> None:
    start = (await http.get(core(ns, "configmaps"))).version
    async with http.watch(core(ns, "configmaps"), resourceVersion=start, fieldSelector="metadata.name=a") as watch:
        created = await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}))
        changed = await http.patch(core(ns, "configmaps", "a"), {"data": {"k": "w"}})
        await http.delete(core(ns, "configmaps", "a"))
        events = [await watch.next() for _ in range(3)]

    assert [event.type for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[0].object == created.ok
    assert events[1].object == changed.ok
    assert events[2].object["data"] == {"k": "w"}
    assert int(events[2].object["metadata"]["resourceVersion"]) > int(changed.version)


async def test_from_an_old_version_all_is_told_again(http: Http, ns: str) -> None:
    start = (await http.get(core(ns, "configmaps"))).version
    await http.post(core(ns, "configmaps"), configmap("a"))
    await http.patch(core(ns, "configmaps", "a"), {"data": {"k": "v"}})

    async with http.watch(core(ns, "configmaps"), resourceVersion=start, fieldSelector="metadata.name=a") as watch:
        events = [await watch.next(), await watch.next()]

    assert [event.type for event in events] == ["ADDED", "MODIFIED"]


async def test_without_a_version_what_exists_comes_first(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    async with http.watch(core(ns, "configmaps"), fieldSelector="metadata.name=a") as watch:
        first = await watch.next()

    assert (first.type, first.object["metadata"]["name"]) == ("ADDED", "a")


async def test_version_zero_sends_what_exists(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))
    path = core(ns, "configmaps")

    async with http.watch(path, resourceVersion="0", fieldSelector="metadata.name=a") as watch:
        first = await watch.next()

    assert first.type == "ADDED"


async def test_initial_events_end_with_a_bookmark(http: Http, ns: str) -> None:
    for name in "ab":
        await http.post(core(ns, "configmaps"), configmap(name, labels={"mine": "1"}))

    async with http.watch(core(ns, "configmaps"), labelSelector="mine=1", **SYNC) as watch:
        events = await watch.until("BOOKMARK")
        await http.post(core(ns, "configmaps"), configmap("c", labels={"mine": "1"}))
        live = await watch.next()

    assert [event.object["metadata"]["name"] for event in events[:-1]] == ["a", "b"]
    bookmark = events[-1].object
    assert bookmark["kind"] == "ConfigMap"
    assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(bookmark["metadata"]["resourceVersion"]) >= int(events[1].object["metadata"]["resourceVersion"])
    assert live.object["metadata"]["name"] == "c"


async def test_initial_events_of_custom_resources(http: Http, wns: str) -> None:
    await http.post(widgets(wns), widget("a"))

    async with http.watch(widgets(wns), **SYNC) as watch:
        events = await watch.until("BOOKMARK")

    assert [event.type for event in events] == ["ADDED", "BOOKMARK"]
    assert events[1].object["kind"] == "Widget"


async def test_initial_events_need_bookmarks_allowed(http: Http, ns: str) -> None:
    answer = await http.get(core(ns, "configmaps"), watch="1", sendInitialEvents="true", allowWatchBookmarks="true")

    assert answer.code == 422
    assert (
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        in answer.body["message"]
    )


async def test_initial_events_are_for_watches(http: Http, ns: str) -> None:
    answer = await http.get(core(ns, "configmaps"), sendInitialEvents="true", resourceVersionMatch="NotOlderThan")

    assert answer.code == 422
    assert "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list" in answer.body["message"]


async def test_a_selector_sees_objects_come_and_go(http: Http, ns: str) -> None:
    path = core(ns, "configmaps", "a")
    start = (await http.post(core(ns, "configmaps"), configmap("a", {"k": "v"}))).version
    async with http.watch(core(ns, "configmaps"), resourceVersion=start, labelSelector="l=1") as watch:
        await http.patch(path, {"metadata": {"labels": {"l": "1"}}})
        await http.patch(path, {"data": {"k": "w"}})
        await http.patch(path, {"metadata": {"labels": {"l": "2"}}, "data": {"k": "x"}})
        events = [await watch.next() for _ in range(3)]

    assert [event.type for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[2].object["data"] == {"k": "w"}


async def test_a_selectable_field_works_in_watches(http: Http, wns: str) -> None:
    start = (await http.get(widgets(wns))).version
    async with http.watch(widgets(wns), resourceVersion=start, fieldSelector="spec.color=blue") as watch:
        await http.post(widgets(wns), widget("red"))
        await http.post(widgets(wns), widget("blue", {"size": 1, "color": "blue"}))
        event = await watch.next()

    assert event.object["metadata"]["name"] == "blue"


async def test_a_time_limit_ends_the_stream(http: Http, ns: str) -> None:
    start = (await http.get(core(ns, "secrets"))).version
    async with http.watch(core(ns, "secrets"), resourceVersion=start, timeoutSeconds="1") as watch:
        assert await watch.ended()


async def test_a_version_from_the_future(http: Http, ns: str) -> None:
    answer = await http.get(core(ns, "configmaps"), resourceVersion="999999999", resourceVersionMatch="NotOlderThan")

    assert answer.code == 504
    assert answer.body["reason"] == "Timeout"
    assert "Too large resource version: 999999999" in answer.body["message"]


async def test_a_version_that_is_none(http: Http, ns: str) -> None:
    listed = await http.get(core(ns, "configmaps"), resourceVersion="abc")
    watched = await http.get(core(ns, "configmaps"), watch="1", resourceVersion="abc")

    assert (listed.code, listed.body["reason"]) == (400, "BadRequest")
    # kube-apiserver 1.36 calls the same fault of a watch its own.
    assert watched.code in {400, 500}
    assert 'resourceVersion: Invalid value: "abc"' in watched.body["message"]


async def test_a_version_that_is_too_old_is_gone(cluster: Cluster, http: Http, ns: str) -> None:
    await cluster.install_crd(definition("oldies", "Oldie", [small_version({})]))
    path = grouped(f"{GROUP}/v1", ns, "oldies")

    async def is_served() -> bool:
        return (await http.get(path)).code == 200

    await eventually(is_served)
    async with http.watch(path, resourceVersion="1", timeoutSeconds="5") as watch:
        event = await watch.next()

    assert event.type == "ERROR"
    assert (event.object["reason"], event.object["code"]) == ("Expired", 410)
    assert event.object["message"].startswith("too old resource version: 1 (")


async def test_one_object_is_got_not_watched(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))

    answer = await http.get(core(ns, "configmaps", "a"), watch="1")

    assert (answer.ok["kind"], answer.ok["metadata"]["name"]) == ("ConfigMap", "a")


async def test_a_watch_of_one_name_by_its_old_path(http: Http, ns: str) -> None:
    await http.post(core(ns, "configmaps"), configmap("a"))
    await http.post(core(ns, "configmaps"), configmap("b"))

    async with http.watch(f"/api/v1/watch/namespaces/{ns}/configmaps/b") as watch:
        event = await watch.next()

    assert event.object["metadata"]["name"] == "b"


async def test_all_namespaces_at_once(http: Http, ns: str) -> None:
    start = (await http.get("/api/v1/configmaps")).version
    async with http.watch(
        "/api/v1/configmaps", resourceVersion=start, fieldSelector=f"metadata.namespace={ns}"
    ) as watch:
        await http.post(core(ns, "configmaps"), configmap("zz"))
        names = {(await watch.next()).object["metadata"]["name"] for _ in range(1)}

    assert names <= {"zz", "kube-root-ca.crt"}


async def test_a_table_watch_sends_the_columns_once(http: Http, wns: str) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    await http.post(widgets(wns), widget("a"))
    async with http.watch(widgets(wns), accept=accept) as watch:
        first = await watch.next()
        await http.post(widgets(wns), widget("b"))
        second = await watch.next()

    assert [column["name"] for column in first.object["columnDefinitions"]] == ["Name", "Color", "Size", "Ready", "Age"]
    assert first.object["rows"][0]["cells"][:2] == ["a", "red"]
    assert not second.object.get("columnDefinitions")


async def test_a_metadata_watch(http: Http, wns: str) -> None:
    accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    await http.post(widgets(wns), widget("a", labels={"l": "1"}))

    async with http.watch(widgets(wns), accept=accept) as watch:
        event = await watch.next()

    assert event.object["kind"] == "PartialObjectMetadata"
    assert event.object["metadata"]["labels"] == {"l": "1"}
    assert "spec" not in event.object
