"""Present, check and clean up: the whole of DNS-01, with a zone at the Cloudflare stand-in and with BIND."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta

import msgspec
import pytest
from tests.clock import MovableClock
from tests.servers.bind import Bind
from tests.servers.dns import WatchedDns, served

from certwright.app.stand_ins.cloudflare import Account, CloudflareApi
from certwright.errors import Blocked, Retry
from certwright.rest import SecretText, Transport
from certwright.solvers.base import NotYet, Propagated
from certwright.solvers.dns01.block import ProviderBlock
from certwright.solvers.dns01.client import DnsClient, DnsOptions, texts
from certwright.solvers.dns01.solver import MOST_VIEWS, Dns01Challenge, Dns01Options, Dns01Solver
from certwright.solvers.dns01.zones import CnameStrategy

EMAIL, KEY = "your@mail.com", "12345678910"
BLOCK = ProviderBlock(provider="cloudflare", settings={"email": EMAIL, "apiKeySecretRef": {"name": "s", "key": "k"}})
SECRETS = {"apiKey": SecretText(KEY)}


class World:
    """Two zones at Cloudflare, their DNS, and a solver."""

    def __init__(self, transport: Transport) -> None:
        self.dns = WatchedDns(["main.test.", "alias.test."])
        account = Account(EMAIL, SecretText(KEY), key_lengths=range(len(KEY), len(KEY) + 1))
        self.api = CloudflareApi(account, ["main.test.", "alias.test."], self.dns)
        self._transport = transport

    def solver(self, **dns: object) -> Dns01Solver:
        """Asks the stand-in only, on its own port."""
        authoritative = {f"ns1.{zone}": self.dns.address for zone in ("main.test", "alias.test")}
        chosen: dict[str, object] = {"recursive_nameservers": (self.dns.address,), **dns}
        options = DnsOptions(authoritative_addresses=authoritative, **chosen)  # type: ignore[arg-type] # a test's choice
        endpoints = {"cloudflare": self.api.url}
        return Dns01Solver(self._transport, MovableClock(), Dns01Options(dns=options, endpoints=endpoints))

    async def texts(self, name: str) -> set[str]:
        """What is served at the name itself."""
        return texts(await DnsClient(self._transport, DnsOptions()).ask(self.dns.address, name, "TXT"), name)


@pytest.fixture
async def world(transport: Transport) -> AsyncIterator[World]:
    found = World(transport)
    async with served(found.dns):
        await found.api.start()
        yield found
        await found.api.stop()


def _challenge(
    identifier: str = "www.main.test",
    value: str = "digest",
    block: ProviderBlock = BLOCK,
    secrets: Mapping[str, SecretText] = SECRETS,
) -> Dns01Challenge:
    return Dns01Challenge(identifier=identifier, value=value, block=block, secrets=secrets)


async def test_a_challenge_from_end_to_end(world: World) -> None:
    solver, challenge = world.solver(), _challenge()
    before = await solver.check(challenge)

    await solver.present(challenge)
    during = await solver.check(challenge)
    await solver.clean_up(challenge)
    after = await solver.check(challenge)

    assert isinstance(before, NotYet)
    assert during == Propagated()
    assert isinstance(after, NotYet)
    assert "digest" not in before.reason + after.reason


async def test_the_record_has_the_ttl_of_its_provider(world: World) -> None:
    await world.solver().present(_challenge())

    name = "_acme-challenge.www.main.test."
    answer = await DnsClient(world._transport, DnsOptions()).ask(world.dns.address, name, "TXT")
    assert [rrset.ttl for rrset in answer.answer] == [120]


async def test_base_and_wildcard_at_once(world: World) -> None:
    solver = world.solver()
    both = [_challenge("main.test", "base"), _challenge("*.main.test", "wildcard")]

    await asyncio.gather(*(solver.present(challenge) for challenge in both))
    assert await asyncio.gather(*(solver.check(challenge) for challenge in both)) == [Propagated(), Propagated()]

    await solver.clean_up(both[0])
    assert await world.texts("_acme-challenge.main.test.") == {"wildcard"}


@pytest.mark.parametrize(
    ("strategy", "written"),
    [
        (CnameStrategy.NONE, "_acme-challenge.www.main.test."),
        (CnameStrategy.ONE_HOP, "one.main.test."),
        (CnameStrategy.FOLLOW, "two.alias.test."),
    ],
)
async def test_the_strategy_says_where_the_record_goes(world: World, strategy: CnameStrategy, written: str) -> None:
    world.dns.add("_acme-challenge.www.main.test.", "CNAME", "one.main.test.")
    world.dns.add("one.main.test.", "CNAME", "two.alias.test.")
    block = msgspec.structs.replace(BLOCK, cname_strategy=strategy)
    solver, challenge = world.solver(), _challenge(block=block)

    await solver.present(challenge)
    assert await world.texts(written) == {"digest"}

    await solver.clean_up(challenge)
    assert await world.texts(written) == set()


async def test_the_check_follows_whatever_the_strategy(world: World) -> None:
    """The CA follows CNAMEs: a record at the alias itself is not found by it."""
    world.dns.add("_acme-challenge.www.main.test.", "CNAME", "two.alias.test.")
    solver, challenge = world.solver(), _challenge()

    await solver.present(challenge)
    assert isinstance(await solver.check(challenge), NotYet)

    world.dns.add("two.alias.test.", "TXT", '"digest"')
    assert await solver.check(challenge) == Propagated()


async def test_nameservers_of_the_solver_stand_in_the_place_of_the_process(world: World) -> None:
    solver = world.solver(recursive_nameservers=("127.0.0.1:1",), timeout=timedelta(milliseconds=200))
    block = msgspec.structs.replace(BLOCK, nameservers=(world.dns.address,))

    with pytest.raises(Retry, match=r"127\.0\.0\.1:1"):
        await solver.present(_challenge())
    await solver.present(_challenge(block=block))

    assert await solver.check(_challenge(block=block)) == Propagated()


async def test_zones_are_kept_between_calls(world: World) -> None:
    solver = world.solver()

    await solver.present(_challenge())
    await solver.clean_up(_challenge())

    assert world.dns.asked["_acme-challenge.www.main.test.", "SOA"] == 1


async def test_nameservers_of_many_issuers_are_not_all_kept(world: World) -> None:
    solver, name = world.solver(), "_acme-challenge.www.main.test."
    challenges = [
        _challenge(block=msgspec.structs.replace(BLOCK, nameservers=(world.dns.address, f"127.0.0.1:{number + 1}")))
        for number in range(MOST_VIEWS + 1)
    ]
    for challenge in challenges:
        await solver.check(challenge)

    await solver.check(challenges[-1])
    assert world.dns.asked[name, "SOA"] == MOST_VIEWS + 1, "the last one is kept, with its zones"
    await solver.check(challenges[0])
    assert world.dns.asked[name, "SOA"] == MOST_VIEWS + 2, "the first one is not"


async def test_a_zone_that_is_not_found_is_told(world: World) -> None:
    with pytest.raises(Retry, match=r"the zone of _acme-challenge\.nowhere\.example\. was not found: .*REFUSED"):
        await world.solver().present(_challenge("nowhere.example"))


async def test_a_missing_secret_blocks_before_anything_is_asked(world: World) -> None:
    with pytest.raises(Blocked, match="no credentials are given"):
        await world.solver().present(_challenge(secrets={}))

    assert not world.dns.asked
    assert not world.api.calls


@pytest.fixture
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    server = Bind(tmp_path_factory.mktemp("bind"), ["bound.test.", "target.test."])
    server.start()
    yield server
    server.stop()


@pytest.mark.needs("bind9")
async def test_a_challenge_from_end_to_end_at_bind(bind: Bind, transport: Transport) -> None:
    """BIND says where the zone begins, which CNAMEs there are and whether the value is served."""
    key = bind.key("HMACSHA256")
    settings = {"nameserver": bind.address, "tsigKeyName": key.name, "tsigAlgorithm": "HMACSHA256"}
    block = ProviderBlock(provider="rfc2136", settings=settings, cname_strategy=CnameStrategy.FOLLOW)
    secrets = {"tsigSecret": SecretText(key.secret)}
    authoritative = {"ns1.bound.test": bind.address, "ns1.target.test": bind.address}
    dns = DnsOptions(recursive_nameservers=(bind.address,), authoritative_addresses=authoritative)
    solver = Dns01Solver(transport, MovableClock(), Dns01Options(dns=dns))
    challenges = [
        _challenge(f"{label}.bound.test", value, block, secrets)
        for label, value in [("deep.down", "one"), ("*.deep.down", "two"), ("other", "three")]
    ]

    for challenge in challenges:
        await solver.present(challenge)
    assert [await solver.check(challenge) for challenge in challenges] == [Propagated()] * 3
    assert bind.texts("_acme-challenge.deep.down.bound.test.") == {"one": 60, "two": 60}

    await solver.clean_up(challenges[0])
    assert isinstance(await solver.check(challenges[0]), NotYet)
    assert await solver.check(challenges[1]) == Propagated()
