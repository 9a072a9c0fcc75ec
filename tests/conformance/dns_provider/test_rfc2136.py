"""RFC 2136 against BIND: each TSIG algorithm, UDP and TCP, and what BIND refuses."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.clock import MovableClock
from tests.conformance.dns_provider.suite import TTL, DnsProviderSuite
from tests.servers.bind import ALGORITHMS, Bind

from certwright.errors import Blocked, Retry
from certwright.rest import SecretText, Transport
from certwright.solvers.dns01.base import DnsProvider, Tools, TxtRecord
from certwright.solvers.dns01.registry import providers

pytestmark = pytest.mark.needs("bind9")

ZONE = "dynamic.test."
# BIND lives as long as the module, and both classes use the same names.
UDP_ZONE = "udp.test."
TCP_ZONE = "tcp.test."
LOCKED = "locked.test."
WRONG_SECRET = base64.b64encode(b"a secret that BIND does not know").decode()


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    server = Bind(tmp_path_factory.mktemp("bind"), [ZONE, UDP_ZONE, TCP_ZONE], [LOCKED])
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    async with Transport(MovableClock()) as transport:
        yield Tools(transport=transport)


class BindService:
    """A zone of BIND, through the provider as the registry opens it."""

    refusal = "did not accept the TSIG key"

    def __init__(self, bind: Bind, tools: Tools, zone: str, protocol: str, algorithm: str) -> None:
        self.zone = zone
        self._bind = bind
        self._tools = tools
        self._settings = {"nameserver": bind.address, "protocol": protocol, "tsigAlgorithm": algorithm}
        self._key = bind.key(algorithm)
        self.secrets = [self._key.secret, WRONG_SECRET]

    def provider(self) -> DnsProvider:
        return self.open(tsigKeyName=self._key.name, tsigSecret=SecretText(self._key.secret))

    def stranger(self) -> DnsProvider:
        return self.open(tsigKeyName=self._key.name, tsigSecret=SecretText(WRONG_SECRET))

    def open(self, **settings: object) -> DnsProvider:
        return providers()["rfc2136"].open({**self._settings, **settings}, self._tools)

    async def texts(self, name: str) -> dict[str, int]:
        return self._bind.texts(name)


class TestUdp(DnsProviderSuite):
    @pytest.fixture
    def service(self, bind: Bind, tools: Tools) -> BindService:
        return BindService(bind, tools, UDP_ZONE, "UDP", "HMACSHA256")


class TestTcp(DnsProviderSuite):
    @pytest.fixture
    def service(self, bind: Bind, tools: Tools) -> BindService:
        return BindService(bind, tools, TCP_ZONE, "TCP", "HMACSHA512")


@pytest.mark.parametrize("protocol", ["UDP", "TCP", "", "tcp"])
@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "hmacsha256", ""])
async def test_each_algorithm_signs(bind: Bind, tools: Tools, protocol: str, algorithm: str) -> None:
    """Nothing means UDP and HMACMD5, and v1alpha1 took the algorithm in any case."""
    key = bind.key(algorithm.upper() or "HMACMD5")
    settings = {
        "nameserver": bind.address,
        "protocol": protocol,
        "tsigAlgorithm": algorithm,
        "tsigKeyName": key.name.rstrip("."),
        "tsigSecret": SecretText(key.secret),
    }
    record = TxtRecord(ZONE, f"a{algorithm}{protocol}.{ZONE}".lower(), "signed", TTL)
    provider = providers()["rfc2136"].open(settings, tools)

    await provider.add(record)

    assert list(bind.texts(record.name)) == ["signed"]
    await provider.remove(record)
    assert bind.texts(record.name) == {}


@pytest.mark.parametrize(
    ("name", "secret", "said"),
    [
        ("hmacsha256.key", WRONG_SECRET, "signature"),
        ("unknown.key", WRONG_SECRET, "key"),
    ],
)
async def test_the_reason_that_bind_gives_is_kept(bind: Bind, tools: Tools, name: str, secret: str, said: str) -> None:
    service = BindService(bind, tools, ZONE, "UDP", "HMACSHA256")
    provider = service.open(tsigKeyName=name, tsigSecret=SecretText(secret))

    with pytest.raises(Retry, match=f"did not accept the TSIG key: .*{said}.*; check tsigKeyName"):
        await provider.add(TxtRecord(ZONE, f"refused.{ZONE}", "value", TTL))


async def test_an_update_against_the_policy_is_refused_in_words(bind: Bind, tools: Tools) -> None:
    provider = BindService(bind, tools, ZONE, "TCP", "HMACSHA256").provider()

    with pytest.raises(Retry, match=r"refused to update zone locked\.test\.: REFUSED \(the server's policy"):
        await provider.add(TxtRecord(LOCKED, f"a.{LOCKED}", "value", TTL))


async def test_an_unsigned_update_is_refused_in_words(bind: Bind, tools: Tools) -> None:
    provider = providers()["rfc2136"].open({"nameserver": bind.address}, tools)

    with pytest.raises(Retry, match="REFUSED"):
        await provider.add(TxtRecord(ZONE, f"unsigned.{ZONE}", "value", TTL))


async def test_a_name_outside_of_the_zone_is_refused_in_words(bind: Bind, tools: Tools) -> None:
    provider = BindService(bind, tools, ZONE, "TCP", "HMACSHA256").provider()

    with pytest.raises(Retry, match=r"NOTZONE \(the name is not in that zone\)"):
        await provider.add(TxtRecord(ZONE, "elsewhere.example.", "value", TTL))


async def test_a_server_that_does_not_listen_is_named(tools: Tools) -> None:
    provider = providers()["rfc2136"].open({"nameserver": "127.0.0.1:1", "protocol": "TCP"}, tools)

    with pytest.raises(Retry, match=r"127\.0\.0\.1:1 gave no usable answer"):
        await provider.add(TxtRecord(ZONE, f"a.{ZONE}", "value", TTL))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"nameserver": "http://10.0.0.1"}, "is no nameserver"),
        ({"nameserver": ""}, "is no nameserver"),
        ({"protocol": "QUIC"}, "write UDP or TCP"),
        ({"tsigKeyName": "only.name"}, "given together"),
        ({"tsigSecret": SecretText("b25seQ==")}, "given together"),
        ({"tsigKeyName": "k", "tsigSecret": SecretText("no base64!")}, "not base64"),
        ({"tsigKeyName": "k", "tsigSecret": SecretText("b25seQ=="), "tsigAlgorithm": "HMACSHA3"}, "not one of"),
        ({"tsigKeyName": "a..b", "tsigSecret": SecretText("b25seQ==")}, "no domain name"),
        ({"nameserver": 53}, "nameserver"),
    ],
)
async def test_what_can_never_work_blocks(tools: Tools, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(Blocked, match=said) as told:
        providers()["rfc2136"].open({"nameserver": "10.0.0.1", **wrong}, tools)

    assert told.value.reason == "InvalidSolver"
    assert "no base64!" not in f"{told.value.message} {told.value.__cause__!r}"
