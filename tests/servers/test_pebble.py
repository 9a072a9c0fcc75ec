"""The rig's ACME CA answers as a public one does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import judges
from tests.servers.pebble import AcmeFront, Pebble

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import Transport
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import Identifier, NewOrder
from certwright.clock import SystemClock
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    judges.require("pebble")
    server = Pebble(tmp_path_factory.mktemp("pebble"))
    server.start()
    yield server
    server.stop()


async def test_the_front_bears_the_name_of_a_public_ca(pebble: Pebble, tmp_path: Path) -> None:
    front = AcmeFront(tmp_path, pebble)
    await front.start()
    to = {f"{front.host}:443": f"127.0.0.1:{front.port}"}
    transport = Transport(TransportOptions(ca_bundle_pem=front.ca.read_bytes(), connect_to=to), SystemClock())
    key = AccountKey(generate(KeySpec(KeyAlgorithm.ECDSA, 256)))
    client = AcmeClient(transport, f"https://{front.host}/directory", key, SystemClock())

    directory = await client.directory()
    account = await client.register(("mailto:a@example.com",))
    order = await client.new_order(NewOrder((Identifier("dns", "a.example.com"),)))
    await transport.close()
    await front.stop()

    assert directory.new_order == f"https://{front.host}/order-plz"
    assert set(directory.meta.profiles) == {"default", "shortlived"}
    assert account.url.startswith(f"https://{front.host}/")
    assert order.url.startswith(f"https://{front.host}/")


def test_the_root_of_issued_certificates_can_be_fetched(pebble: Pebble) -> None:
    assert pebble.root().startswith(b"-----BEGIN CERTIFICATE-----")


def test_records_can_be_set(pebble: Pebble) -> None:
    pebble.dns.set_txt("_acme-challenge.example.com.", "value")
    pebble.dns.set_cname("www.example.com.", "example.com.")

    pebble.dns.clear_txt("_acme-challenge.example.com.")
