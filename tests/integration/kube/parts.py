"""Clients and objects of the tests of this room."""

from __future__ import annotations

from tests.cluster import Cluster

from certwright.kube.wire.json import JSONObject
from certwright.kube.wire.keys import ObjectKey


def config_map(name: str, **data: str) -> JSONObject:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}


def key(cluster: Cluster, name: str) -> ObjectKey:
    """In the test's namespace."""
    return ObjectKey(cluster.namespace, name)
