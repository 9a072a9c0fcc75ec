"""The client against an API server."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.kube.parts import config_map, key
from tests.integration.wiring import client_of
from tests.kubernetes.kubeconfig import write_kubeconfig

from certwright.api.core import ConfigMap, SubjectAccessReview
from certwright.api.core_kinds import CONFIG_MAP
from certwright.api.meta import ObjectMeta
from certwright.clock import SystemClock
from certwright.kube.client import client as client_module
from certwright.kube.client.client import KubeClient
from certwright.kube.client.errors import Unreachable
from certwright.kube.client.kubeconfig import find_connection
from certwright.kube.client.listing import Bookmark, Removed, Seen, Selection, WatchOptions
from certwright.kube.wire.status import AlreadyExists, Conflict, Forbidden, NotFound


async def test_an_object_from_its_creation_to_its_end(cluster: Cluster) -> None:
    a = key(cluster, "a")
    async with client_of(cluster) as client:
        made = await client.create(CONFIG_MAP, config_map("a", x="1"), cluster.namespace)
        with pytest.raises(AlreadyExists):
            await client.create(CONFIG_MAP, config_map("a"), cluster.namespace)
        patched = await client.merge_patch(CONFIG_MAP, a, {"data": {"y": "2"}})
        operations = [{"op": "replace", "path": "/data/x", "value": "3"}]
        again = await client.json_patch(CONFIG_MAP, a, operations)  # type: ignore[arg-type] # plain JSON
        updated = await client.update(CONFIG_MAP, a, config_map("a", z="4"))
        with pytest.raises(Conflict):
            await client.delete(CONFIG_MAP, a, uid="another")
        await client.delete(CONFIG_MAP, a, uid=made.metadata.uid)
        with pytest.raises(NotFound, match='configmaps "a" not found'):
            await client.get(CONFIG_MAP, a)

    assert (made.data, patched.data) == ({"x": "1"}, {"x": "1", "y": "2"})
    assert (again.data, updated.data) == ({"x": "3", "y": "2"}, {"z": "4"})


async def test_a_generated_name(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        body = ConfigMap(metadata=ObjectMeta(generate_name="made-"), data={"x": "y"})
        made = await client.create(CONFIG_MAP, body, cluster.namespace, "manager")

    assert made.metadata.name.startswith("made-")
    assert len(made.metadata.name) == len("made-") + 5


async def test_a_stale_view_is_refused(cluster: Cluster) -> None:
    a = key(cluster, "a")
    async with client_of(cluster) as client:
        made = await client.create(CONFIG_MAP, config_map("a"), cluster.namespace)
        await client.merge_patch(CONFIG_MAP, a, {"data": {"x": "1"}})
        stale = {"resourceVersion": made.metadata.resource_version}
        with pytest.raises(Conflict):
            await client.merge_patch(CONFIG_MAP, a, {"metadata": stale, "data": {"x": "2"}})  # type: ignore[dict-item]


async def test_two_appliers_and_one_field(cluster: Cluster) -> None:
    a = key(cluster, "a")
    async with client_of(cluster) as client:
        await client.apply(CONFIG_MAP, a, config_map("a", x="1", mine="1"), manager="one")
        with pytest.raises(Conflict, match="one"):
            await client.apply(CONFIG_MAP, a, config_map("a", x="2"), manager="two", force=False)
        await client.apply(CONFIG_MAP, a, config_map("a", x="2"), manager="two")
        left = await client.apply(CONFIG_MAP, a, config_map("a"), manager="one")

    assert left.data == {"x": "2"}


async def test_a_list_in_pages(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PAGE", 3)
    async with client_of(cluster) as client:
        for number in range(8):
            await client.create(CONFIG_MAP, config_map(f"m-{number}"), cluster.namespace)
        selection = Selection(namespace=cluster.namespace)
        pages = [page async for page in client.pages(CONFIG_MAP, selection, metadata_only=True)]
        listing = await client.list(CONFIG_MAP, selection)

    names = {f"m-{number}" for number in range(8)}
    assert names <= {each.metadata.name for each in listing.items}
    assert [len(page.items) for page in pages][:2] == [3, 3]
    assert {page.resource_version for page in pages} == {pages[0].resource_version}
    assert all(not each.data for page in pages for each in page.items)


async def test_a_watch_tells_what_happens(cluster: Cluster) -> None:
    selection = Selection(namespace=cluster.namespace, fields="metadata.name=a")
    async with client_of(cluster) as client:
        before = await client.list(CONFIG_MAP, selection)
        await client.create(CONFIG_MAP, config_map("a", x="1"), cluster.namespace)
        await client.create(CONFIG_MAP, config_map("b", x="1"), cluster.namespace)
        await client.merge_patch(CONFIG_MAP, key(cluster, "a"), {"data": {"x": "2"}})
        await client.delete(CONFIG_MAP, key(cluster, "a"))
        options = WatchOptions(timeout=timedelta(seconds=2))
        async with asyncio.timeout(20):
            events = [
                each
                async for together in client.watch(CONFIG_MAP, selection, before.resource_version, options=options)
                for each in together
                if isinstance(each, Seen | Removed)
            ]

    assert [(type(each).__name__, each.obj.data["x"]) for each in events] == [
        ("Seen", "1"),
        ("Seen", "2"),
        ("Removed", "2"),
    ]


async def test_a_watch_that_begins_with_what_is_there(cluster: Cluster) -> None:
    selection = Selection(namespace=cluster.namespace)
    async with client_of(cluster) as client:
        made = await client.create(CONFIG_MAP, config_map("a", x="1"), cluster.namespace)
        options = WatchOptions(initial=True, metadata_only=True, timeout=timedelta(seconds=2))
        arriving = client.watch(CONFIG_MAP, selection, "", options=options)
        events = [each async for together in arriving for each in together]

    seen = [each.obj for each in events if isinstance(each, Seen)]
    end = next(each for each in events if isinstance(each, Bookmark))
    assert "a" in {each.metadata.name for each in seen}
    assert not any(each.data for each in seen)
    assert end.ends_initial
    assert int(end.resource_version) >= int(made.metadata.resource_version)


async def test_the_server_ends_a_watch_after_its_time(cluster: Cluster) -> None:
    selection = Selection(namespace=cluster.namespace)
    async with client_of(cluster) as client:
        version = (await client.list(CONFIG_MAP, selection)).resource_version
        options = WatchOptions(timeout=timedelta(seconds=1))
        async with asyncio.timeout(20):
            arriving = client.watch(CONFIG_MAP, selection, version, options=options)
            events = [each async for together in arriving for each in together]

    assert all(isinstance(each, Bookmark | Seen) for each in events)


async def test_who_may_do_what(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "config"
    user = cluster.server.user("nobody-in-particular")
    write_kubeconfig(path, cluster.server.address, cluster.server.ca, user)
    async with client_of(cluster) as client:
        nobody = KubeClient(find_connection({}, str(path)), SystemClock())
        try:
            with pytest.raises(Forbidden, match="nobody-in-particular"):
                await nobody.get(CONFIG_MAP, key(cluster, "a"))
        finally:
            await nobody.close()
        body = json.loads('{"spec":{"user":"x","resourceAttributes":{"verb":"get","resource":"secrets"}}}')
        answer = await client.post(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", **body},
            SubjectAccessReview,
        )

    assert answer.status is not None
    assert not answer.status.allowed


async def test_any_path(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        version = json.loads(await client.get_raw("/version"))

    assert version["major"] == "1"


async def test_another_name_on_the_servers_certificate(cluster: Cluster, tmp_path: Path) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    path = tmp_path / "config"

    async def write_as(name: str) -> None:
        for each in config["clusters"]:
            each["cluster"]["tls-server-name"] = name
        path.write_text(yaml.safe_dump(config))
        client = KubeClient(find_connection({}, str(path)), MovableClock())
        try:
            await client.merge_patch(CONFIG_MAP, key(cluster, "absent"), {})
        finally:
            await client.close()

    with pytest.raises(NotFound):
        await write_as("localhost")
    with pytest.raises(Unreachable, match="certificate verify failed"):
        await write_as("elsewhere.example")


async def test_a_credential_plugin_shows_a_certificate(cluster: Cluster, tmp_path: Path) -> None:
    pair = cluster.server.user("plugged-in", ["system:masters"])
    version = "client.authentication.k8s.io/v1"
    status = {"clientCertificateData": pair.certificate.read_text(), "clientKeyData": pair.key.read_text()}
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status}))
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    plugin = {"apiVersion": version, "command": "cat", "args": [str(answer)], "interactiveMode": "Never"}
    for each in config["users"]:
        each["user"] = {"exec": plugin}
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    client = KubeClient(find_connection({}, str(path)), SystemClock())

    try:
        made = await client.create(CONFIG_MAP, config_map("a"), cluster.namespace)
    finally:
        await client.close()

    assert made.metadata.name == "a"
