"""Two DNS providers and both ways of HTTP-01 in one Certificate: legacy acceptance check 9."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cluster import Cluster
from tests.integration.main_job.rig import (
    API_KEY,
    CERTIFICATES,
    HOSTS,
    ZONES,
    Plain,
    Surroundings,
    World,
    an_acme_issuer,
    cloudflare,
    main_job_world,
)
from tests.kubernetes.eventually import eventually
from tests.kubernetes.processes import free_ports
from tests.servers.bind import Bind
from tests.servers.ingress import IngressProxy
from tests.servers.pebble import PebbleOptions

pytestmark = pytest.mark.needs("kubectl", "pebble", "bind9")

MANY = f"{CERTIFICATES}/many"
ALGORITHM = "HMACSHA256"
CONFIG = [
    {"domains": ["*.example.com", "example.com"], "dns01": {"provider": "p1"}},
    {"domains": ["foo.com"], "dns01": {"provider": "p2"}},
    {"domains": ["h1.test"], "http01": {"ingressClass": "nginx"}},
    {"domains": ["h2.test"], "http01": {"ingress": "my-ingress"}},
]
SPEC: Plain = {
    "secretName": "many-tls",
    "issuerRef": {"name": "many", "kind": "Issuer"},
    "dnsNames": ["*.example.com", "example.com", "foo.com", *HOSTS],
    "acme": {"config": CONFIG},
}
VERIFIED = {
    ("DomainVerified", f'Domain "{name}" verified with "{way}" validation')
    for name, way in [("example.com", "dns-01"), ("foo.com", "dns-01"), *((host, "http-01") for host in HOSTS)]
}
# Both servers could take every TXT record: BIND is primary for foo.com too, and Cloudflare's account has example.com.
BIND_ZONES = ["example.com.", "foo.com."]


@dataclass(frozen=True)
class Both:
    """The world, the nameserver of provider p1, and the way to HTTP-01 answers."""

    world: World
    bind: Bind
    proxy: IngressProxy


@pytest.fixture
async def both(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Both]:
    folder = tmp_path / "bind"
    folder.mkdir()
    bind, proxy = Bind(folder, BIND_ZONES), IngressProxy(cluster.http, cluster.namespace)
    await asyncio.to_thread(bind.start)
    try:
        async with proxy.served(), main_job_world(cluster, tmp_path, around(bind, proxy)) as world:
            yield Both(world, bind, proxy)
    finally:
        bind.stop()


def around(bind: Bind, proxy: IngressProxy) -> Surroundings:
    [responder] = free_ports(1)
    flags = (
        f"--http01-listen-address=127.0.0.1:{responder}",
        "--http01-addresses=192.0.2.1",
        *(f"--connect-to={host}:80:{proxy.address}" for host in HOSTS),
    )
    return Surroundings(PebbleOptions(http_port=proxy.port), {"example.com": bind.address}, flags)


async def prepare(both: Both) -> None:
    """The issuer is ready, my-ingress is there, the names of HTTP-01 lead to this machine."""
    for host in HOSTS:
        both.world.dns.add(f"{host}.", "A", "127.0.0.1")
    key = both.bind.key(ALGORITHM)
    for name, value in (("tsig", f"key={key.secret}"), ("cloudflare", f"api={API_KEY}")):
        await both.world.kubectl("create", "secret", "generic", name, f"--from-literal={value}")
    update = {
        "nameserver": both.bind.address,
        "tsigKeyName": key.name,
        "tsigAlgorithm": ALGORITHM,
        "tsigSecretSecretRef": {"name": "tsig", "key": "key"},
    }
    providers = [{"name": "p1", "rfc2136": update}, cloudflare("p2", "cloudflare")]
    await an_acme_issuer(both.world, "many", {"http01": {}, "dns01": {"providers": providers}})
    await both.world.kubectl("create", "-f", "-", stdin=json.dumps(my_ingress()))


def my_ingress() -> Plain:
    rules = [rule("other.test", "/", "/api"), rule("h2.test", "/"), rule("third.test", "/")]
    metadata = {"name": "my-ingress", "annotations": {"mine": "yes"}, "labels": {"app": "shop"}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {"ingressClassName": "nginx", "rules": rules},
    }


def rule(host: str, *paths: str) -> Plain:
    backend = {"service": {"name": "shop", "port": {"number": 80}}}
    found = [{"path": path, "pathType": "Prefix", "backend": backend} for path in paths]
    return {"host": host, "http": {"paths": found}}


async def kept(world: World) -> Plain:
    """What the user said in my-ingress."""
    found = json.loads(await world.kubectl("get", "ingress", "my-ingress", "-o", "json"))
    metadata = found["metadata"]
    return {"spec": found["spec"], "annotations": metadata["annotations"], "labels": metadata["labels"]}


async def test_every_name_is_proved_by_the_solver_of_its_entry(both: Both) -> None:
    await prepare(both)
    before = await kept(both.world)
    await both.world.create("Certificate", "many", SPEC)
    await _pending(both.world, before)

    both.proxy.is_open = True
    await both.world.kubectl("wait", "--for=condition=Ready", MANY, "--timeout=55s")

    await eventually(lambda: _is(both.world, before))
    await eventually(lambda: _gone(both.world))
    assert both.proxy.passed == set(HOSTS)
    _texts_only_where_they_belong(both)
    events = await both.world.told(MANY)
    told = [reason for reason, _ in events]
    assert told == ["CreateOrder", *["DomainVerified"] * 5, "IssueCert", "CertObtained", "CertIssued"]
    assert {event for event in events if event[0] == "DomainVerified"} == VERIFIED


async def _pending(world: World, before: Plain) -> None:
    """While no request gets through: both Ingresses lead to the answers, and nothing else of my-ingress is changed."""

    async def led() -> Plain | None:
        found = await kept(world)
        return found if found != before and await _solver_classes(world) == "nginx" else None

    found = await eventually(led)
    paths = found["spec"]["rules"][1]["http"]["paths"]
    [ours] = [path for path in paths if path["path"].startswith("/.well-known/acme-challenge/")]
    paths.remove(ours)
    assert found == before


async def _solver_classes(world: World) -> str:
    path = r"jsonpath={.items[*].metadata.annotations.kubernetes\.io/ingress\.class}"
    return await world.kubectl("get", "ingress", "-l", "certmanager.k8s.io/acme-http-domain", "-o", path)


async def _is(world: World, before: Plain) -> bool:
    return await kept(world) == before


async def _gone(world: World) -> bool:
    return await world.names("ingress,service") == ["ingress.networking.k8s.io/my-ingress"]


def _texts_only_where_they_belong(both: Both) -> None:
    zones = {f"{number:032x}": zone for number, zone in enumerate(ZONES, start=1)}
    changes = [call for call in both.world.cloudflare.calls if call.method != "GET"]
    assert [call.method for call in changes] == ["POST", "DELETE"]
    assert {zones[call.path.split("/zones/")[1].split("/")[0]] for call in changes} == {"foo.com"}
    updates = re.findall(r"updating zone '([^']*)/IN': adding an RR at '(\S+)' TXT", both.bind.log())
    assert updates == [("example.com", "_acme-challenge.example.com")] * 2
    assert both.bind.texts("_acme-challenge.example.com.") == {}
