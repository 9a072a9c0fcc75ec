"""What the suite wants of a CA, and what a client of it needs."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Protocol

from aiohttp import web
from msgspec import Struct
from tests.kubernetes.processes import free_ports

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import Transport
from certwright.acme.protocol.keys import AccountKey
from certwright.clock import SystemClock
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate

MAC_KEY = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").rstrip(b"=").decode()
BLOCKED = "blocked-domain.example"


class Wish(Struct, frozen=True, kw_only=True):
    """How the CA shall be: percentages as Pebble counts them."""

    bad_nonces: int = 0
    authorizations_reused: int = 0
    alternate_roots: int = 0
    external_accounts: Mapping[str, str] = {}
    retry_after: timedelta = timedelta(seconds=1)


class Ca(Protocol):
    """A running CA with the DNS that it asks."""

    directory: str
    trust_pem: bytes
    http_port: int

    def root_pems(self) -> list[bytes]:
        """The roots of what it issues, the default chain's first."""

    def set_txt(self, name: str, value: str) -> None:
        """Add a TXT record; no final dot."""

    def clear_txt(self, name: str) -> None:
        """Remove the TXT records of a name."""

    def point_here(self, name: str) -> None:
        """Let the name be 127.0.0.1."""


class StartCa(Protocol):
    """Starts CAs."""

    def __call__(self, wish: Wish) -> AbstractAsyncContextManager[Ca]:
        """A running one."""


class Rig:
    """A CA, clients of it, and a web server for proofs."""

    def __init__(self, ca: Ca, stack: AsyncExitStack) -> None:
        self.ca = ca
        self.proofs: dict[str, str] = {}
        self._stack = stack

    def client(
        self, key: AccountKey | None = None, account_url: str = "", transport: Transport | None = None
    ) -> AcmeClient:
        """A client with connections of its own."""
        if transport is None:
            transport = Transport(TransportOptions(ca_bundle_pem=self.ca.trust_pem), SystemClock())
            self._stack.push_async_callback(transport.close)
        return AcmeClient(transport, self.ca.directory, key or new_key(), SystemClock(), account_url)

    async def serve_proofs(self) -> None:
        """Answer HTTP-01 from `proofs`, by path."""
        runner = web.ServerRunner(web.Server(self._proof, access_log=None))
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", self.ca.http_port).start()

    async def _proof(self, request: web.BaseRequest) -> web.Response:
        found = self.proofs.get(request.path)
        return web.Response(text=found) if found else web.Response(status=404)


@asynccontextmanager
async def rig(start: StartCa, wish: Wish) -> AsyncIterator[Rig]:
    """A running CA with clients that are closed in the end."""
    async with start(wish) as ca, AsyncExitStack() as stack:
        yield Rig(ca, stack)


def new_key() -> AccountKey:
    """A fresh account key."""
    return AccountKey(generate(KeySpec(KeyAlgorithm.ECDSA, 256)))


def free_port() -> int:
    """A port for proofs."""
    return free_ports(1)[0]
