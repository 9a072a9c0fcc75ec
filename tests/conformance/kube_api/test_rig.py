"""The rig itself."""

from __future__ import annotations

from tests.cluster import Cluster


async def test_installs_crds(cluster: Cluster) -> None:
    await cluster.install_crds()
    before = cluster.writes("kubectl")

    assert cluster.kubectl("get", "certificates").returncode == 0
    assert cluster.writes("kubectl") == before
