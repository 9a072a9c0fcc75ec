from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web
from msgspec import Struct
from tests.clock import MovableClock
from tests.unit.rest.service import Answer, Service

from certwright.rest import Proxies, RestClient, RestError, RestOptions, RestRequest, SecretText, Transport

TOKEN = "s3cr3t-token"


class Zone(Struct):
    name: str


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with Service() as started:
        yield started


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport(MovableClock(), Proxies(), user_agent="certwright-test/1") as opened:
        yield opened


def client(transport: Transport, service: Service, **options: object) -> RestClient:
    headers = {"Authorization": SecretText(f"Bearer {TOKEN}")}
    plain = RestOptions(base_url=f"{service.url}/v4", headers=headers)
    return RestClient(transport, msgspec.structs.replace(plain, **options))


def answering(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=named)

    return answer


async def test_a_request_arrives_as_it_was_meant(transport: Transport, service: Service) -> None:
    service.answer = answering(body=b'{"name": "example.com", "more": 1}')

    answer = await client(transport, service).send(
        RestRequest(method="POST", path="/zones", query=(("name", "a b"), ("name", "c")), json={"a": [1]})
    )

    seen = service.seen[0]
    assert (seen.method, seen.path, json.loads(seen.body)) == ("POST", "/v4/zones?name=a+b&name=c", {"a": [1]})
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["content-type"] == seen.headers["accept"] == "application/json"
    assert seen.headers["user-agent"] == "certwright-test/1"
    assert answer.json(Zone) == Zone("example.com")


async def test_json_null_is_a_body_and_no_json_is_none(transport: Transport, service: Service) -> None:
    await client(transport, service).send(RestRequest(method="POST", path="a", json=None))
    await client(transport, service).send(RestRequest(method="POST", path="a"))
    await client(transport, service).send(RestRequest(method="POST", path="a", body=b"raw"))

    assert [seen.body for seen in service.seen] == [b"null", b"", b"raw"]


async def test_a_refusal_has_the_servers_words_and_when_to_come_back(transport: Transport, service: Service) -> None:
    body = json.dumps({"errors": [{"code": 10000, "message": f"Bad token {TOKEN}"}]}).encode()
    service.answer = answering(429, body, Retry_After="17")

    with pytest.raises(RestError) as caught:
        await client(transport, service).send(RestRequest(method="GET", path="zones", query=(("secret", "x"),)))

    error = caught.value
    assert error.message == (f"GET {service.url}/v4/zones was answered with 429: Bad token [hidden] (10000)")
    assert error.retry_after == timedelta(seconds=17)
    assert error.is_passing
    assert TOKEN.encode() not in error.body


@pytest.mark.parametrize(
    "echoed",
    [
        f"you sent Bearer {TOKEN}",
        f"you sent {TOKEN}",
        "you sent " + base64.b64encode(b"user:password").decode(),
        "you sent body-secret",
    ],
)
async def test_a_server_that_echoes_credentials_reveals_nothing(
    transport: Transport, service: Service, echoed: str
) -> None:
    service.answer = answering(400, json.dumps({"message": echoed}).encode())
    basic = SecretText("Basic " + base64.b64encode(b"user:password").decode())
    speaker = client(transport, service, secrets=(SecretText("body-secret"),))

    with pytest.raises(RestError) as caught:
        await speaker.send(RestRequest(method="GET", path="x", headers={"X-Other": basic}))

    assert "[hidden]" in caught.value.message
    assert echoed.removeprefix("you sent ") not in caught.value.message + caught.value.body.decode()


async def test_html_is_not_quoted(transport: Transport, service: Service) -> None:
    service.answer = answering(502, b"<html>internal page</html>")

    with pytest.raises(RestError, match="was answered with 502: Bad Gateway"):
        await client(transport, service).send(RestRequest(method="GET", path="x"))


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_a_body_that_is_too_large_is_not_read_to_its_end(
    transport: Transport, service: Service, is_chunked: bool
) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        if not is_chunked:
            response.content_length = 10**12
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"x" * 65536)
        raise AssertionError("nobody reads that much")

    service.answer = endless

    with pytest.raises(RestError, match="larger than 100000 bytes"):
        await client(transport, service, body_limit=100_000).send(RestRequest(method="GET", path="x"))


async def test_a_compressed_bomb_is_too_large_too(transport: Transport, service: Service) -> None:
    async def bomb(request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(body=b"\0" * 20_000_000)
        response.enable_compression()
        return response

    service.answer = bomb

    with pytest.raises(RestError, match="larger than 1000000 bytes"):
        await client(transport, service, body_limit=1_000_000).send(RestRequest(method="GET", path="x"))


async def test_a_silent_server_is_given_up(transport: Transport, service: Service) -> None:
    service.answer = service.hang

    with pytest.raises(RestError, match=r"was not answered within 0\.05 s") as caught:
        await client(transport, service, timeout=timedelta(milliseconds=50)).send(RestRequest(method="GET", path="x"))

    assert caught.value.status == 0
    assert caught.value.is_passing


async def test_a_server_that_is_not_there_is_passing(transport: Transport) -> None:
    gone = Service()
    async with gone:
        pass

    with pytest.raises(RestError, match="got no answer") as caught:
        await client(transport, gone).send(RestRequest(method="GET", path="x"))

    assert caught.value.is_passing


async def test_a_dropped_connection_is_an_answer_that_did_not_come(transport: Transport, service: Service) -> None:
    async def drop(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    service.answer = drop

    with pytest.raises(RestError, match="got no answer"):
        await client(transport, service).send(RestRequest(method="POST", path="x", json={}))

    assert len(service.seen) == 1


async def test_redirects_are_not_followed(transport: Transport, service: Service) -> None:
    service.answer = answering(302, b"", Location=f"{service.url}/elsewhere")

    with pytest.raises(RestError, match="302"):
        await client(transport, service).send(RestRequest(method="GET", path="x"))

    assert len(service.seen) == 1


@pytest.mark.parametrize("path", ["https://evil.test/", "http://127.0.0.1:1/", "file:///etc/passwd", "http://[half"])
async def test_credentials_go_to_no_other_host(transport: Transport, service: Service, path: str) -> None:
    with pytest.raises(RestError, match="was not asked"):
        await client(transport, service).send(RestRequest(method="GET", path=path))

    assert not service.seen


async def test_a_whole_url_of_the_same_host_is_asked(transport: Transport, service: Service) -> None:
    await client(transport, service).send(RestRequest(method="GET", path=f"{service.url}/next?page=2"))

    assert service.seen[0].path == "/next?page=2"


async def test_another_shape_of_answer_is_an_error(transport: Transport, service: Service) -> None:
    service.answer = answering(body=b'{"id": 1}')
    answer = await client(transport, service).send(RestRequest(method="GET", path="x"))

    with pytest.raises(RestError, match="is not the JSON that was expected"):
        answer.json(Zone)


async def test_cookies_are_not_kept(transport: Transport, service: Service) -> None:
    service.answer = answering(Set_Cookie="session=1")

    for _ in range(2):
        await client(transport, service).send(RestRequest(method="GET", path="x"))

    assert "cookie" not in service.seen[1].headers
