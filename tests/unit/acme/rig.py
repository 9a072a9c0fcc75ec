"""Our own CA with clients, for tests of either side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
from tests.clock import MovableClock, settle

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.errors import AcmeProblem
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import Transport
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import Identifier, NewOrder, Order, Status
from certwright.acme.server.mischief import Mischief
from certwright.acme.server.options import AcmeServerOptions, OrderOptions, ValidationOptions
from certwright.acme.server.server import AcmeServer
from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate

CONTACT = ("mailto:admin@example.test",)
BELIEVING = AcmeServerOptions(validation=ValidationOptions(is_skipped=True))


def ec_key() -> PrivateKey:
    return generate(KeySpec(KeyAlgorithm.ECDSA, 256))


def new_key() -> AccountKey:
    return AccountKey(ec_key())


def wanted(*names: str, **changes: object) -> NewOrder:
    order = NewOrder(tuple(Identifier("dns", name) for name in names))
    return msgspec.structs.replace(order, **changes)


def csr(key: PrivateKey, content: RequestContent) -> bytes:
    return pem.split(build_request(content, key), "it")[0].der


def csr_for(*names: str) -> bytes:
    return csr(ec_key(), RequestContent(names=AlternativeNames(dns_names=names)))


class Rig:
    """A started CA on a clock that only the test moves."""

    def __init__(self, server: AcmeServer, clock: MovableClock, stack: AsyncExitStack) -> None:
        self.server = server
        self.clock = clock
        self._stack = stack

    @property
    def mischief(self) -> Mischief:
        return self.server.mischief

    def transport(self) -> Transport:
        options = TransportOptions(ca_bundle_pem=self.server.endpoint_root_pem)
        transport = Transport(options, self.clock)
        self._stack.push_async_callback(transport.close)
        return transport

    def client(self, key: AccountKey | None = None, account_url: str = "") -> AcmeClient:
        return AcmeClient(self.transport(), self.server.directory_url, key or new_key(), self.clock, account_url)

    async def registered(self, key: AccountKey | None = None) -> AcmeClient:
        client = self.client(key)
        await client.register(CONTACT)
        return client

    async def ready(self, client: AcmeClient, wish: NewOrder) -> Order:
        """An order whose authorizations are won, by a CA that believes everything."""
        order = await client.new_order(wish)
        for url in order.authorizations:
            authorization = await client.get_authorization(url)
            if authorization.status == Status.PENDING:
                await client.accept_challenge(authorization.challenges[0].url)
        await settle()
        return await client.get_order(order.url)

    async def issued(self, client: AcmeClient, wish: NewOrder) -> tuple[Order, bytes]:
        """A valid order with its chain."""
        order = await self.ready(client, wish)
        names = tuple(identifier.value for identifier in wish.identifiers)
        order = await client.finalize(order, csr_for(*names))
        return order, (await client.fetch_certificate(order.certificate)).chain_pem


@asynccontextmanager
async def running(
    options: AcmeServerOptions = BELIEVING, mischief: Mischief | None = None, clock: MovableClock | None = None
) -> AsyncIterator[Rig]:
    """A rig that is taken down in the end."""
    clock = clock or MovableClock()
    async with AsyncExitStack() as stack:
        server = AcmeServer(options, clock, mischief)
        stack.push_async_callback(server.stop)
        await server.start()
        yield Rig(server, clock, stack)


def believing(**changes: object) -> AcmeServerOptions:
    """A CA that believes every proof, otherwise changed."""
    return msgspec.structs.replace(BELIEVING, **changes)


def ordering(**changes: object) -> AcmeServerOptions:
    """The same with other rules for orders."""
    return believing(orders=msgspec.structs.replace(OrderOptions(), **changes))


async def refusal(attempt: Awaitable[object]) -> AcmeProblem:
    """Why the CA refuses."""
    with pytest.raises(AcmeProblem) as caught:
        await attempt
    return caught.value
