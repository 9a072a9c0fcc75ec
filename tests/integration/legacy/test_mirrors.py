"""Twins of Certificates: made, kept the same, adopted by whoever writes to them, and let go."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from tests.cluster import Cluster
from tests.integration.legacy.rig import MODERN, Plain, Rig, legacy_rig
from tests.kubernetes.eventually import eventually

from certwright.rules.mirrors import MIRROR

pytestmark = pytest.mark.needs("kubectl")

SPEC: Plain = {"secretName": "web-tls", "issuerRef": {"name": "ca"}, "dnsNames": ["a.example.com"]}
MODERN_SPEC: Plain = {"secretName": "web-tls", "issuerRef": {"name": "ca"}, "dnsNames": ["a.example.com"]}


def manifest(spec: Plain) -> Plain:
    metadata = {"name": "web"}
    return {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata, "spec": spec}


async def twin(rig: Rig, name: str = "web") -> Plain:
    """The twin, once it is there."""

    async def look() -> Plain | None:
        found = await rig.get(MODERN, "certificates", name)
        return found if found and MIRROR in found["metadata"].get("annotations", {}) else None

    return await eventually(look)


async def adopted(rig: Rig) -> Plain:
    """The modern object, once it is its user's."""

    async def look() -> Plain | None:
        found = await rig.get(MODERN, "certificates", "web")
        return found if found and MIRROR not in found["metadata"].get("annotations", {}) else None

    return await eventually(look)


@pytest.fixture
async def made(rig: Rig) -> Plain:
    """A legacy Certificate whose twin is there."""
    found = await rig.make("Certificate", "web", SPEC)
    await twin(rig)
    return found


async def superseded(rig: Rig, uid: str) -> list[tuple[str, str, str]]:
    """The events of the hand-over, once there is one."""

    async def look() -> list[tuple[str, str, str]] | None:
        found = [event for event in await rig.events(uid) if event[1] == "Superseded"]
        return found or None

    return await eventually(look)


async def test_the_twin_says_in_v1_what_the_original_means(rig: Rig, made: Plain) -> None:
    found = await twin(rig)

    assert found["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert found["spec"] == {
        "subject": {"organizations": ["cert-manager"]},
        "commonName": "a.example.com",
        "renewBefore": "720h0m0s",
        "dnsNames": ["a.example.com"],
        "secretName": "web-tls",
        "issuerRef": {"name": "ca", "kind": "Issuer"},
        "privateKey": {"rotationPolicy": "Never"},
    }


async def test_it_follows_its_original(rig: Rig, made: Plain) -> None:
    patch = json.dumps({"spec": {"dnsNames": ["b.example.com"]}})
    await rig.kubectl("label", "certificate.cert-manager.io/web", "mine=yes")

    await rig.kubectl("patch", "certificates.certmanager.k8s.io", "web", "--type=merge", "-p", patch)

    async def follows() -> Plain | None:
        found = await twin(rig)
        return found if found["spec"]["dnsNames"] == ["b.example.com"] else None

    found = await eventually(follows)
    assert found["spec"]["commonName"] == "b.example.com"
    assert found["metadata"]["labels"]["mine"] == "yes"


async def test_it_comes_back_when_it_is_deleted(rig: Rig, made: Plain) -> None:
    before = await twin(rig)

    await rig.kubectl("delete", "certificates.cert-manager.io/web", "--wait=false")

    async def back() -> bool:
        found = await rig.get(MODERN, "certificates", "web")
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    await eventually(back)


async def test_the_engine_does_not_see_it(rig: Rig, made: Plain) -> None:
    await twin(rig)

    assert [found.key.name for found in rig.sources.modern.all() if found.key.namespace == rig.namespace] == []


@pytest.mark.parametrize("server_side", [[], ["--server-side", "--force-conflicts"]])
async def test_whoever_applies_a_manifest_owns_it_and_what_it_says(
    rig: Rig, made: Plain, server_side: list[str]
) -> None:
    await rig.kubectl("apply", *server_side, "-f", "-", stdin=manifest(MODERN_SPEC))

    found = await adopted(rig)

    assert found["spec"] == MODERN_SPEC
    assert not found["metadata"].get("ownerReferences")
    assert MIRROR not in found["metadata"].get("labels", {})
    assert len(await superseded(rig, made["metadata"]["uid"])) == 1


async def test_an_edit_keeps_the_rest_of_what_was_seen(rig: Rig, made: Plain) -> None:
    before = (await twin(rig))["spec"]

    patch = json.dumps({"spec": {"revisionHistoryLimit": 3}})
    await rig.kubectl("patch", "certificates.cert-manager.io", "web", "--type=merge", "-p", patch)

    assert (await adopted(rig))["spec"] == before | {"revisionHistoryLimit": 3}


async def test_what_was_adopted_stays_when_the_original_goes_and_no_twin_is_made_of_it(rig: Rig, made: Plain) -> None:
    await rig.kubectl("apply", "-f", "-", stdin=manifest(MODERN_SPEC))
    uid = (await adopted(rig))["metadata"]["uid"]

    await rig.kubectl("delete", "certificates.certmanager.k8s.io/web")

    found = await rig.get(MODERN, "certificates", "web")
    assert found is not None
    assert found["metadata"]["uid"] == uid
    assert found["metadata"].get("deletionTimestamp") is None


async def test_when_the_modern_one_goes_the_original_has_a_twin_again(rig: Rig, made: Plain) -> None:
    await rig.kubectl("apply", "-f", "-", stdin=manifest(MODERN_SPEC))
    await adopted(rig)

    await rig.kubectl("delete", "certificates.cert-manager.io/web")

    assert (await twin(rig))["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]


@pytest.fixture
async def served(cluster: Cluster) -> AsyncIterator[Rig]:
    """The legacy group without mirrors."""
    async with legacy_rig(cluster, "serve") as found:
        yield found


async def test_without_mirrors_there_is_no_twin_but_the_hand_over_is_told(served: Rig) -> None:
    made = await served.make("Certificate", "web", SPEC)
    await served.kubectl("apply", "-f", "-", stdin=manifest(MODERN_SPEC))

    events = await superseded(served, made["metadata"]["uid"])

    found = await served.get(MODERN, "certificates", "web")
    assert found is not None
    assert MIRROR not in found["metadata"].get("annotations", {})
    assert len(events) == 1
