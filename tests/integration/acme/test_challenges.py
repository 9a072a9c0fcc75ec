"""Challenges on their way: looked for, given up, cleaned up, or not ours at all."""

from __future__ import annotations

from typing import Any

import dns.message
from aiohttp import web
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import CLOUDFLARE, HTTP, Json, Objects
from tests.integration.acme.test_issuance import txt_is_gone
from tests.integration.acme.test_orders import only
from tests.integration.acme.world import World
from tests.kubernetes.eventually import eventually

from certwright.app.stand_ins.cloudflare import failure
from certwright.app.stand_ins.dns import DnsServer


def running(cluster: Cluster, world: World) -> Any:
    return machinery(cluster, world, FastClock(SPEED))


def hide_txt(server: DnsServer) -> None:
    """From now on no TXT record is seen, though it is there."""
    seen = server.answer

    def answer(query: dns.message.Message) -> dns.message.Message:
        response = seen(query)
        if "TXT" in query.question[0].to_text():
            response.answer.clear()
        return response

    server.answer = answer  # type: ignore[method-assign]  # the one server of this test


async def waiting(objects: Objects) -> Json:
    """The one Challenge, once it waits for its record to be seen."""

    async def look() -> Json | None:
        found = await objects.all("challenges")
        reason = found[0].get("status", {}).get("reason", "") if len(found) == 1 else ""
        return found[0] if reason.startswith("Waiting for DNS-01 challenge propagation: ") else None

    return await eventually(look)


async def begun(cluster: Cluster, world: World, objects: Objects) -> Json:
    """A Challenge in flight that will not get on."""
    await objects.cloudflare_token()
    hide_txt(world.dns)
    await objects.issuer(world, CLOUDFLARE)
    await objects.request("web-1", "web.bench.test")
    return await waiting(objects)


def is_served(world: World) -> bool:
    """Whether the record is in the zone, hidden or not."""
    query = dns.message.make_query("_acme-challenge.web.bench.test.", "TXT")
    return bool(DnsServer.answer(world.dns, query).answer)


