"""Cloudflare against the stand-in of its API: both kinds of credentials, pages, and what the API refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from msgspec import Struct
from tests.clock import MovableClock
from tests.conformance.dns_provider.suite import TTL, DnsProviderSuite

from certwright.app.stand_ins.cloudflare import Account, CloudflareApi, failure
from certwright.app.stand_ins.dns import DnsServer
from certwright.errors import Blocked, Retry
from certwright.rest import RestClient, RestOptions, RestRequest, SecretText, Transport
from certwright.solvers.dns01.base import DnsProvider, Tools, TxtRecord
from certwright.solvers.dns01.client import DnsClient, DnsOptions
from certwright.solvers.dns01.registry import providers

ZONE = "cloud.test."
EMAIL = "owner@cloud.test"
KEY = "0123456789abcdef0123456789abcdef01234"
TOKEN = "token-of-the-owner-0123456789abcdef01234"
WRONG = "fedcba9876543210fedcba9876543210fedcb"
NAME = f"_acme-challenge.{ZONE}"
RECORDS = f"zones/{2:032x}/dns_records"
BY_KEY = {"email": EMAIL, "apiKey": SecretText(KEY)}
BY_TOKEN = {"apiToken": SecretText(TOKEN)}


class _Content(Struct):
    content: str


class _Listed(Struct):
    result: list[_Content]


class Cloud:
    """The stand-in with its DNS, and providers that talk to it."""

    zone = ZONE
    refusal = ""
    secrets = (KEY, TOKEN, WRONG)

    def __init__(self, api: CloudflareApi, dns: DnsServer, transport: Transport) -> None:
        self.api = api
        self._dns = dns
        self._transport = transport
        self.good: dict[str, object] = dict(BY_KEY)
        self.bad: dict[str, object] = {}

    def provider(self) -> DnsProvider:
        return self.open(self.good)

    def stranger(self) -> DnsProvider:
        return self.open(self.bad)

    def open(self, settings: dict[str, object]) -> DnsProvider:
        tools = Tools(transport=self._transport, endpoints={"cloudflare": self.api.url})
        return providers()["cloudflare"].open(settings, tools)

    async def contents(self, name: str) -> list[str]:
        """The records of that name, as the API lists them."""
        query = (("name", name.rstrip(".")), ("per_page", "5000"))
        answer = await self._owner().send(RestRequest(method="GET", path=RECORDS, query=query))
        return [record.content for record in answer.json(_Listed).result]

    async def write_unquoted(self, name: str, value: str) -> None:
        """As the dashboard did for years."""
        document = {"type": "TXT", "name": name.rstrip("."), "content": value, "ttl": 60}
        await self._owner().send(RestRequest(method="POST", path=RECORDS, json=document))

    def _owner(self) -> RestClient:
        headers = {"X-Auth-Email": EMAIL, "X-Auth-Key": KEY}
        return RestClient(self._transport, RestOptions(base_url=self.api.url, headers=headers))

    async def texts(self, name: str) -> dict[str, int]:
        answer = await DnsClient(self._transport, DnsOptions()).ask(self._dns.address, name, "TXT")
        return {
            b"".join(rdata.strings).decode(): rrset.ttl
            for rrset in answer.answer
            for rdata in rrset
            if rrset.name.to_text() == name
        }


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    dns = DnsServer([ZONE, "other.test."])
    account = Account(EMAIL, SecretText(KEY), SecretText(TOKEN))
    api = CloudflareApi(account, ["other.test.", ZONE], dns)
    await dns.start()
    await api.start()
    async with Transport(MovableClock()) as transport:
        yield Cloud(api, dns, transport)
    await api.stop()
    await dns.stop()


class TestApiKey(DnsProviderSuite):
    @pytest.fixture
    def service(self, cloud: Cloud) -> Cloud:
        cloud.bad = {"email": EMAIL, "apiKey": SecretText(WRONG)}
        cloud.refusal = "Unknown X-Auth-Key or X-Auth-Email"
        return cloud


class TestApiToken(DnsProviderSuite):
    @pytest.fixture
    def service(self, cloud: Cloud) -> Cloud:
        cloud.good, cloud.bad = dict(BY_TOKEN), {"apiToken": SecretText(WRONG)}
        cloud.refusal = "Invalid API Token"
        return cloud


async def test_a_key_of_another_length_is_told_by_its_format(cloud: Cloud) -> None:
    provider = cloud.open({"email": EMAIL, "apiKey": SecretText("12345678910")})

    with pytest.raises(Retry, match=r"Invalid request headers.*Invalid format for X-Auth-Key header") as told:
        await provider.add(TxtRecord(ZONE, NAME, "value", TTL))

    assert "12345678910" not in told.value.message


async def test_blanks_around_credentials_do_no_harm(cloud: Cloud) -> None:
    provider = cloud.open({"email": f" {EMAIL} ", "apiKey": SecretText(f"{KEY}\n")})

    await provider.add(TxtRecord(ZONE, NAME, "value", TTL))

    assert list(await cloud.texts(NAME)) == ["value"]


async def test_a_value_on_a_later_page_is_found(cloud: Cloud) -> None:
    for number in range(101):
        await cloud.provider().add(TxtRecord(ZONE, NAME, f"value-{number}", TTL))
    last = TxtRecord(ZONE, NAME, "value-100", TTL)

    await cloud.provider().remove(last)

    left = await cloud.contents(NAME)
    assert len(left) == 100
    assert '"value-100"' not in left


async def test_a_record_without_quotes_is_ours_too(cloud: Cloud) -> None:
    await cloud.write_unquoted(NAME, "unquoted")

    await cloud.provider().add(TxtRecord(ZONE, NAME, "unquoted", TTL))
    await cloud.provider().remove(TxtRecord(ZONE, NAME, "unquoted", TTL))

    assert await cloud.contents(NAME) == []


async def test_a_zone_below_the_hosted_one_is_written_into_its_parent(cloud: Cloud) -> None:
    """A zone by DNS (a delegation inside) may be no zone of the account."""
    record = TxtRecord(f"deep.{ZONE}", f"_acme-challenge.deep.{ZONE}", "parent", TTL)

    await cloud.provider().add(record)

    assert list(await cloud.texts(record.name)) == ["parent"]


async def test_two_at_once_write_one_record(cloud: Cloud) -> None:
    """The second is told that the record is there, and that is as good."""
    record = TxtRecord(ZONE, NAME, "raced", TTL)

    await asyncio.gather(*(cloud.provider().add(record) for _ in range(5)))

    assert await cloud.contents(NAME) == ['"raced"']


async def test_two_at_once_remove_one_record(cloud: Cloud) -> None:
    record = TxtRecord(ZONE, NAME, "raced", TTL)
    await cloud.provider().add(record)

    await asyncio.gather(*(cloud.provider().remove(record) for _ in range(5)))

    assert await cloud.contents(NAME) == []


async def test_a_rate_limit_is_waited_for_as_long_as_the_api_asks(cloud: Cloud) -> None:
    def limited(_: web.Request) -> web.Response:
        answer = failure(429, 971, "Please wait and consider throttling your request speed")
        answer.headers["Retry-After"] = "17"
        return answer

    cloud.api.refusal = limited

    with pytest.raises(Retry, match=r"Cloudflare: .*throttling") as told:
        await cloud.provider().add(TxtRecord(ZONE, NAME, "value", TTL))

    assert told.value.after == timedelta(seconds=17)


async def test_a_page_of_a_proxy_is_no_answer(cloud: Cloud) -> None:
    cloud.api.refusal = lambda _: web.Response(text="<html>sign in</html>", content_type="text/html")

    with pytest.raises(Retry, match="not the JSON that was expected"):
        await cloud.provider().add(TxtRecord(ZONE, NAME, "value", TTL))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "no credentials are given"),
        ({"apiKey": SecretText(KEY)}, "needs the e-mail address"),
        ({"email": EMAIL}, "no credentials are given"),
        ({**BY_KEY, **BY_TOKEN}, "not both"),
        ({"email": 5}, "email"),
    ],
)
async def test_what_can_never_work_blocks(cloud: Cloud, settings: dict[str, object], said: str) -> None:
    with pytest.raises(Blocked, match=said) as told:
        cloud.open(settings)

    assert told.value.reason == "InvalidSolver"
