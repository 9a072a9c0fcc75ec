"""A CA that refuses to hear of a challenge again: the Challenge ends, with a state that says in which way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import HTTP, Objects
from tests.integration.acme.test_orders import in_state, only
from tests.integration.acme.world import World

from certwright.api import certmanager_v1 as cm
from certwright.api.acme_v1 import OrderSpec
from certwright.api.kinds import CERTIFICATE_REQUEST, ISSUER
from certwright.api.meta import to_json
from certwright.pki.csr import parse_request
from certwright.rules.acme_orders import order_for, order_spec

REGISTERED = "ACMEAccountRegistered"


async def approved(objects: Objects) -> cm.CertificateRequest:
    """The request web-2, approved by hand while no controller runs."""
    await objects.request("web-2", "www.bench.test")
    condition = {
        "type": "Approved",
        "status": "True",
        "reason": "by hand",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    await objects.patch("certificaterequests", "web-2/status", {"status": {"conditions": [condition]}})
    return CERTIFICATE_REQUEST.read(json.dumps(await objects.get("certificaterequests", "web-2")).encode())


async def order_with(objects: Objects, authorization: dict[str, Any]) -> None:
    """The Order of web-2 as a predecessor left it, with that authorization."""
    request = await approved(objects)
    issuer = ISSUER.read(json.dumps(await objects.get("issuers", "acme")).encode())
    assert issuer.spec.acme is not None
    spec = order_spec(request.spec, parse_request(request.spec.request), issuer.spec.acme)
    assert isinstance(spec, OrderSpec)
    made: Any = to_json(order_for(request.metadata, spec))
    await objects.create("orders", {**made, "apiVersion": "acme.cert-manager.io/v1", "kind": "Order"})
    status = {"url": authorization["url"], "finalizeURL": authorization["url"], "state": "pending"}
    body = {"status": {**status, "authorizations": [authorization]}}
    await objects.patch("orders", f"{made['metadata']['name']}/status", body)


@pytest.mark.parametrize(("case", "state"), [("unknown", "expired"), ("another account's", "errored")])
async def test_a_refusal_ends_the_challenge(
    cluster: Cluster, own: World, objects: Objects, case: str, state: str
) -> None:
    async with machinery(cluster, own, FastClock(SPEED)):
        await objects.issuer(own, HTTP)
        await objects.ready("issuers", "acme", REGISTERED)
        await objects.issuer(own, {**HTTP, "waitInsteadOfSelfCheck": "1000h"}, name="other")
        await objects.ready("issuers", "other", REGISTERED)
        await objects.request("web-1", "www.bench.test", issuer="other")
        challenge = await in_state(objects, "challenges", "pending")
        [authorization] = (await only(objects, "orders"))["status"]["authorizations"]
    await objects.delete("certificaterequests", "web-1")
    await objects.patch("challenges", challenge["metadata"]["name"], {"metadata": {"finalizers": None}})
    await objects.none_left("challenges")
    if case == "unknown":
        authorization["url"] += "0"
    await order_with(objects, {**authorization, "initialState": "pending"})

    async with machinery(cluster, own, FastClock(SPEED)):
        ended = await in_state(objects, "challenges", state)

    kind = "malformed" if state == "expired" else "unauthorized"
    assert f"urn:ietf:params:acme:error:{kind}" in ended["status"]["reason"]
    assert "Failed" in [reason for reason, _ in await objects.events("Challenge")]
