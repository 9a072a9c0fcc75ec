"""The world of the main job: Pebble behind the public CA's name, Cloudflare's API, and the DNS that it feeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import Cluster
from tests.controller_process import ControllerProcess
from tests.servers.pebble import AcmeFront, Pebble, PebbleOptions

from certwright.app.stand_ins.cloudflare import Account, CloudflareApi
from certwright.app.stand_ins.dns import DnsServer
from certwright.rest import SecretText

ZONES = ("hwchiu.com", "example.com", "foo.com")
EMAIL, API_KEY = "your@mail.com", "12345678910"


@dataclass(frozen=True)
class World:
    """What a test looks at."""

    cluster: Cluster
    pebble: Pebble
    cloudflare: CloudflareApi
    dns: DnsServer
    controller: ControllerProcess

    async def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """kubectl's output, while the servers of this process go on; it must succeed."""
        done = await asyncio.to_thread(self.cluster.kubectl, *args, stdin=stdin)
        assert done.returncode == 0, f"{args}: {done.stderr}\n{self.log_end()}"
        return done.stdout

    def log_end(self) -> str:
        """The end of the controller's log."""
        return "\n".join(self.controller.log.read_text().splitlines()[-40:])


@asynccontextmanager
async def main_job_world(cluster: Cluster, folder: Path, options: PebbleOptions | None = None) -> AsyncIterator[World]:
    """Everything started, the definitions installed, the controller running."""
    await cluster.install_crds()
    async with AsyncExitStack() as stack:
        dns = DnsServer(ZONES)
        await dns.start()
        stack.push_async_callback(dns.stop)
        account = Account(email=EMAIL, api_key=SecretText(API_KEY), key_lengths=range(len(API_KEY), 46))
        cloudflare = CloudflareApi(account, ZONES, dns)
        await cloudflare.start()
        stack.push_async_callback(cloudflare.stop)
        pebble = Pebble(folder, _with_dns(options or PebbleOptions(), dns.address))
        await asyncio.to_thread(pebble.start)
        stack.callback(pebble.stop)
        front_folder = folder / "front"
        front_folder.mkdir()
        front = AcmeFront(front_folder, pebble)
        await front.start()
        stack.push_async_callback(front.stop)
        controller = ControllerProcess(folder, cluster.kubeconfig, _flags(front, cloudflare, dns))
        await asyncio.to_thread(controller.start)
        stack.callback(controller.stop)
        yield World(cluster, pebble, cloudflare, dns, controller)


def _with_dns(options: PebbleOptions, address: str) -> PebbleOptions:
    return PebbleOptions(**{**options.__dict__, "dns_server": address})


def _flags(front: AcmeFront, cloudflare: CloudflareApi, dns: DnsServer) -> list[str]:
    return [
        f"--connect-to={front.host}:443:127.0.0.1:{front.port}",
        f"--trusted-ca-file={front.ca}",
        f"--provider-endpoint=cloudflare={cloudflare.url}",
        f"--dns01-recursive-nameservers={dns.address}",
        *(f"--authoritative-nameserver=ns1.{zone}={dns.address}" for zone in ZONES),
        "--dns01-check-retry-period=1s",
    ]
