"""Caches on an API server."""

from __future__ import annotations

import asyncio

from tests.cluster import Cluster
from tests.integration.kube.parts import config_map, key
from tests.integration.wiring import background, client_of
from tests.kubernetes.eventually import eventually

from certwright.api.core import ConfigMap
from certwright.api.core_kinds import CONFIG_MAP
from certwright.clock import SystemClock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.listing import Selection
from certwright.kube.runtime.cache import Cache, Change, each


def version_of(found: ConfigMap) -> str | None:
    """Kept of a ConfigMap; nothing where it has no `v`."""
    return found.data.get("v")


def cache_of(client: KubeClient, cluster: Cluster, labels: str = "") -> Cache[str]:
    selection = Selection(namespace=cluster.namespace, labels=labels)
    indexes = {"v": lambda kept: (kept,)}
    return Cache(client, CONFIG_MAP, each(version_of), clock=SystemClock(), selection=selection, indexes=indexes)


async def test_a_cache_follows_what_others_write(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        await client.create(CONFIG_MAP, config_map("before", v="1"), cluster.namespace)
        cache = cache_of(client, cluster)
        async with background(cache.run()):
            await cache.synced()
            assert cache.get(key(cluster, "before")) == "1"
            await client.create(CONFIG_MAP, config_map("a", v="1"), cluster.namespace)
            await client.create(CONFIG_MAP, config_map("not-kept", w="1"), cluster.namespace)
            await client.merge_patch(CONFIG_MAP, key(cluster, "before"), {"data": {"v": "2"}})
            await client.delete(CONFIG_MAP, key(cluster, "a"))

            async def caught_up() -> bool:
                return cache.get(key(cluster, "before")) == "2" and cache.get(key(cluster, "a")) is None

            await eventually(caught_up)
            assert cache.find("v", "2") == ("2",)
            assert len(cache) == 1


async def test_our_own_writes_never_go_back(cluster: Cluster) -> None:
    """Answers and events race; whoever wins, a reader sees versions that only grow, and no dead object."""
    async with client_of(cluster) as client:
        cache = cache_of(client, cluster)
        seen: dict[str, list[str | None]] = {}

        def heard(change: Change[str]) -> None:
            seen.setdefault(change.key.name, []).append(change.new)

        async with background(cache.run()):
            await cache.synced()
            cache.subscribe(heard)
            await asyncio.gather(*(_live(client, cluster, cache, f"a-{number}") for number in range(20)))
            await client.create(CONFIG_MAP, config_map("last", v="1"), cluster.namespace)

            async def caught_up() -> bool:
                return cache.get(key(cluster, "last")) is not None

            await eventually(caught_up)

    for number in range(20):
        assert seen[f"a-{number}"] == [*map(str, range(10)), None]


async def _live(client: KubeClient, cluster: Cluster, cache: Cache[str], name: str) -> None:
    answer = await client.create(CONFIG_MAP, config_map(name, v="0"), cluster.namespace)
    cache.remember(answer)
    for number in range(1, 10):
        answer = await client.merge_patch(CONFIG_MAP, key(cluster, name), {"data": {"v": str(number)}})
        cache.remember(answer)
        assert cache.get(key(cluster, name)) == str(number)
    await client.delete(CONFIG_MAP, key(cluster, name))
    cache.forget(key(cluster, name), answer.metadata.uid)
    assert cache.get(key(cluster, name)) is None


async def test_a_selection_by_label(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        cache = cache_of(client, cluster, labels="ours=yes")
        async with background(cache.run()):
            await cache.synced()
            await client.create(CONFIG_MAP, config_map("other", v="1"), cluster.namespace)
            body = config_map("a", v="1")
            body["metadata"] = {"name": "a", "labels": {"ours": "yes"}}
            await client.create(CONFIG_MAP, body, cluster.namespace)
            await eventually(lambda: _is(cache, 1))
            await client.merge_patch(CONFIG_MAP, key(cluster, "a"), {"metadata": {"labels": {"ours": None}}})
            await eventually(lambda: _is(cache, 0))


async def _is(cache: Cache[str], count: int) -> bool:
    return len(cache) == count


async def test_a_thousand_objects(cluster: Cluster) -> None:
    async with client_of(cluster) as client:
        early = cache_of(client, cluster)
        async with background(early.run()):
            await early.synced()
            for start in range(0, 1000, 50):
                names = [f"m-{number:04}" for number in range(start, start + 50)]
                bodies = [config_map(name, v=name[-1]) for name in names]
                await asyncio.gather(*(client.create(CONFIG_MAP, body, cluster.namespace) for body in bodies))
            late = cache_of(client, cluster)
            async with background(late.run()):
                await late.synced()
                assert len(late) == 1000
                await eventually(lambda: _is(early, 1000))
                assert len(early.find("v", "7")) == len(late.find("v", "7")) == 100