async def test_a_challenge_in_flight_looks_as_it_does_upstream(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        challenge = await begun(cluster, own, objects)

    assert challenge["metadata"]["finalizers"] == ["acme.cert-manager.io/finalizer"]
    assert challenge["metadata"].get("labels") is None
    assert challenge["status"]["processing"] is True
    assert challenge["status"]["presented"] is True
    assert challenge["status"]["state"] == "pending"
    assert challenge["status"]["presentedAt"]
    assert challenge["spec"]["key"] not in challenge["status"]["reason"]
    managers = {
        (each["manager"], each["operation"], each.get("subresource")) for each in challenge["metadata"]["managedFields"]
    }
    assert managers == {
        ("cert-manager-orders", "Update", None),
        ("cert-manager-challenges", "Apply", None),
        ("cert-manager-challenges", "Update", "status"),
    }


async def test_a_challenge_that_is_deleted_in_flight_is_cleaned_up(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    async with running(cluster, own):
        await begun(cluster, own, objects)
        assert is_served(own)
        await objects.delete("certificaterequests", "web-1")
        await objects.none_left("challenges")

    assert not is_served(own)


async def test_a_restart_cleans_up_what_was_deleted_meanwhile(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        challenge = await begun(cluster, own, objects)
    await objects.delete("challenges", challenge["metadata"]["name"])

    async with running(cluster, own):

        async def gone() -> bool:
            uids = [each["metadata"]["uid"] for each in await objects.all("challenges")]
            return challenge["metadata"]["uid"] not in uids

        await eventually(gone)
        await waiting(objects)

    assert is_served(own)


async def test_a_clean_up_that_fails_is_tried_again(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await begun(cluster, own, objects)
        own.cloudflare.refusal = _refuse_deletes
        await objects.delete("certificaterequests", "web-1")

        async def told() -> bool:
            return "CleanUpError" in [reason for reason, _ in await objects.events("Challenge")]

        await eventually(told)
        assert (await only(objects, "challenges"))["metadata"]["finalizers"]
        own.cloudflare.refusal = lambda _: None
        await objects.none_left("challenges")

    assert not is_served(own)


def _refuse_deletes(request: web.Request) -> web.Response | None:
    return failure(500, 1, "not now") if request.method == "DELETE" else None


async def test_without_its_credentials_a_deleted_challenge_goes_all_the_same(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    async with running(cluster, own):
        await begun(cluster, own, objects)
        await objects.delete("secrets", "cloudflare")
        await objects.delete("certificaterequests", "web-1")
        await objects.none_left("challenges")

        async def told() -> bool:
            return any("by hand" in message for _, message in await objects.events("Challenge"))

        await eventually(told)


async def test_a_made_up_challenge_is_never_acted_on(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        challenge = await begun(cluster, own, objects)
        for name, owners in (("nobodys", []), ("stolen", challenge["metadata"]["ownerReferences"])):
            await objects.create(
                "challenges",
                {
                    "apiVersion": "acme.cert-manager.io/v1",
                    "kind": "Challenge",
                    "metadata": {
                        "name": name,
                        "ownerReferences": owners,
                        "finalizers": ["acme.cert-manager.io/finalizer"],
                    },
                    "spec": {**challenge["spec"], "dnsName": "victim.bench.test", "key": "theirs"},
                },
            )
        await objects.delete("challenges", "nobodys")

        async def alone() -> bool:
            # The Order removes what bears its name and is none of its own.
            names = [each["metadata"]["name"] for each in await objects.all("challenges")]
            return names == [challenge["metadata"]["name"]]

        await eventually(alone)

        assert is_served(own)
        assert not [call for call in own.cloudflare.calls if "victim" in str(call.query)]


async def test_the_old_finalizer_goes_too(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        challenge = await begun(cluster, own, objects)
        name = challenge["metadata"]["name"]
        await objects.patch(
            "challenges",
            name,
            {"metadata": {"finalizers": ["acme.cert-manager.io/finalizer", "finalizer.acme.cert-manager.io"]}},
        )
        await objects.delete("certificaterequests", "web-1")
        await objects.none_left("challenges")


async def test_waiting_in_the_place_of_looking(cluster: Cluster, own: World, objects: Objects) -> None:
    await objects.cloudflare_token()

    async with running(cluster, own):
        await objects.issuer(own, {**CLOUDFLARE, "waitInsteadOfSelfCheck": "5s"})
        await objects.request("web-1", "web.bench.test")
        await objects.issued("web-1")
        await objects.none_left("challenges")

    assert txt_is_gone(own, "web.bench.test")


async def test_many_take_turns(cluster: Cluster, own: World, objects: Objects) -> None:
    await objects.cloudflare_token()

    async with machinery(cluster, own, FastClock(SPEED), max_concurrent_challenges=2):
        await objects.issuer(own, CLOUDFLARE)
        for number in range(6):
            await objects.request(f"web-{number}", f"w{number}.bench.test")
        for number in range(6):
            await objects.issued(f"web-{number}")
        await objects.none_left("challenges")


async def test_a_cluster_issuer_has_its_secrets_in_the_namespace_of_the_cluster(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    """The Certificate's namespace holds a Secret of the same name, which must not be used."""
    theirs = Objects(cluster, f"{cluster.namespace}-resources")
    await theirs.make_namespace()
    await theirs.cloudflare_token()
    await objects.secret("cloudflare", token="not-the-token")
    settings: dict[str, Any] = {"namespace": "", "cluster_resource_namespace": theirs.namespace}

    async with machinery(cluster, own, FastClock(SPEED), **settings):
        await objects.issuer(own, CLOUDFLARE, name=cluster.namespace, kind="ClusterIssuer")
        await objects.request("web-1", "web.bench.test", issuer=cluster.namespace, issuer_kind="ClusterIssuer")
        await objects.issued("web-1")
        await objects.none_left("challenges")
        await cluster.http.delete(f"/apis/cert-manager.io/v1/clusterissuers/{cluster.namespace}")

    assert await theirs.get("secrets", f"{cluster.namespace}-account")
    assert not is_served(own)
    await cluster.http.delete(f"/api/v1/namespaces/{theirs.namespace}")


async def test_a_pod_answers_where_the_shared_responder_is_not_reached(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    async with machinery(cluster, own, FastClock(SPEED), pods="auto"):
        await objects.issuer(own, HTTP)
        await objects.request("web-1", "unreached.bench.test")
        await only(objects, "services")
        shared = await objects.all("pods")
        pod = await only(objects, "pods")
        challenge = await only(objects, "challenges")
        await objects.delete("certificaterequests", "web-1")
        await objects.none_left("challenges")
        await objects.none_left("pods")

    assert shared == []
    assert pod["metadata"]["ownerReferences"][0]["uid"] == challenge["metadata"]["uid"]
    assert challenge["status"]["reason"].startswith("Waiting for HTTP-01 challenge propagation: ")
    assert challenge["spec"]["key"] not in challenge["status"]["reason"]
