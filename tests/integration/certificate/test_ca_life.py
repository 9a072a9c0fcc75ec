"""The life of a CA issuer's pair: it ends, it is put right, and it gets a new key that leaves may follow."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from math import ceil

import pytest
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, condition_of, controllers, movable_now
from tests.kubernetes.eventually import eventually
from tests.unit.rules.sample import csr, key, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import ISSUER
from certwright.api.meta import Condition, JSONObject
from certwright.kube.wire.status import NotFound
from certwright.pki import pem
from certwright.pki.certificate import parse_certificate
from certwright.pki.csr import parse_request
from certwright.pki.issuance import Terms, sign_with_own_key
from certwright.pki.keys import encode_private_key, public_key_digest
from certwright.rules.ca_change import REISSUE_ON_CA_CHANGE
from certwright.rules.conditions import find_condition
from certwright.rules.renewal_time import fraction

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LEAVES = [f"leaf-{number}" for number in range(8)]
WINDOW = len(LEAVES) * SECOND
ASKED = {REISSUE_ON_CA_CHANGE: "true"}


async def put_ca(user: User, clock: MovableClock, number: int, life: timedelta = 3650 * DAY, other: int = -1) -> None:
    """A root with the key of that number, or with another key beside it."""
    signer = key(number=number)
    request = parse_request(csr(spec(commonName="root", dnsNames=None, isCA=True), signer))
    root = sign_with_own_key(request, signer, Terms(is_ca=True, lifetime=life), clock.now())
    stored = key(number=other) if other >= 0 else signer
    values = {"tls.crt": pem.write_certificates([root]), "tls.key": encode_private_key(stored)}
    data: JSONObject = {name: base64.b64encode(value).decode() for name, value in values.items()}
    try:
        await user.client.merge_patch(SECRET, user.key("pair"), {"data": data})
    except NotFound:
        body: JSONObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pair"}, "data": data}
        await user.client.create(SECRET, body, user.namespace)


async def until_issuer(user: User, status: str, reason: str) -> Condition:
    """Its Ready condition, once it is so."""

    async def look() -> Condition | None:
        found = await user.client.get(ISSUER, user.key("ca"))
        ready = find_condition(found.status.conditions, "Ready")
        return ready if ready is not None and (ready.status, ready.reason) == (status, reason) else None

    return await eventually(look)


async def with_leaves(user: User, **annotations: str) -> None:
    """An issuer of the type CA, and what it has signed."""
    await user.create(ISSUER, "ca", {"ca": {"secretName": "pair"}}, annotations=annotations)
    for name in LEAVES:
        await user.certificate(name, {"issuerRef": {"name": "ca"}})
    for name in LEAVES:
        await user.until(name)


async def passed(user: User, name: str) -> None:
    """Return when whatever was to be looked at before a new Certificate has been looked at."""
    await user.certificate(name, {"issuerRef": {"name": "ca"}})
    await user.until(name)


async def first_to_follow(user: User) -> tuple[str, timedelta]:
    """Which leaf is issued anew first, and after how long at the latest, if the probe is counted as well."""
    chains = {name: (await user.secret(name)).data["tls.crt"] for name in LEAVES}
    shares = {name: fraction(parse_certificate(chain).fingerprint) for name, chain in chains.items()}
    name = min(shares, key=lambda name: shares[name])
    return name, ceil(shares[name] * (len(LEAVES) + 1)) * SECOND


async def revisions(user: User) -> list[int | None]:
    """Of all leaves."""
    return [(await user.get(name)).status.revision for name in LEAVES]


async def assert_signed_by(user: User, number: int) -> None:
    """Every leaf names the key of that number, and `ca.crt` is the certificate of it."""
    root = parse_certificate((await user.secret("pair")).data["tls.crt"])
    assert root.public_key_digest == public_key_digest(key(number=number))
    for name in LEAVES:
        data = (await user.secret(name)).data
        assert parse_certificate(data["tls.crt"]).authority_key_id == root.subject_key_id
        assert parse_certificate(data["ca.crt"]).fingerprint == root.fingerprint


async def test_the_issuer_follows_its_pair(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    async with controllers(cluster, clock):
        await put_ca(user, clock, 1, life=DAY)
        await user.create(ISSUER, "ca", {"ca": {"secretName": "pair"}})
        await until_issuer(user, "True", "KeyPairVerified")
        await user.certificate("leaf", {"issuerRef": {"name": "ca"}})
        await user.until("leaf")
        assert (await user.get("leaf")).status.not_after == clock.now() + DAY

        await clock.run_for(DAY - SECOND)
        await until_issuer(user, "True", "KeyPairVerified")
        await clock.run_for(SECOND)
        ended = await until_issuer(user, "False", "ErrInvalidKeyPair")
        assert "renew it" in ended.message
        await put_ca(user, clock, 1, life=DAY)
        await until_issuer(user, "True", "KeyPairVerified")

        await put_ca(user, clock, 1, other=2)
        torn = await until_issuer(user, "False", "ErrInvalidKeyPair")
        assert "do not belong together" in torn.message
        await put_ca(user, clock, 2)
        await until_issuer(user, "True", "KeyPairVerified")


async def test_leaves_follow_a_new_key_one_by_one_also_across_a_restart(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await put_ca(user, clock, 1)
    async with controllers(cluster, clock) as running:
        await with_leaves(user, **ASKED)
        await user.calm(running)
        await clock.run_for(DAY)
        await put_ca(user, clock, 1)
        await clock.run_for(2 * WINDOW)
        assert await revisions(user) == [1] * len(LEAVES), "the same key with a new certificate"

        await put_ca(user, clock, 2)
        await eventually(lambda: _is_known(running.cluster.caches.secret_version(user.namespace, "pair"), user))
        await passed(user, "probe-1")
        name, until_then = await first_to_follow(user)
        await clock.run_for(until_then)
        await user.until(name, revision=2)
        await user.calm(running)
        assert (await revisions(user)).count(2) < len(LEAVES)

    async with controllers(cluster, clock) as running:
        await eventually(lambda: _all(user, clock, _is_issued_anew))
        await user.calm(running)
        await assert_signed_by(user, 2)
        before = cluster.writes(agent(cluster))
        await clock.run_for(DAY)
        assert cluster.writes(agent(cluster)) == before


@pytest.mark.parametrize("annotations", [{}, {REISSUE_ON_CA_CHANGE: "false"}], ids=["nothing said", "false"])
async def test_unless_it_is_asked_for_nothing_is_issued_anew(
    cluster: Cluster, user: User, annotations: dict[str, str]
) -> None:
    clock = movable_now()
    await put_ca(user, clock, 1)
    async with controllers(cluster, clock) as running:
        await with_leaves(user, **annotations)
        await put_ca(user, clock, 2)
        await eventually(lambda: _is_known(running.cluster.caches.secret_version(user.namespace, "pair"), user))
        await clock.run_for(DAY)
        assert await revisions(user) == [1] * len(LEAVES)

        await user.client.merge_patch(ISSUER, user.key("ca"), {"metadata": {"annotations": {**ASKED}}})
        await eventually(lambda: _all(user, clock, _is_issued_anew))
        await assert_signed_by(user, 2)


async def test_issuing_says_why_and_the_leaf_stays_ready(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await put_ca(user, clock, 1)
    async with controllers(cluster, clock):
        await with_leaves(user, **ASKED)
    await put_ca(user, clock, 2)

    async with controllers(cluster, clock, approve=False):
        await eventually(lambda: _all(user, clock, _is_issuing))
        for name in LEAVES:
            found = await user.until(name, kind="Issuing", reason="CAChanged")
            issuing, ready = condition_of(found, "Issuing"), condition_of(found, "Ready")
            assert issuing is not None
            assert issuing.message.startswith("Issuing certificate as the CA of Issuer ca has a new key")
            assert ready is not None
            assert (ready.status, found.status.revision) == ("True", 1)


async def _is_known(version: str | None, user: User) -> bool:
    return bool(version == (await user.secret("pair")).metadata.resource_version)


async def _all(user: User, clock: MovableClock, look: Callable[[cm.Certificate], bool]) -> bool:
    """Whether all leaves look so; if not, a second passes."""
    if all([look(await user.get(name)) for name in LEAVES]):
        return True
    await clock.run_for(SECOND)
    return False


def _is_issued_anew(found: cm.Certificate) -> bool:
    return found.status.revision == 2


def _is_issuing(found: cm.Certificate) -> bool:
    return condition_of(found, "Issuing") is not None
