"""A CA, a DNS and a cloud that feeds it: what lies outside of the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace
from tests.kubernetes.processes import free_ports
from tests.servers.pebble import Pebble, PebbleOptions

from certwright.acme.server.mischief import Mischief
from certwright.acme.server.options import AccountOptions, AcmeServerOptions, OrderOptions, ValidationOptions
from certwright.acme.server.server import AcmeServer
from certwright.app.stand_ins.cloudflare import Account, CloudflareApi
from certwright.app.stand_ins.dns import DnsServer
from certwright.clock import Clock, SystemClock
from certwright.rest import SecretText

ZONES = ("bench.test", "example.test")
TOKEN = "cloudflare-token-of-the-test-0123456789"
BLOCKED = "blocked.bench.test"


@dataclass(frozen=True)
class World:
    """`server` and `mischief` are there for our own CA only, `pebble` for the other."""

    directory: str
    trust_pem: bytes
    dns: DnsServer
    cloudflare: CloudflareApi
    http_port: int
    zones: tuple[str, ...] = ZONES
    server: AcmeServer | None = None
    options: AcmeServerOptions | None = None
    dns_address: str = ""
    mischief: Mischief | None = None
    pebble: Pebble | None = None

    @asynccontextmanager
    async def another_ca(self, clock: Clock) -> AsyncIterator[None]:
        """In the place of the CA stands one that knows nobody."""
        assert self.server is not None
        assert self.options is not None
        await self.server.stop()
        port = int(self.server.address.rpartition(":")[2])
        other = AcmeServer(replace(self.options, port=port), clock, self.mischief)
        await other.start()
        try:
            yield
        finally:
            await other.stop()

    @property
    def names_at(self) -> str:
        """The nameserver that everybody asks: another one than `dns` where that is said."""
        return self.dns_address or self.dns.address

    def mischief_of(self) -> Mischief:
        """What our own CA can be made to do."""
        assert self.mischief is not None
        return self.mischief


@asynccontextmanager
async def own_world(
    mischief: Mischief | None = None,
    clock: Clock | None = None,
    orders: OrderOptions | None = None,
    alternate_roots: int = 0,
    external_accounts: Mapping[str, str] | None = None,
    state_file: Path | None = None,
) -> AsyncIterator[World]:
    """With our own CA, which asks the stand-in of the DNS."""
    async with AsyncExitStack() as stack:
        dns, cloudflare = await _names(stack)
        [http_port] = free_ports(1)
        external = {name: SecretText(key) for name, key in (external_accounts or {}).items()}
        options = AcmeServerOptions(
            validation=ValidationOptions(dns_server=dns.address, http_port=http_port, timeout=timedelta(seconds=5)),
            accounts=AccountOptions(external_accounts=external, external_account_required=bool(external)),
            orders=orders or OrderOptions(blocked=(BLOCKED,)),
            state_file=state_file,
            alternate_roots=alternate_roots,
        )
        mischief = mischief or Mischief()
        server = AcmeServer(options, clock or SystemClock(), mischief)
        stack.push_async_callback(server.stop)
        await server.start()
        yield World(
            server.directory_url,
            server.endpoint_root_pem,
            dns,
            cloudflare,
            http_port,
            server=server,
            options=options,
            mischief=mischief,
        )


@asynccontextmanager
async def pebble_world(
    folder: Path, options: PebbleOptions | None = None, dns_address: str = ""
) -> AsyncIterator[World]:
    """With Pebble, which asks the same DNS, or the nameserver at that address."""
    async with AsyncExitStack() as stack:
        dns, cloudflare = await _names(stack)
        [http_port] = free_ports(1)
        wanted = {
            **(options or PebbleOptions()).__dict__,
            "dns_server": dns_address or dns.address,
            "http_port": http_port,
        }
        pebble = Pebble(folder, PebbleOptions(**wanted))
        await asyncio.to_thread(pebble.start)
        stack.callback(pebble.stop)
        trust = pebble.ca.read_bytes()
        yield World(pebble.directory, trust, dns, cloudflare, http_port, dns_address=dns_address, pebble=pebble)


async def _names(stack: AsyncExitStack) -> tuple[DnsServer, CloudflareApi]:
    dns = DnsServer(ZONES)
    await dns.start()
    stack.push_async_callback(dns.stop)
    account = Account(email="ops@example.test", api_key=SecretText("0" * 37), api_token=SecretText(TOKEN))
    cloudflare = CloudflareApi(account, ZONES, dns)
    await cloudflare.start()
    stack.push_async_callback(cloudflare.stop)
    for zone in ZONES:
        dns.add(f"www.{zone}.", "A", "127.0.0.1")
    return dns, cloudflare
