"""The stand-in of Cloudflare's API is strict where the real one is, and what it takes is really served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import dns.asyncquery
import dns.message
import pytest
from tests.servers.dns import served

from certwright.app.stand_ins.cloudflare import Account, CloudflareApi
from certwright.app.stand_ins.dns import DnsServer
from certwright.rest import SecretText

EMAIL, KEY, TOKEN = "your@mail.com", "k" * 37, "t" * 40
BY_KEY = {"X-Auth-Email": EMAIL, "X-Auth-Key": KEY}
BY_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
ZONES = ("foo.test.", "bar.test.")
RECORD = {"type": "TXT", "name": "_acme-challenge.foo.test", "content": '"value"', "ttl": 120}


@dataclass
class Api:
    """The stand-in and raw HTTP calls to it."""

    server: CloudflareApi
    dns: DnsServer
    session: aiohttp.ClientSession

    async def call(
        self, verb: str, path: str, body: object = None, headers: Mapping[str, str] = BY_KEY
    ) -> tuple[int, Any]:
        url = f"{self.server.url}/{path}"
        data = {"data": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        async with self.session.request(verb, url, headers=headers, **data) as answer:
            document = await answer.json()
            assert set(document) >= {"success", "errors", "messages", "result"}
            assert document["success"] is (answer.status == 200)
            return answer.status, document

    async def zone(self, name: str = "foo.test") -> str:
        _, found = await self.call("GET", f"zones?name={name}")
        return f"zones/{found['result'][0]['id']}/dns_records"

    async def served(self, name: str) -> list[str]:
        answer = await dns.asyncquery.udp(dns.message.make_query(name, "TXT"), self.dns.host, 5, self.dns.port)
        return [rdata.to_text() for rrset in answer.answer for rdata in rrset]


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    names = DnsServer(ZONES)
    server = CloudflareApi(Account(EMAIL, SecretText(KEY), SecretText(TOKEN)), ZONES, names)
    await server.start()
    async with served(names), aiohttp.ClientSession() as session:
        yield Api(server, names, session)
    await server.stop()


def _code(document: Any) -> int:
    [error] = document["errors"]
    return int(error["code"])


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, 9106),
        ({"X-Auth-Email": EMAIL}, 400, 9106),
        ({"X-Auth-Key": KEY}, 400, 9106),
        ({"X-Auth-Email": EMAIL, "X-Auth-Key": "12345678910"}, 400, 6003),
        ({"X-Auth-Email": EMAIL, "X-Auth-Key": "w" * 37}, 403, 9103),
        ({"X-Auth-Email": "nobody@mail.com", "X-Auth-Key": KEY}, 403, 9103),
        ({"Authorization": "Bearer wrong"}, 401, 1000),
        ({"Authorization": TOKEN}, 401, 1000),
        ({"Authorization": "Bearer "}, 401, 1000),
        ({**BY_KEY, "Authorization": "Bearer wrong"}, 401, 1000),
    ],
)
async def test_credentials_are_needed(api: Api, headers: dict[str, str], status: int, code: int) -> None:
    for verb, path in (("GET", "zones"), ("GET", f"zones/{1:032x}/dns_records"), ("GET", "nowhere")):
        found, document = await api.call(verb, path, headers=headers)

        assert (found, _code(document)) == (status, code)


@pytest.mark.parametrize("headers", [BY_KEY, BY_TOKEN])
async def test_both_kinds_of_credentials_do(api: Api, headers: dict[str, str]) -> None:
    status, document = await api.call("GET", "zones", headers=headers)

    assert status == 200
    assert [zone["name"] for zone in document["result"]] == ["foo.test", "bar.test"]


async def test_an_account_without_a_token_takes_none() -> None:
    server = CloudflareApi(Account(EMAIL, SecretText(KEY)), ZONES, DnsServer(ZONES))
    await server.start()
    async with aiohttp.ClientSession() as session:
        status, _ = await Api(server, DnsServer(ZONES), session).call(
            "GET", "zones", headers={"Authorization": "Bearer "}
        )
    await server.stop()

    assert status == 401


async def test_a_short_key_does_where_the_account_says_so() -> None:
    """The manifests of the main job have one."""
    account = Account(EMAIL, SecretText("12345678910"), key_lengths=range(11, 12))
    server = CloudflareApi(account, ZONES, DnsServer(ZONES))
    await server.start()
    async with aiohttp.ClientSession() as session:
        api = Api(server, DnsServer(ZONES), session)
        headers = {"X-Auth-Email": EMAIL, "X-Auth-Key": "12345678910"}
        good, _ = await api.call("GET", "zones", headers=headers)
        other, document = await api.call("GET", "zones", headers={**headers, "X-Auth-Key": "12345678911"})
    await server.stop()

    assert good == 200
    assert (other, _code(document)) == (403, 9103)


async def test_a_zone_by_its_name(api: Api) -> None:
    _, found = await api.call("GET", "zones?name=bar.test")
    _, missing = await api.call("GET", "zones?name=sub.bar.test")

    assert [zone["name"] for zone in found["result"]] == ["bar.test"]
    assert missing["result"] == []


async def test_a_record_is_served_from_when_it_is_made_until_it_is_deleted(api: Api) -> None:
    records = await api.zone()

    status, made = await api.call("POST", records, RECORD)
    assert status == 200
    assert await api.served("_acme-challenge.foo.test.") == ['"value"']

    status, gone = await api.call("DELETE", f"{records}/{made['result']['id']}")
    assert (status, gone["result"]) == (200, {"id": made["result"]["id"]})
    assert await api.served("_acme-challenge.foo.test.") == []


async def test_a_record_is_listed_as_it_was_written(api: Api) -> None:
    records = await api.zone()
    await api.call("POST", records, RECORD)

    _, found = await api.call("GET", f"{records}?type=TXT&name=_ACME-challenge.foo.test")

    [record] = found["result"]
    assert {key: record[key] for key in RECORD} == RECORD
    assert record["zone_name"] == "foo.test"


async def test_two_values_of_one_name(api: Api) -> None:
    records = await api.zone()

    for content in ('"one"', '"two"'):
        assert (await api.call("POST", records, {**RECORD, "content": content}))[0] == 200

    assert sorted(await api.served("_acme-challenge.foo.test.")) == ['"one"', '"two"']


@pytest.mark.parametrize("content", ['"value"', "value"])
async def test_the_same_value_again_is_refused(api: Api, content: str) -> None:
    records = await api.zone()
    await api.call("POST", records, RECORD)

    status, document = await api.call("POST", records, {**RECORD, "content": content})

    assert (status, _code(document)) == (400, 81058)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "A"}, 9021),
        ({"ttl": 30}, 9021),
        ({"ttl": 86401}, 9021),
        ({"name": "_acme-challenge.bar.test"}, 9003),
        ({"name": "xfoo.test"}, 9003),
        ({"content": '"open'}, 9005),
        ({"content": f'"{"x" * 300}"'}, 9005),
        ({"unknown": 1}, 9207),
        ({"ttl": "120"}, 9207),
        ({"content": None}, 9207),
    ],
)
async def test_shapes_are_checked(api: Api, change: dict[str, object], code: int) -> None:
    records = await api.zone()

    status, document = await api.call("POST", records, {**RECORD, **change})

    assert (status, _code(document)) == (400, code)
    _, listed = await api.call("GET", records)
    assert listed["result"] == []


async def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    status, document = await api.call("POST", await api.zone(), b"{")

    assert (status, _code(document)) == (400, 9207)


async def test_the_automatic_ttl(api: Api) -> None:
    status, made = await api.call("POST", await api.zone(), {**RECORD, "ttl": 1})

    assert (status, made["result"]["ttl"]) == (200, 1)


async def test_records_and_zones_that_are_not_there(api: Api) -> None:
    records = await api.zone()

    status, document = await api.call("DELETE", f"{records}/{7:032x}")
    assert (status, _code(document)) == (404, 81044)
    status, document = await api.call("GET", f"zones/{9:032x}/dns_records")
    assert (status, _code(document)) == (404, 7003)
    assert (await api.call("GET", "nowhere"))[0] == 404


async def test_a_record_is_deleted_in_its_own_zone_only(api: Api) -> None:
    _, made = await api.call("POST", await api.zone(), RECORD)

    status, _ = await api.call("DELETE", f"{await api.zone('bar.test')}/{made['result']['id']}")

    assert status == 404
    assert await api.served("_acme-challenge.foo.test.") == ['"value"']


async def test_pages(api: Api) -> None:
    records = await api.zone()
    for number in range(5):
        await api.call("POST", records, {**RECORD, "content": f'"{number}"'})

    _, second = await api.call("GET", f"{records}?per_page=2&page=2")
    _, last = await api.call("GET", f"{records}?per_page=2&page=3")

    assert [record["content"] for record in second["result"]] == ['"2"', '"3"']
    assert last["result_info"] == {"page": 3, "per_page": 2, "count": 1, "total_count": 5, "total_pages": 3}


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=0", "per_page=5001"])
async def test_pages_that_cannot_be(api: Api, query: str) -> None:
    assert (await api.call("GET", f"zones?{query}"))[0] == 400


async def test_calls_are_noted_without_credentials(api: Api) -> None:
    await api.call("GET", "zones?name=foo.test")

    [call] = api.server.calls
    assert (call.method, call.path, call.query) == ("GET", "/client/v4/zones", {"name": "foo.test"})
    assert KEY not in repr(api.server.calls)
