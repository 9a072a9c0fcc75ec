"""A cluster that was run by Certwright is given back to the real cert-manager 1.21.1, and taken over once more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path

import pytest
from tests import judges
from tests.cluster import Cluster
from tests.integration.takeover.golden import RESOURCES, Past, Plain, golden, needs_golden
from tests.integration.takeover.rig import certwright, differences, everything
from tests.integration.takeover.test_written import LEFT_OUT, UNREADY_ISSUERS, as_written
from tests.kubernetes.eventually import eventually
from tests.kubernetes.processes import Process

from certwright.clock import SystemClock

JUDGE = "cert-manager-controller"
pytestmark = [needs_golden(), pytest.mark.needs(JUDGE)]


@pytest.fixture
async def cert_manager(cluster: Cluster, tmp_path: Path) -> AsyncIterator[CertManager]:
    """Not started yet."""
    found = CertManager(cluster, tmp_path / "cert-manager.log")
    yield found
    found.stop()


class CertManager:
    """The real controllers, in a process of their own."""

    def __init__(self, cluster: Cluster, log: Path) -> None:
        self._cluster = cluster
        self._log = log
        self._process: Process | None = None

    def start(self) -> None:
        """Return when they watch."""
        options = [
            f"--kubeconfig={self._cluster.kubeconfig}",
            f"--cluster-resource-namespace={self._cluster.namespace}",
        ]
        self._process = Process(JUDGE, [str(judges.require(JUDGE)), *options], self._log)
        self._process.wait_until(lambda: b"running" in self._log.read_bytes())

    def stop(self) -> None:
        """Return when they are gone."""
        if self._process is not None:
            self._process.stop()
            self._process = None


async def test_nothing_is_issued_anew_there_and_back(cluster: Cluster, past: Past, cert_manager: CertManager) -> None:
    names = await _issue(cluster, past)
    before = await everything(cluster)

    cert_manager.start()
    # What was there at the start stands in its queues before what comes later.
    for number in ("one", "two"):
        await _add(cluster, f"sentinel-{number}")
        await eventually(partial(_are_ready, cluster, [f"sentinel-{number}"]))
    cert_manager.stop()
    given_back = await _without_sentinels(cluster)
    async with certwright(cluster, SystemClock()) as run:
        await _add(cluster, "sentinel-three")
        await eventually(lambda: _are_ready(cluster, ["sentinel-three"]))
        await run.quiet()

    assert len(names) >= 20
    reworded = {f"Issuer/{name} status.conditions.Ready.message" for name in UNREADY_ISSUERS}
    assert _but_for_spreading(differences(before, given_back)) == reworded
    assert _versions_of_secrets(before) == _versions_of_secrets(given_back), "not even written with the same content"
    assert _but_for_spreading(differences(given_back, await _without_sentinels(cluster))) == reworded


def _but_for_spreading(found: Iterable[str]) -> set[str]:
    """cert-manager does not spread renewals: it tells a later time, and renews then."""
    return {name for name in found if not name.endswith(" status.renewalTime")}


async def _issue(cluster: Cluster, past: Past) -> list[str]:
    """The golden Certificates, issued by us; their names."""
    items = as_written(golden("settled.json"))
    names = [each["metadata"]["name"] for each in items if each["kind"] == "Certificate"]
    assert not [name for name in names if name.startswith(LEFT_OUT)]
    await past.restore(items)
    async with certwright(cluster, SystemClock()) as run:
        await eventually(lambda: _are_ready(cluster, names))
        await run.quiet()
    return names


async def _add(cluster: Cluster, name: str) -> None:
    body = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name},
        "spec": {"secretName": name, "dnsNames": ["s.example.test"], "issuerRef": {"name": "ca"}},
    }
    (await cluster.http.post(RESOURCES["Certificate"].path(cluster.namespace), body)).ok  # noqa: B018 asserts success


async def _are_ready(cluster: Cluster, names: list[str]) -> bool:
    found = (await cluster.http.get(RESOURCES["Certificate"].path(cluster.namespace))).ok["items"]
    ready = {each["metadata"]["name"] for each in found if _is_ready(each)}
    return set(names) <= ready


def _is_ready(certificate: Plain) -> bool:
    status = certificate.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    return conditions.get("Ready") == "True" and "Issuing" not in conditions


async def _without_sentinels(cluster: Cluster) -> dict[str, Plain]:
    return {name: each for name, each in (await everything(cluster)).items() if "/sentinel-" not in name}


def _versions_of_secrets(found: dict[str, Plain]) -> dict[str, str]:
    return {name: each["metadata"]["resourceVersion"] for name, each in found.items() if each["kind"] == "Secret"}
