"""Objects that cert-manager 1.21 left, taken over while their CA is away: nothing is written, nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import Json, Objects
from tests.integration.acme.world import World
from tests.kubernetes.eventually import eventually

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden" / "settled.json"
PLURALS = {
    "Secret": "secrets",
    "Issuer": "issuers",
    "CertificateRequest": "certificaterequests",
    "Order": "orders",
    "Challenge": "challenges",
}

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="absent: the objects of cert-manager 1.21")


def _observed(kind: str) -> list[Json]:
    found = [each for each in json.loads(GOLDEN.read_text())["items"] if each["kind"] == kind]
    return [each for each in found if each["metadata"]["name"].startswith(("acme", "tsig"))]


async def _load(objects: Objects, kind: str, uids: dict[str, str]) -> None:
    """Make the objects anew, each owned by the new object of its old owner's name."""
    for each in _observed(kind):
        old = each["metadata"]
        owners = [
            {**owner, "uid": uids[owner["uid"]]} for owner in old.get("ownerReferences", []) if owner["uid"] in uids
        ]
        metadata = {name: old[name] for name in ("name", "labels", "annotations", "finalizers") if name in old}
        body = {key: value for key, value in each.items() if key != "status"}
        await objects.create(PLURALS[kind], body | {"metadata": metadata | {"ownerReferences": owners}})
        if "status" in each:
            await objects.patch(PLURALS[kind], f"{old['name']}/status", {"status": each["status"]})
        uids[old["uid"]] = (await objects.get(PLURALS[kind], old["name"]))["metadata"]["uid"]


async def _versions(objects: Objects) -> dict[str, str]:
    return {
        f"{plural}/{each['metadata']['name']}": each["metadata"]["resourceVersion"]
        for plural in PLURALS.values()
        for each in await objects.all(plural)
    }


async def test_what_is_in_flight_stays_as_it_is_while_the_ca_is_away(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    golden = Objects(cluster, "golden")
    await golden.make_namespace()
    uids: dict[str, str] = {}
    for kind in PLURALS:
        await _load(golden, kind, uids)
    before = await _versions(golden)

    async with machinery(cluster, own, FastClock(SPEED), namespace="golden") as found:

        async def tried() -> bool:
            """The CA was asked for what is in flight, in vain, more than once."""
            return sum(each.action == "get_authorization" for each in found.to_ca) > 6

        await eventually(tried)
        after = await _versions(golden)

    written = {name for name in after if after[name] != before.get(name)}
    # Its condition says in other words that the server is not there.
    assert written <= {"issuers/acme-bad-url"}
    assert not [each for each in found.to_ca if each.action == "authorize_order"]
    await cluster.http.delete("/api/v1/namespaces/golden")
