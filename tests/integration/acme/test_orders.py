"""What becomes of Orders when the CA, the names or the issuer are not as they should be."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import CLOUDFLARE, HTTP, Json, Objects
from tests.integration.acme.test_issuance import assert_for
from tests.integration.acme.world import BLOCKED, World, own_world
from tests.kubernetes.eventually import eventually

from certwright.acme.server.mischief import Fault, Mischief
from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.meta import from_json, to_json
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request, parse_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate
from certwright.rules.acme_orders import order_for, order_spec


def running(cluster: Cluster, world: World) -> Any:
    return machinery(cluster, world, FastClock(SPEED))


async def only(objects: Objects, plural: str) -> Json:
    """The one object of its kind, once it is there."""

    async def look() -> Json | None:
        found = await objects.all(plural)
        return found[0] if len(found) == 1 else None

    return await eventually(look)


async def in_state(objects: Objects, plural: str, state: str) -> Json:
    """The one object of its kind, once it is in that state."""

    async def look() -> Json | None:
        found = await objects.all(plural)
        return found[0] if len(found) == 1 and found[0].get("status", {}).get("state") == state else None

    return await eventually(look)


async def test_a_name_that_the_ca_refuses(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, HTTP)
        await objects.request("web-1", BLOCKED)
        failed = await objects.ready("certificaterequests", "web-1", "Failed")
        order = await only(objects, "orders")

    assert set(order["status"]) == {"state", "reason", "failureTime"}
    assert order["status"]["state"] == "errored"
    assert order["status"]["reason"].startswith("Failed to create Order: 400 urn:ietf:params:acme:error:")
    name = order["metadata"]["name"]
    assert failed["message"] == (
        f'Failed to wait for order resource "{name}" to become ready: order is in "errored" state: '
        f"{order['status']['reason']}"
    )
    assert ("OrderFailed", failed["message"]) in await objects.events("CertificateRequest")


async def test_a_common_name_that_is_no_name_makes_no_order(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, HTTP)
        await objects.request("web-1", "www.bench.test", common_name="other.bench.test")
        await objects.ready("certificaterequests", "web-1", "Failed")

        assert await objects.all("orders") == []
        assert "InvalidOrder" in [reason for reason, _ in await objects.events("CertificateRequest")]


async def test_an_order_without_a_solver_waits_for_one(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own)
        await objects.request("web-1", "www.bench.test")

        async def explained() -> bool:
            return "Solver" in [reason for reason, _ in await objects.events("Order")]

        await eventually(explained)
        order = await only(objects, "orders")
        await objects.patch("issuers", "acme", {"spec": {"acme": {"solvers": [HTTP]}}})
        await objects.issued("web-1")

    assert order["status"]["state"] == "pending"
    assert '"www.bench.test"' in order["status"]["reason"]
    assert "reason" not in (await only(objects, "orders"))["status"]


async def test_a_solver_that_is_corrected_replaces_the_challenge(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    await objects.cloudflare_token()
    wrong = {"dns01": {"cloudflare": {"apiTokenSecretRef": {"name": "wrong", "key": "token"}}}}
    await objects.secret("wrong", token="not-the-token")

    async with running(cluster, own):
        await objects.issuer(own, wrong)
        await objects.request("web-1", "web.bench.test")

        async def refused() -> bool:
            return "PresentError" in [reason for reason, _ in await objects.events("Challenge")]

        await eventually(refused)
        challenge = await only(objects, "challenges")
        await objects.patch("issuers", "acme", {"spec": {"acme": {"solvers": [CLOUDFLARE]}}})
        await objects.issued("web-1")

    assert challenge["status"]["presented"] is False
    assert challenge["status"]["processing"] is True
    assert challenge["status"]["state"] == "pending"
    assert "not-the-token" not in str(challenge)


async def test_a_rate_limit_is_waited_for(cluster: Cluster, own: World, objects: Objects) -> None:
    own.mischief_of().retry_after = timedelta(seconds=20)
    own.mischief_of().next("new-order", Fault.RATE_LIMITED)

    async with running(cluster, own) as found:
        await objects.issuer(own, HTTP)
        await objects.request("web-1", "www.bench.test")
        await objects.request("web-2", "www.example.test")

        async def told() -> bool:
            return any(
                "limits our rate" in each.get("status", {}).get("reason", "") for each in await objects.all("orders")
            )

        await eventually(told)
        await objects.issued("web-1")
        await objects.issued("web-2")

        # Three were refused at most before the limit was known: none asked in vain while it held.
        assert found.asked("authorize_order") <= 4


async def test_a_ca_with_a_bad_day(cluster: Cluster, objects: Objects) -> None:
    clock = FastClock(SPEED)
    mischief = Mischief(7, {Fault.BAD_NONCE: 0.2, Fault.SERVER_ERROR: 0.1, Fault.DROPPED_BEFORE: 0.05})
    mischief.processing_for = timedelta(seconds=3)
    mischief.pending_for = timedelta(seconds=3)
    await objects.cloudflare_token()

    async with own_world(mischief, clock) as world, running(cluster, world):
        await objects.issuer(world, CLOUDFLARE)
        for number in range(4):
            await objects.request(f"web-{number}", f"w{number}.bench.test", f"*.w{number}.bench.test")
        for number in range(4):
            await objects.issued(f"web-{number}")
        await objects.none_left("challenges")


async def test_an_order_in_progress_says_so(cluster: Cluster, own: World, objects: Objects) -> None:
    own.mischief_of().processing_for = timedelta(seconds=30)

    async with running(cluster, own):
        await objects.issuer(own, HTTP)
        await objects.request("web-1", "www.bench.test")
        await in_state(objects, "orders", "processing")
        own.mischief_of().processing_for = timedelta(0)
        await objects.issued("web-1")

    assert [reason for reason, _ in await objects.events("Order")] == ["Created", "Complete"]


async def test_a_proof_that_the_ca_does_not_find(cluster: Cluster, own: World, objects: Objects) -> None:
    own.dns.add("elsewhere.bench.test.", "A", "127.0.0.2")

    async with running(cluster, own):
        await objects.issuer(own, {**HTTP, "waitInsteadOfSelfCheck": "0s"})
        await objects.request("web-1", "elsewhere.bench.test")
        failed = await objects.ready("certificaterequests", "web-1", "Failed")
        order = await only(objects, "orders")
        challenge = await only(objects, "challenges")

        async def tidied() -> bool:
            found = await only(objects, "challenges")
            return not found["metadata"].get("finalizers") and found["status"]["processing"] is False

        await eventually(tidied)

    assert order["status"]["state"] == "invalid"
    assert order["status"]["reason"] in failed["message"]
    assert challenge["status"]["state"] == "invalid"
    assert challenge["status"]["reason"].startswith(
        "Error accepting authorization: acme: authorization error for elsewhere.bench.test: "
    )
    assert "Failed" in [reason for reason, _ in await objects.events("Challenge")]


async def test_an_unknown_profile(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, HTTP, profile="nobody-has-it")
        await objects.request("web-1", "www.bench.test")
        await objects.ready("certificaterequests", "web-1", "Failed")

        assert (await only(objects, "orders"))["status"]["state"] == "errored"


@pytest.mark.parametrize("wanted", ["default", "alternate", "nobody"])
async def test_the_preferred_chain(wanted: str, cluster: Cluster, objects: Objects) -> None:
    async with own_world(clock=FastClock(SPEED), alternate_roots=1) as world:
        assert world.server is not None
        default, alternate = (x509.load_pem_x509_certificate(pem).subject for pem in world.server.root_pems)
        names = {"default": default, "alternate": alternate}
        common_name = (
            str(names[wanted].rdns[-1].get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
            if wanted in names
            else "x"
        )
        async with running(cluster, world):
            await objects.issuer(world, HTTP, preferredChain=common_name)
            await objects.request("web-1", "www.bench.test")
            chain = x509.load_pem_x509_certificates(await objects.issued("web-1"))

    assert chain[-1].issuer == names.get(wanted, default)


async def test_a_made_up_order_is_never_placed(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own) as found:
        await objects.issuer(own, HTTP)
        await objects.request("web-1", "www.bench.test")
        await objects.issued("web-1")
        placed = found.asked("authorize_order")
        request = await objects.get("certificaterequests", "web-1")
        owner = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "CertificateRequest",
            "name": "web-1",
            "uid": request["metadata"]["uid"],
            "controller": True,
        }
        theirs = build_request(
            RequestContent(names=AlternativeNames(dns_names=("www.bench.test",))),
            generate(KeySpec(KeyAlgorithm.ECDSA, 256)),
        )
        for name, owners in (("nobodys", []), ("stolen", [owner])):
            await objects.create(
                "orders",
                {
                    "apiVersion": "acme.cert-manager.io/v1",
                    "kind": "Order",
                    "metadata": {"name": name, "ownerReferences": owners},
                    "spec": {
                        "request": base64.b64encode(theirs).decode(),
                        "issuerRef": {"name": "acme"},
                        "dnsNames": ["www.bench.test"],
                    },
                },
            )
        await objects.request("web-2", "www.example.test")
        await objects.issued("web-2")

        assert found.asked("authorize_order") == placed + 1
        assert "status" not in await objects.get("orders", "nobodys")
        assert "status" not in await objects.get("orders", "stolen")


async def test_the_order_of_an_earlier_request_makes_room(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, HTTP)
        await objects.request("web-1", "www.bench.test")
        await objects.issued("web-1")
        await objects.delete("certificaterequests", "web-1")
        await objects.request("web-1", "www.bench.test")
        await objects.issued("web-1")

        [order] = await objects.all("orders")
        request = await objects.get("certificaterequests", "web-1")
        assert order["metadata"]["ownerReferences"][0]["uid"] == request["metadata"]["uid"]


async def test_a_certificate_for_another_key_is_ordered_anew(cluster: Cluster, own: World, objects: Objects) -> None:
    """As where the Order was left by a request of the same name, and its owner was put right by hand."""
    async with running(cluster, own):
        await objects.issuer(own, HTTP)
        await objects.request("other", "www.bench.test")
        wrong = await objects.issued("other")
    key = await objects.request("web-1", "www.bench.test")
    request = from_json(cm.CertificateRequest, await objects.get("certificaterequests", "web-1"))
    issuer = from_json(cm.Issuer, await objects.get("issuers", "acme"))
    assert issuer.spec.acme is not None
    spec = order_spec(request.spec, parse_request(request.spec.request), issuer.spec.acme)
    assert isinstance(spec, acme.OrderSpec)
    made = order_for(request.metadata, spec)
    await objects.create("orders", to_json(made))
    status = {"url": "https://ca.test/order/1", "state": "valid", "certificate": base64.b64encode(wrong).decode()}
    await objects.patch("orders", f"{made.metadata.name}/status", {"status": status})

    async with running(cluster, own):
        chain = await objects.issued("web-1")

    assert_for(chain, key, "www.bench.test")
    order = await objects.get("orders", made.metadata.name)
    assert order["status"]["url"].startswith(own.directory.removesuffix("directory"))


async def test_an_address_is_proved_over_http(cluster: Cluster, own: World, objects: Objects) -> None:
    await objects.cloudflare_token()

    async with running(cluster, own):
        await objects.issuer(own, CLOUDFLARE, {**HTTP, "waitInsteadOfSelfCheck": "0s"})
        await objects.request("web-1", addresses=("127.0.0.1",))
        await objects.issued("web-1")
        order = await only(objects, "orders")

    assert order["spec"]["ipAddresses"] == ["127.0.0.1"]
    assert 'Domain "127.0.0.1" verified' in str(await objects.events("Challenge"))
