"""ACME issuance that cert-manager has begun goes on where it was, also where its CA is away for a while."""

from __future__ import annotations

from datetime import timedelta

from tests.cluster import Cluster
from tests.integration.takeover.golden import Past, Plain, golden, named, needs_golden
from tests.integration.takeover.rig import certwright, differences, everything
from tests.integration.takeover.shape import private_key
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually

pytestmark = needs_golden()

# It had not had its turn.
WAITING = "Challenge/acme-dns-1-2307939483-3333435054"
CHALLENGE, CHALLENGE_STATUS = (
    Write("patch", "challenges.acme.cert-manager.io"),
    Write("patch", "challenges.acme.cert-manager.io/status"),
)


def in_flight() -> list[Plain]:
    """What was there while challenges were pending, and the key that a solver needs."""
    key = [each for each in golden("settled.json") if each["metadata"]["name"] == "tsig"]
    return [*golden("acme-in-flight.json"), *key]


async def test_orders_and_challenges_are_ours_by_their_names(cluster: Cluster, past: Past) -> None:
    """No second Order, no second Challenge, no second account: whoever waited waits on, and who had no turn gets it."""
    await past.restore(in_flight())
    before = await everything(cluster)

    async with certwright(cluster) as run:
        await run.run_for(timedelta(minutes=3))
        assert run.asked > 0
    after = await everything(cluster)

    found = differences(before, after)
    acme = {name for name in found if name.startswith(("Order/", "Challenge/", "Pod/", "Service/", "Ingress/"))}
    assert acme == {f"{WAITING} metadata.finalizers", f"{WAITING} status"}
    assert found[f"{WAITING} status"][1] == {"presented": False, "processing": True, "state": "pending"}
    assert not [name for name in found if name.startswith("Secret/")]
    assert set(after) == set(before)
    assert {write: run.writes[write] for write in (CHALLENGE, CHALLENGE_STATUS)} == {CHALLENGE: 1, CHALLENGE_STATUS: 1}
    assert not [write for write in run.writes if write.verb in {"create", "delete"} and write.resource != "events"]


async def test_what_a_predecessor_put_in_place_is_taken_away(cluster: Cluster, past: Past) -> None:
    """Deleted while its CA is away: solver objects go, the Ingress of the user is as it was, no finalizer is left."""
    old = "acme-http-1-1929434089-1021591166"

    def older(each: Plain) -> None:
        if each["metadata"]["name"] == old:
            each["metadata"]["finalizers"] = ["finalizer.acme.cert-manager.io"]

    await past.restore(in_flight(), older)
    names = ("acme-http", "acme-http-in-place")
    left = {f"{kind}/{name}" for name in names for kind in ("CertificateRequest", "Order", "Challenge")}
    left |= {"Pod/", "Service/"}

    async with certwright(cluster) as run:
        await run.quiet()
        for name in names:
            path = f"/apis/cert-manager.io/v1/namespaces/{cluster.namespace}/certificates/{name}"
            (await cluster.http.delete(path, propagationPolicy="Background")).ok  # noqa: B018 asserts success
        await eventually(lambda: _are_gone(cluster, left))
    after = await everything(cluster)

    assert not [name for name in after if name.startswith("Ingress/cm-acme")]
    [rule] = after["Ingress/shop"]["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/"]
    assert "CertificateRequest/acme-dns-1" in after


async def test_an_issuance_that_waited_ends_with_the_key_that_was_stored(cluster: Cluster, past: Past) -> None:
    """The issuer comes after the change of hands: request and private key are those that cert-manager had made."""
    items = golden("settled.json")
    nobody = {**named(items, "Issuer", "ca"), "status": {}}
    nobody["metadata"] |= {"name": "nobody"}
    names = {"issuer-missing", "issuer-missing-1", "issuer-missing-lw4jv"}
    waiting = [each for each in items if each["metadata"]["name"] in names]
    await past.restore([named(items, "Secret", "root"), *waiting])
    before = await everything(cluster)

    async with certwright(cluster) as run:
        await run.run_for(timedelta(minutes=1))
        assert "Secret/issuer-missing" not in await everything(cluster)
        await past.make(nobody)
        await run.run_for(timedelta(minutes=1))
    after = await everything(cluster)

    stored = named(waiting, "Secret", "issuer-missing-lw4jv")
    assert private_key(after["Secret/issuer-missing"]) == private_key(stored)
    request = "CertificateRequest/issuer-missing-1"
    assert after[request]["metadata"]["uid"] == before[request]["metadata"]["uid"]
    assert after["Certificate/issuer-missing"]["status"]["revision"] == 1
    assert set(after) - set(before) == {"Issuer/nobody", "Secret/issuer-missing"}
    assert set(before) - set(after) == {"Secret/issuer-missing-lw4jv"}


async def _are_gone(cluster: Cluster, left: set[str]) -> bool:
    """No object is there whose kind and name begin so."""
    return not any(name.startswith(tuple(left)) for name in await everything(cluster))
