"""The suite against our own CA, and what only it offers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import ClassVar

import pytest
from tests.conformance.acme.ca import BLOCKED, Ca, Rig, StartCa, Wish, free_port
from tests.conformance.acme.steps import CONTACT, wanted
from tests.conformance.acme.suite import AcmeSuite

from certwright.acme.client.errors import AcmeProblem
from certwright.acme.server.accounts import ORDERS_ON_A_PAGE
from certwright.acme.server.mischief import Fault, Mischief
from certwright.acme.server.options import AccountOptions, AcmeServerOptions, OrderOptions, ValidationOptions
from certwright.acme.server.server import AcmeServer
from certwright.app.stand_ins.dns import DnsServer
from certwright.clock import SystemClock
from certwright.rest import SecretText


class OwnCa:
    def __init__(self, server: AcmeServer, dns: DnsServer, http_port: int) -> None:
        self.server = server
        self.http_port = http_port
        self.directory = server.directory_url
        self.trust_pem = server.endpoint_root_pem
        self._dns = dns

    def root_pems(self) -> list[bytes]:
        return list(self.server.root_pems)

    def set_txt(self, name: str, value: str) -> None:
        self._dns.add(name, "TXT", f'"{value}"')

    def clear_txt(self, name: str) -> None:
        self._dns.remove(name, "TXT")

    def point_here(self, name: str) -> None:
        self._dns.add(name, "A", "127.0.0.1")


@asynccontextmanager
async def start_own(wish: Wish) -> AsyncIterator[Ca]:
    dns, http_port = DnsServer(["example.test"]), free_port()
    await dns.start()
    external = {name: SecretText(key) for name, key in wish.external_accounts.items()}
    options = AcmeServerOptions(
        alternate_roots=wish.alternate_roots,
        validation=ValidationOptions(dns_server=dns.address, http_port=http_port, timeout=timedelta(seconds=5)),
        accounts=AccountOptions(external_accounts=external, external_account_required=bool(external)),
        orders=OrderOptions(
            blocked=(BLOCKED,), reuses_authorizations=wish.authorizations_reused > 0, retry_after=wish.retry_after
        ),
    )
    server = AcmeServer(options, SystemClock(), Mischief(7, {Fault.BAD_NONCE: wish.bad_nonces / 100}))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(dns.stop)
        stack.push_async_callback(server.stop)
        await server.start()
        yield OwnCa(server, dns, http_port)


class TestOwnCa(AcmeSuite):
    orders_listed: ClassVar = ORDERS_ON_A_PAGE + 1

    @pytest.fixture
    def start(self) -> StartCa:
        return start_own

    async def test_a_rate_limit_is_told_with_its_end(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)
        assert isinstance(plain.ca, OwnCa)
        plain.ca.server.mischief.next("new-order", Fault.RATE_LIMITED)

        with pytest.raises(AcmeProblem) as caught:
            await client.new_order(wanted("www.example.test"))

        assert caught.value.is_rate_limited
        assert caught.value.retry_after == timedelta(seconds=30)
        assert str(caught.value).startswith("429 urn:ietf:params:acme:error:rateLimited: ")
