"""The world of the main job: Pebble behind the public CA's name, Cloudflare's API, and the DNS that it feeds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import Cluster
from tests.controller_process import ControllerProcess
from tests.servers.dns import ForwardingDns
from tests.servers.pebble import AcmeFront, Pebble, PebbleOptions

from certwright.app.stand_ins.cloudflare import Account, CloudflareApi
from certwright.rest import SecretText

Plain = dict[str, Any]  # JSON of an object
ZONES = ("hwchiu.com", "example.com", "foo.com")
HOSTS = ("h1.test", "h2.test")
EMAIL, API_KEY = "your@mail.com", "12345678910"
CA = "https://acme-staging-v02.api.letsencrypt.org/directory"
CERTIFICATES = "certificates.certmanager.k8s.io"
ISSUERS = "issuers.certmanager.k8s.io"
ORDERS = "orders.acme.cert-manager.io"
SEED = Path(__file__).resolve().parents[4] / "shared" / "seed"


@dataclass(frozen=True)
class World:
    """What a test looks at."""

    cluster: Cluster
    pebble: Pebble
    cloudflare: CloudflareApi
    dns: ForwardingDns
    controller: ControllerProcess

    async def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """kubectl's output, while the servers of this process go on; it must succeed."""
        done = await asyncio.to_thread(self.cluster.kubectl, *args, stdin=stdin)
        assert done.returncode == 0, f"{args}: {done.stderr}\n{self.log_end()}"
        return done.stdout

    async def create(self, kind: str, name: str, spec: Plain) -> None:
        """An object of the legacy group."""
        api = "certmanager.k8s.io/v1alpha1"
        body = {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec}
        await self.kubectl("create", "-f", "-", stdin=json.dumps(body))

    async def ready(self, name: str, reason: str) -> None:
        """Return once the Ready condition of `resource/name` has that reason."""
        path = "{.status.conditions[?(@.type=='Ready')].reason}"
        await self.kubectl("wait", f"--for=jsonpath={path}={reason}", name, "--timeout=55s")

    async def told(self, name: str) -> list[tuple[str, str]]:
        """Reason and message of each event about `resource/name`, once for each time that it is counted."""
        uid = await self.kubectl("get", name, "-o", "jsonpath={.metadata.uid}")
        text = await self.kubectl("get", "events", f"--field-selector=involvedObject.uid={uid}", "-o", "json")
        # kubectl sorts by the second, and leaves those of one second in the order of the list: that of their names.
        events = sorted(json.loads(text)["items"], key=lambda event: str(event["lastTimestamp"]))
        return [(each["reason"], each["message"]) for each in events for _ in range(each.get("count") or 1)]

    async def names(self, resource: str) -> list[str]:
        """What `kubectl get` finds in the test's namespace."""
        return (await self.kubectl("get", resource, "-o", "name")).split()

    async def restart(self) -> None:
        """The controller ends, and starts anew."""
        await asyncio.to_thread(self.controller.stop)
        await asyncio.to_thread(self.controller.start)

    async def everything_was_seen(self) -> None:
        """Return once the controller has worked on what it was told of later than of anything else so far."""
        await self.create("Issuer", "later", {"selfSigned": {}})
        await self.kubectl("wait", "--for=condition=Ready", f"{ISSUERS}/later", "--timeout=50s")
        await self.kubectl("delete", f"{ISSUERS}/later")

    def log_end(self) -> str:
        """The end of the controller's log."""
        return "\n".join(self.controller.log.read_text().splitlines()[-40:])


@dataclass(frozen=True)
class Surroundings:
    """What is not as usual."""

    pebble: PebbleOptions = field(default_factory=PebbleOptions)
    nameservers: Mapping[str, str] = field(default_factory=dict)
    """Zones that another server serves, at this `host:port`."""
    flags: tuple[str, ...] = ()
    """Of the controller, after the usual ones."""


@asynccontextmanager
async def main_job_world(cluster: Cluster, folder: Path, around: Surroundings = Surroundings()) -> AsyncIterator[World]:
    """Everything started, the definitions installed, the controller running."""
    await cluster.install_crds()
    async with AsyncExitStack() as stack:
        dns = ForwardingDns((*ZONES, *HOSTS), around.nameservers)
        await dns.start()
        stack.push_async_callback(dns.stop)
        account = Account(email=EMAIL, api_key=SecretText(API_KEY), key_lengths=range(len(API_KEY), 46))
        cloudflare = CloudflareApi(account, ZONES, dns)
        await cloudflare.start()
        stack.push_async_callback(cloudflare.stop)
        pebble = Pebble(folder, _with_dns(around.pebble, dns.address))
        await asyncio.to_thread(pebble.start)
        stack.callback(pebble.stop)
        front = await _front(stack, folder, pebble)
        servers = {zone: around.nameservers.get(zone, dns.address) for zone in ZONES}
        flags = [*_flags(front, cloudflare, dns.address), *_served_by(servers), *around.flags]
        controller = ControllerProcess(folder, cluster.kubeconfig, flags)
        await asyncio.to_thread(controller.start)
        stack.callback(controller.stop)
        yield World(cluster, pebble, cloudflare, dns, controller)


@asynccontextmanager
async def world_of_2018(cluster: Cluster, folder: Path) -> AsyncIterator[World]:
    """A world that is left without the cluster-wide objects of the 2018 manifests."""
    async with main_job_world(cluster, folder) as world:
        yield world
        issuers = (f"cluster{ISSUERS}/cert-demo", "clusterissuers.cert-manager.io/cert-demo")
        await world.kubectl("delete", "--ignore-not-found", *issuers)
        await world.kubectl("-n", "kube-system", "delete", "--ignore-not-found", "secret", "cloudflare", "cert-demo")


async def an_acme_issuer(world: World, name: str, acme: Plain) -> None:
    """A legacy Issuer of the world's CA, once it is ready; `acme` says how names are proved."""
    account: Plain = {"server": CA, "privateKeySecretRef": {"name": f"{name}-account"}}
    await world.create("Issuer", name, {"acme": {**account, **acme}})
    await world.kubectl("wait", "--for=condition=Ready", f"{ISSUERS}/{name}", "--timeout=50s")


def cloudflare(name: str, secret: str) -> Plain:
    """A provider of a legacy issuer, whose key is in that Secret."""
    return {"name": name, "cloudflare": {"email": EMAIL, "apiKeySecretRef": {"name": secret, "key": "api"}}}


async def _front(stack: AsyncExitStack, folder: Path, pebble: Pebble) -> AcmeFront:
    own = folder / "front"
    own.mkdir()
    front = AcmeFront(own, pebble)
    await front.start()
    stack.push_async_callback(front.stop)
    return front


def _with_dns(options: PebbleOptions, address: str) -> PebbleOptions:
    return PebbleOptions(**{**options.__dict__, "dns_server": address})


def _flags(front: AcmeFront, cloudflare: CloudflareApi, names_at: str) -> list[str]:
    return [
        f"--connect-to={front.host}:443:127.0.0.1:{front.port}",
        f"--trusted-ca-file={front.ca}",
        f"--provider-endpoint=cloudflare={cloudflare.url}",
        f"--dns01-recursive-nameservers={names_at}",
        "--dns01-check-retry-period=1s",
    ]


def _served_by(servers: Mapping[str, str]) -> list[str]:
    return [f"--authoritative-nameserver=ns1.{zone}={address}" for zone, address in servers.items()]
