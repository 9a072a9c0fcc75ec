"""The controllers die at every call that they make, before and after it reached the server: nothing may be lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from tests.cluster import Cluster
from tests.integration.certificate.mortal import MortalClient
from tests.integration.certificate.rig import Controllers, User, agent, controllers
from tests.integration.wiring import build_cluster, client_of
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually

from certwright.api import certmanager_v1 as cm
from certwright.api.wellknown import Label
from certwright.clock import SystemClock
from certwright.cluster.settings import Settings
from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import parse_private_key, public_key_digest

REQUEST_MADE = Write("create", "certificaterequests.cert-manager.io")
MOST_CALLS = 30
Look = Callable[[], Awaitable[bool]]


async def live_until(server: Cluster, look: Look, dies_at: int, *, after: bool) -> bool:
    """Run controllers that die at that call; whether `look` held before they did."""
    clock = SystemClock()
    async with client_of(server, clock, agent(server)) as client:
        mortal = MortalClient(client, dies_at, after=after)
        cluster = build_cluster(mortal, clock, Settings(namespace=server.namespace))
        async with Controllers(cluster).running():

            async def ended() -> str:
                if mortal.dead.is_set():
                    return "died"
                return "done" if await look() else ""

            return await eventually(lambda: _or_none(ended())) == "done"


async def _or_none(answer: Awaitable[str]) -> str | None:
    return await answer or None


async def is_ready(user: User, name: str, revision: int) -> bool:
    found = await user.get(name)
    ready = {c.type: c.status for c in found.status.conditions}
    return found.status.revision == revision and ready == {"Ready": "True"}


async def assert_delivered(user: User, name: str, revision: int) -> cm.CertificateRequest:
    """One certificate, whole, from the only request there is; nothing is left over."""
    found = await user.until(name, revision=revision)
    secret = await user.secret(name)
    leaf = parse_certificate(secret.data["tls.crt"])
    assert leaf.public_key_digest == public_key_digest(parse_private_key(secret.data["tls.key"]))
    assert found.status.not_after == leaf.not_after

    async def settled() -> tuple[cm.CertificateRequest, ...] | None:
        mine = tuple(r for r in await user.requests() if r.metadata.name.startswith(f"{name}-"))
        keys = await user.secrets(f"{Label.NEXT_PRIVATE_KEY}=true")
        state = await user.get(name)
        is_clean = len(mine) == 1 and not keys and state.status.next_private_key_secret_name is None
        return mine if is_clean else None

    (request,) = await eventually(settled)
    assert parse_certificate(request.status.certificate).fingerprint == leaf.fingerprint
    assert request.metadata.name == f"{name}-{revision}"
    return request


async def count_requests(server: Cluster) -> int:
    return Counter(server.writes(agent(server)))[REQUEST_MADE]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_first_issuance(cluster: Cluster, user: User, after: bool) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("root", {"isCA": True, "commonName": "root", "duration": "87600h"})
        await user.ca_issuer("ca", "root")
        await user.until("root")

    for dies_at in range(1, MOST_CALLS):
        name, before = f"first-{dies_at}", await count_requests(cluster)
        await user.certificate(name, {"issuerRef": {"name": "ca"}})
        finished = await live_until(cluster, partial(is_ready, user, name, 1), dies_at, after=after)
        async with controllers(cluster):
            await assert_delivered(user, name, 1)
        assert await count_requests(cluster) - before <= 2
        if finished:
            break
    else:
        pytest.fail("an issuance needs more calls than it may")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_renewal(cluster: Cluster, user: User, after: bool) -> None:
    await user.self_signed_issuer()

    for dies_at in range(1, MOST_CALLS):
        name = f"renewed-{dies_at}"
        await user.certificate(name)
        async with controllers(cluster):
            await user.until(name)
        old = parse_certificate((await user.secret(name)).data["tls.crt"])
        before = await count_requests(cluster)
        await user.renew(name)
        finished = await live_until(cluster, partial(is_ready, user, name, 2), dies_at, after=after)
        async with controllers(cluster):
            await assert_delivered(user, name, 2)
        assert parse_certificate((await user.secret(name)).data["tls.crt"]).fingerprint != old.fingerprint
        assert await count_requests(cluster) - before <= 2
        if finished:
            break
    else:
        pytest.fail("a renewal needs more calls than it may")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_issuer_that_comes_later(cluster: Cluster, user: User, after: bool) -> None:
    """The key is stored before the request exists: a request that was accepted is never made anew."""
    for dies_at in range(1, MOST_CALLS):
        name, issuer = f"late-{dies_at}", f"issuer-{dies_at}"
        await user.certificate(name, {"issuerRef": {"name": issuer}})

        async def waits(name: str = name) -> bool:
            found = await user.get(name)
            requests = [r for r in await user.requests() if r.metadata.name == f"{name}-1"]
            is_pending = bool(requests) and bool(requests[0].status.conditions)
            return is_pending and found.status.next_private_key_secret_name is not None

        finished = await live_until(cluster, waits, dies_at, after=after)
        accepted = [r for r in await user.requests() if r.metadata.name == f"{name}-1"]
        async with controllers(cluster):
            await user.until(name, kind="Issuing")
            await user.self_signed_issuer(issuer)
            request = await assert_delivered(user, name, 1)
        assert [r.metadata.uid for r in accepted] in ([], [request.metadata.uid])
        if finished:
            break
    else:
        pytest.fail("waiting needs more calls than it may")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_stored_key_signed_and_killed(cluster: Cluster, user: User, after: bool) -> None:
    """The same, killed once the issuer has come."""
    for dies_at in range(1, MOST_CALLS):
        name, issuer = f"stored-{dies_at}", f"issuer-{dies_at}"
        await user.certificate(name, {"issuerRef": {"name": issuer}})
        async with controllers(cluster):
            await user.until(name, kind="Issuing")
            await eventually(partial(_has_request, user, f"{name}-1"))
        (accepted,) = [r for r in await user.requests() if r.metadata.name == f"{name}-1"]
        await user.self_signed_issuer(issuer)
        finished = await live_until(cluster, partial(is_ready, user, name, 1), dies_at, after=after)
        async with controllers(cluster):
            request = await assert_delivered(user, name, 1)
        assert request.metadata.uid == accepted.metadata.uid
        if finished:
            break
    else:
        pytest.fail("signing needs more calls than it may")


async def _has_request(user: User, name: str) -> bool:
    return any(r.metadata.name == name for r in await user.requests())


async def test_a_failure_of_the_clients_own_making_is_no_death(cluster: Cluster, user: User) -> None:
    """The rig itself: a client that never dies behaves as any other."""
    await user.self_signed_issuer()
    await user.certificate("calm")

    assert await live_until(cluster, lambda: is_ready(user, "calm", 1), 10_000, after=False)
    await asyncio.gather(assert_delivered(user, "calm", 1))
