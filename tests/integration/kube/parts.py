"""Clients and objects of the tests of this room."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from tests.cluster import Cluster

from certwright.clock import Clock, SystemClock
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey


@asynccontextmanager
async def client_of(cluster: Cluster, clock: Clock | None = None) -> AsyncIterator[KubeClient]:
    """An administrator's client, as a kubeconfig makes it."""
    connection = find_connection({}, str(cluster.kubeconfig))
    client = KubeClient(connection, clock or SystemClock(), ClientOptions(user_agent=f"kube-test/{cluster.namespace}"))
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def background(*work: Awaitable[None]) -> AsyncIterator[None]:
    """Runs that, and cancels it at the end."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def config_map(name: str, **data: str) -> JSONObject:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}


def key(cluster: Cluster, name: str) -> ObjectKey:
    """In the test's namespace."""
    return ObjectKey(cluster.namespace, name)
