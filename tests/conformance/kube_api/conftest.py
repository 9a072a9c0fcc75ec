"""Fixtures of the suite: the caller, the namespace, and the suite's own custom resource."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.conformance.kube_api.definitions import widget_definition
from tests.conformance.kube_api.policies import Install, installing
from tests.kubernetes.http import Http


@pytest.fixture
def http(cluster: Cluster) -> Http:
    """The administrator."""
    return cluster.http


@pytest.fixture
def ns(cluster: Cluster) -> str:
    """The test's namespace."""
    return cluster.namespace


@pytest.fixture
async def wns(cluster: Cluster) -> str:
    """The test's namespace on a server that serves Widgets."""
    if "widgets" not in cluster.api.installed:
        await cluster.install_crd(widget_definition())
        cluster.api.installed.add("widgets")
    return cluster.namespace


@pytest.fixture
async def install(http: Http, ns: str) -> AsyncIterator[Install]:
    """Installs policies for the time of the test."""
    async with installing(http, ns) as put:
        yield put
