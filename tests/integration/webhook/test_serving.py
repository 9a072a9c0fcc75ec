"""The webhook's own CA and its leaf: made, shared, renewed, rotated, and found again after a suspend."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import pytest
from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.certificate.rig import movable_now
from tests.integration.wiring import background, client_of
from tests.kubernetes.eventually import eventually
from tests.unit.webhook.questions import admission

from certwright.api.core import Secret
from certwright.api.core_kinds import SECRET
from certwright.kube.wire.keys import ObjectKey
from certwright.pki import pem
from certwright.pki.authority import KeyPair
from certwright.pki.certificate import Certificate, is_issued_by, parse_certificate, parse_certificate_der
from certwright.webhook.server import AdmissionServer
from certwright.webhook.serving.authority import AuthoritySecret
from certwright.webhook.serving.callers import Callers
from certwright.webhook.serving.keeper import LOOK_AGAIN, ServingCertificate
from certwright.webhook.serving.self_made import SETTLING, SelfMade
from certwright.webhook.serving.source import NotYet
from certwright.webhook.serving.tls import server_context

DAY = timedelta(days=1)


class Replica:
    """One process of the webhook, as far as its certificate goes."""

    def __init__(self, made: SelfMade) -> None:
        self._made = made

    async def leaf(self) -> KeyPair:
        """What it serves now."""
        return await self._made.look()

    async def facts(self) -> Certificate:
        """Of what it serves now."""
        return parse_certificate((await self.leaf()).cert_pem)


class Replicas:
    """Makes replicas that share a Secret and a clock."""

    def __init__(self, cluster: Cluster, clock: MovableClock, stack: AsyncExitStack) -> None:
        self.clock = clock
        self.key = ObjectKey(cluster.namespace, "webhook-ca")
        self._cluster = cluster
        self._stack = stack

    async def new(self) -> Replica:
        """Another one, with a client of its own."""
        return Replica(await self.self_made())

    async def self_made(self) -> SelfMade:
        """Its source."""
        client = await self._stack.enter_async_context(client_of(self._cluster, self.clock))
        authority = AuthoritySecret(client, self.clock, self.key)
        return SelfMade(authority, self.clock, ("webhook.cert-manager.svc", "127.0.0.1"))

    async def secret(self) -> Secret:
        """The Secret of the CA."""
        async with client_of(self._cluster) as client:
            return await client.get(SECRET, self.key)

    async def edit(self, data: dict[str, str]) -> None:
        """As somebody else does."""
        path = f"/api/v1/namespaces/{self.key.namespace}/secrets/{self.key.name}"
        (await self._cluster.http.patch(path, {"data": data})).ok  # noqa: B018 asserts success


@pytest.fixture
async def replicas(cluster: Cluster) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        yield Replicas(cluster, movable_now(), stack)


def is_of(leaf: KeyPair, authority: bytes) -> bool:
    return is_issued_by(*(pem.split_certificates(text, "it")[0] for text in (leaf.cert_pem, authority)))


def days(length: timedelta) -> int:
    return round(length / DAY)


def life(found: Certificate) -> timedelta:
    return found.not_after - found.not_before


async def test_the_ca_is_made_in_its_secret(replicas: Replicas) -> None:
    leaf = await (await replicas.new()).leaf()

    secret = await replicas.secret()
    ca, facts = parse_certificate(secret.data["tls.crt"]), parse_certificate(leaf.cert_pem)
    assert secret.metadata.annotations == {"cert-manager.io/allow-direct-injection": "true"}
    assert secret.metadata.labels == {"app.kubernetes.io/managed-by": "cert-manager-webhook"}
    assert secret.data["ca.crt"] == secret.data["tls.crt"]
    assert (ca.is_ca, days(life(ca)), ca.signature_algorithm) == (True, 365, "ECDSAWithSHA256")
    assert (days(life(facts)), is_of(leaf, secret.data["tls.crt"])) == (7, True)
    assert facts.names.dns_names == ("webhook.cert-manager.svc",)
    assert facts.names.ip_addresses == ("127.0.0.1",)


async def test_replicas_that_start_at_once_agree_on_one_ca(replicas: Replicas) -> None:
    all_of_them = [await replicas.new() for _ in range(4)]

    leaves = await asyncio.gather(*(each.leaf() for each in all_of_them))

    authority = (await replicas.secret()).data["tls.crt"]
    assert all(is_of(leaf, authority) for leaf in leaves)
    assert len({leaf.cert_pem for leaf in leaves}) == 4


async def test_the_leaf_is_renewed_after_two_thirds_of_its_life(replicas: Replicas) -> None:
    replica = await replicas.new()
    first = await replica.leaf()

    replicas.clock.advance(4 * DAY)
    assert await replica.leaf() == first
    replicas.clock.advance(DAY)
    second = await replica.leaf()

    assert second != first
    assert parse_certificate(second.cert_pem).not_after > replicas.clock.now() + 6 * DAY


async def test_a_suspend_longer_than_the_leaf_lives(replicas: Replicas) -> None:
    replica = await replicas.new()
    await replica.leaf()

    replicas.clock.advance(30 * DAY)

    assert (await replica.facts()).not_after > replicas.clock.now()


async def test_the_ca_is_made_anew_in_its_last_third_and_the_old_one_stays_trusted(replicas: Replicas) -> None:
    replica, other = await replicas.new(), await replicas.new()
    await replica.leaf()
    old = (await replicas.secret()).data["tls.crt"]

    replicas.clock.advance(240 * DAY)
    await replica.leaf()
    assert (await replicas.secret()).data["tls.crt"] == old
    replicas.clock.advance(4 * DAY)
    leaf = await replica.leaf()

    secret = await replicas.secret()
    new = secret.data["tls.crt"]
    assert new != old
    assert secret.data["ca.crt"] == new + old
    # The leaf is served as long as clients may not know the new CA.
    assert is_of(leaf, old)
    replicas.clock.advance(SETTLING)
    assert is_of(await replica.leaf(), new)
    assert is_of(await other.leaf(), new)


async def test_replicas_that_renew_the_ca_at_once_agree_on_one(replicas: Replicas) -> None:
    all_of_them = [await replicas.new() for _ in range(3)]
    for each in all_of_them:
        await each.leaf()
    replicas.clock.advance(300 * DAY)

    leaves = await asyncio.gather(*(each.leaf() for each in all_of_them))

    secret = await replicas.secret()
    assert len(pem.split_certificates(secret.data["ca.crt"], "it")) == 2
    assert all(is_of(leaf, secret.data["tls.crt"]) for leaf in leaves)


@pytest.mark.parametrize(
    "data",
    [
        {"tls.crt": ""},
        {"tls.key": ""},
        {"tls.crt": base64.b64encode(b"no PEM").decode(), "tls.key": base64.b64encode(b"no PEM").decode()},
    ],
)
async def test_a_secret_that_holds_no_ca_is_put_right(replicas: Replicas, data: dict[str, str]) -> None:
    await (await replicas.new()).leaf()
    before = await replicas.secret()
    await replicas.edit(data | {"mine": "eA=="})

    leaf = await (await replicas.new()).leaf()

    secret = await replicas.secret()
    assert is_of(leaf, secret.data["tls.crt"])
    assert secret.data["tls.crt"] != before.data["tls.crt"]
    assert secret.data["mine"] == b"x"


async def test_a_secret_that_cannot_be_had_does_not_take_the_leaf_away(cluster: Cluster, replicas: Replicas) -> None:
    made = await replicas.self_made()
    leaf = await made.look()

    namespace = f"/api/v1/namespaces/{cluster.namespace}"
    await cluster.http.delete(namespace)

    async def is_gone() -> bool:
        return (await cluster.http.get(f"{namespace}/secrets/webhook-ca")).code == 404

    await eventually(is_gone)

    # A namespace that ends refuses a new Secret: the leaf is served for its time, and after that there is none.
    for _ in range(5):
        assert await made.look() == leaf
        replicas.clock.advance(DAY)
    with pytest.raises(NotYet, match="cannot be had"):
        await made.look()


@asynccontextmanager
async def served(source: SelfMade, clock: MovableClock) -> AsyncIterator[tuple[ServingCertificate, int]]:
    context, callers = server_context(), Callers()
    certificate = ServingCertificate(context, source, callers, clock)
    server = AdmissionServer(admission(), context, callers)
    await server.start("127.0.0.1", 0)
    async with background(certificate.run()):
        yield certificate, server.port
    await server.stop()


async def shown(port: int) -> Certificate:
    """The certificate of a new connection; its dates are those of a clock that was moved."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return parse_certificate_der(der)


async def ends_after(port: int, when: datetime) -> bool:
    return (await shown(port)).not_after > when


async def test_connections_see_the_renewed_leaf_without_a_restart(replicas: Replicas) -> None:
    clock = replicas.clock
    async with served(await replicas.self_made(), clock) as (certificate, port):

        async def is_healthy() -> bool:
            return certificate.health() == ""

        await eventually(is_healthy)
        first = await shown(port)

        # A suspend: the wall clock jumps, and one look later there is a new leaf.
        clock.advance(8 * DAY)
        await eventually(lambda: ends_after(port, clock.now()))
        second = await shown(port)
        clock.advance(LOOK_AGAIN)

        assert second.serial != first.serial
        assert certificate.health() == ""
