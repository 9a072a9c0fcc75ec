"""The world of the demo: standalone mode, with stand-ins for Cloudflare's API and for the DNS that it feeds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import cast

import yaml
from msgspec import Struct

from certwright.acme.server.options import ValidationOptions
from certwright.api.meta import JSONObject
from certwright.app.options import ControllerOptions, Outside
from certwright.app.stand_ins.cloudflare import Account, CloudflareApi
from certwright.app.stand_ins.dns import DnsServer
from certwright.app.standalone import Running, StandaloneOptions, order_options, standalone
from certwright.clock import Clock
from certwright.cluster.settings import Settings
from certwright.kube.client.client import KubeClient
from certwright.kube.client.connection import over_socket
from certwright.rest import SecretText

ACME_HOST = "acme-staging-v02.api.letsencrypt.org"
ZONE = "hwchiu.com"
EMAIL, API_KEY = "your@mail.com", SecretText("12345678910")
MANIFESTS = ("secret.yaml", "clusterissuer.yaml", "certificate.yaml")
LIFETIME = timedelta(seconds=30)
"""So short that a renewal, which is due after two thirds of it, can be watched."""


class DemoWorld(Struct, frozen=True):
    """What the demo looks at."""

    running: Running
    client: KubeClient
    dns: DnsServer
    cloudflare: CloudflareApi


@asynccontextmanager
async def demo_world(data_dir: Path, clock: Clock) -> AsyncIterator[DemoWorld]:
    """Everything started, nothing applied."""
    async with AsyncExitStack() as stack:
        dns = DnsServer([ZONE])
        await dns.start()
        stack.push_async_callback(dns.stop)
        # The manifests' key is shorter than keys of the real API, which this stand-in would refuse otherwise.
        account = Account(email=EMAIL, api_key=API_KEY, key_lengths=range(len(API_KEY.reveal()), 46))
        cloudflare = CloudflareApi(account, [ZONE], dns)
        await cloudflare.start()
        stack.push_async_callback(cloudflare.stop)
        running = await stack.enter_async_context(standalone(_options(data_dir, dns, cloudflare), clock))
        client = KubeClient(over_socket(running.socket), clock)
        stack.push_async_callback(client.close)
        yield DemoWorld(running, client, dns, cloudflare)


def _options(data_dir: Path, dns: DnsServer, cloudflare: CloudflareApi) -> StandaloneOptions:
    outside = Outside(
        provider_endpoints={"cloudflare": cloudflare.url},
        recursive_nameservers=(dns.address,),
        authoritative_addresses={f"ns1.{ZONE}": dns.address},
        http01_listen_address="127.0.0.1:0",
        http01_addresses=(),
    )
    return StandaloneOptions(
        data_dir=data_dir,
        port=0,
        acme_port=0,
        acme_validation=ValidationOptions(dns_server=dns.address),
        acme_orders=order_options(LIFETIME),
        acme_host_names=(ACME_HOST,),
        controller=ControllerOptions(
            settings=Settings(challenge_retry_period=timedelta(seconds=1)),
            outside=outside,
            metrics_listen_address="0",
            healthz_listen_address="0",
        ),
    )


def manifest(name: str) -> JSONObject:
    """One of the demo's manifests."""
    text = (files("certwright.app") / "manifests" / name).read_text()
    return cast("JSONObject", yaml.safe_load(text))
