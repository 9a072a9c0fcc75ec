"""From a CertificateRequest to a chain: against our own CA and against Pebble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import dns.message
import dns.rcode
import pytest
from cryptography import x509
from tests.cluster import Cluster
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import CLOUDFLARE, HTTP, Objects
from tests.integration.acme.world import World, own_world, pebble_world

from certwright.pki.keys import PrivateKey, same_public_key

Made = list[tuple[str, str]]


@pytest.fixture(params=["own", pytest.param("pebble", marks=pytest.mark.needs("pebble"))])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    started = own_world() if request.param == "own" else pebble_world(tmp_path)
    async with started as found:
        yield found


def assert_for(chain: bytes, key: PrivateKey, *names: str) -> None:
    leaf = x509.load_pem_x509_certificates(chain)[0]
    alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sorted(alternative.get_values_for_type(x509.DNSName)) == sorted(names)
    public = leaf.public_key()
    assert same_public_key(key, public)  # type: ignore[arg-type]  # the CA signs only kinds that we made


def txt_is_gone(world: World, name: str) -> bool:
    answer = world.dns.answer(dns.message.make_query(f"_acme-challenge.{name}.", "TXT"))
    return answer.rcode() == dns.rcode.NXDOMAIN


async def test_a_name_and_its_wildcard_over_dns01(cluster: Cluster, world: World, objects: Objects) -> None:
    await objects.cloudflare_token()

    async with machinery(cluster, world):
        await objects.issuer(world, CLOUDFLARE)
        key = await objects.request("web-1", "web.bench.test", "*.web.bench.test")
        chain = await objects.issued("web-1")
        await objects.none_left("challenges")

    assert_for(chain, key, "web.bench.test", "*.web.bench.test")
    assert txt_is_gone(world, "web.bench.test")


async def test_a_name_over_http01(cluster: Cluster, world: World, objects: Objects) -> None:
    async with machinery(cluster, world):
        await objects.issuer(world, HTTP)
        key = await objects.request("web-1", "www.bench.test")
        chain = await objects.issued("web-1")
        await objects.none_left("challenges")

    assert_for(chain, key, "www.bench.test")
