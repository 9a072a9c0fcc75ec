"""What the client sends, and what it makes of answers."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from tests.clock import MovableClock, settle
from tests.unit.kube.client.api import OBJECT, Answer, client_of, hang_up, json_answer, serving, status, streamed

from certwright.api.core import ConfigMap, SubjectAccessReview, SubjectAccessReviewSpec
from certwright.api.core_kinds import CONFIG_MAP, NAMESPACE
from certwright.api.meta import MalformedObject, ObjectMeta
from certwright.clock import SystemClock
from certwright.kube.client import client as client_module
from certwright.kube.client.client import ClientOptions, KubeClient
from certwright.kube.client.connection import Connection, Impersonation
from certwright.kube.client.credentials import BearerToken, Password, TokenFile
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.client.listing import Selection
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Conflict, NotFound, TooManyRequests, Unauthorized, Unavailable
from certwright.rest import SecretText

KEY = ObjectKey("n", "a")


async def test_a_read_says_who_asks_and_for_json() -> None:
    async with serving(json_answer(OBJECT)) as api, client_of(api) as client:
        found = await client.get(CONFIG_MAP, KEY)

    assert found.data == {"x": "y"}
    assert api.last.path == "/api/v1/namespaces/n/configmaps/a"
    assert api.last.headers["User-Agent"] == "test/1"
    assert api.last.headers["Accept"] == "application/json"


async def test_writes_have_their_media_types_and_field_managers() -> None:
    async with serving(json_answer(OBJECT)) as api, client_of(api) as client:
        await client.create(CONFIG_MAP, ConfigMap(metadata=ObjectMeta(generate_name="a-")), "n", "me")
        await client.merge_patch(CONFIG_MAP, KEY, {"data": {"x": None}}, subresource="status", manager="me")
        await client.json_patch(CONFIG_MAP, KEY, [{"op": "remove", "path": "/data"}])
        await client.apply(CONFIG_MAP, KEY, {"data": {}}, manager="me and you")
        await client.apply(CONFIG_MAP, KEY, {"data": {}}, manager="me", force=False)
        await client.update(CONFIG_MAP, KEY, {"data": {}})
        await client.delete(CONFIG_MAP, KEY, uid="u", resource_version="7")

    asked = [(each.method, each.path_qs, each.headers["Content-Type"]) for each in api.requests]
    one = "/api/v1/namespaces/n/configmaps/a"
    assert asked == [
        ("POST", "/api/v1/namespaces/n/configmaps?fieldManager=me", "application/json"),
        ("PATCH", f"{one}/status?fieldManager=me", "application/merge-patch+json"),
        ("PATCH", one, "application/json-patch+json"),
        ("PATCH", f"{one}?fieldManager=me+and+you&force=true", "application/apply-patch+yaml"),
        ("PATCH", f"{one}?fieldManager=me", "application/apply-patch+yaml"),
        ("PUT", one, "application/json"),
        ("DELETE", one, "application/json"),
    ]
    assert json.loads(api.bodies[0]) == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "a-"}}
    assert json.loads(api.bodies[1]) == {"data": {"x": None}}
    assert json.loads(api.bodies[6]) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
    }


async def test_a_key_without_a_name_never_becomes_a_delete_of_everything() -> None:
    async with serving(json_answer("{}")) as api, client_of(api) as client:
        for key in (ObjectKey("n", ""), ObjectKey("", "a")):
            with pytest.raises(ValueError, match="does not name one object"):
                await client.delete(CONFIG_MAP, key)
        await client.delete(NAMESPACE, ObjectKey("", "n"))

    assert [each.path for each in api.requests] == ["/api/v1/namespaces/n"]


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [(404, "NotFound", NotFound), (409, "Conflict", Conflict), (503, "ServiceUnavailable", Unavailable)],
)
async def test_a_refusal_is_its_own_exception_and_is_not_repeated(
    code: int, reason: str, error: type[Exception]
) -> None:
    async with serving(json_answer(status(code, reason, "the words"), code)) as api, client_of(api) as client:
        with pytest.raises(error, match="the words"):
            await client.get(CONFIG_MAP, KEY)

    assert len(api.requests) == 1


async def test_a_busy_server_is_asked_again_when_it_says() -> None:
    clock = MovableClock()
    busy = json_answer(status(429, "TooManyRequests"), 429, Retry_After="5")
    async with serving(busy, json_answer(OBJECT)) as api, client_of(api, clock) as client:
        asking = asyncio.ensure_future(client.merge_patch(CONFIG_MAP, KEY, {}))
        await _waits(clock)
        await clock.run_for(timedelta(seconds=4))
        assert len(api.requests) == 1
        await clock.run_for(timedelta(seconds=2))
        await asking

    assert len(api.requests) == 2


async def test_a_server_that_stays_busy_is_not_asked_for_ever() -> None:
    busy = json_answer(status(429, "TooManyRequests"), 429, Retry_After="0")
    async with serving(busy) as api, client_of(api) as client:
        with pytest.raises(TooManyRequests):
            await client.get(CONFIG_MAP, KEY)

    assert len(api.requests) == 4


async def test_a_lost_read_is_repeated_and_a_lost_write_is_not() -> None:
    clock = MovableClock()
    async with serving(hang_up, hang_up, json_answer(OBJECT)) as api, client_of(api, clock) as client:
        asking = asyncio.ensure_future(client.get(CONFIG_MAP, KEY))
        while not asking.done():
            await _waits(clock, asking)
            await clock.run_for(timedelta(seconds=2))
        assert (await asking).data == {"x": "y"}

    async with serving(hang_up) as api, client_of(api) as client:
        with pytest.raises(Unreachable, match="PATCH /api/v1/namespaces/n/configmaps/a got no answer"):
            await client.merge_patch(CONFIG_MAP, KEY, {})
        assert len(api.requests) == 1


async def _waits(clock: MovableClock, task: asyncio.Future[ConfigMap] | None = None) -> None:
    """Until something waits for the clock."""
    for _ in range(1000):
        if clock.pending or (task is not None and task.done()):
            return
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        await settle(5)
    raise AssertionError("nothing waits for the clock")


async def test_no_answer_in_time() -> None:
    forever = asyncio.Event()
    options = ClientOptions(timeout=timedelta(milliseconds=50))
    async with serving(streamed(then=forever)) as api, client_of(api, options=options) as client:
        with pytest.raises(Unreachable, match="not answered in time"):
            await client.merge_patch(CONFIG_MAP, KEY, {})
        forever.set()


@pytest.mark.parametrize("limit", [10, 100_000])
async def test_an_answer_larger_than_the_bound_is_not_read(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MOST_LIST_BYTES", limit)
    packed = json_answer(gzip.compress(b" " * 10**6), Content_Encoding="gzip")
    async with serving(packed) as api, client_of(api, MovableClock()) as client:
        with pytest.raises(Unreachable, match=f"more than {limit} bytes"):
            await client.get_raw("/version")

    assert len(api.requests) == 1


async def test_an_answer_that_is_no_object_of_the_kind() -> None:
    async with serving(json_answer('{"metadata":{"name":7}}')) as api, client_of(api) as client:
        with pytest.raises(MalformedObject, match=r"metadata\.name"):
            await client.get(CONFIG_MAP, KEY)


async def test_a_redirect_is_not_followed_with_our_credentials() -> None:
    elsewhere = json_answer("{}", 302, Location="http://127.0.0.1:1/")
    token = BearerToken(SecretText("s3cret"))
    async with serving(elsewhere) as api, client_of(api, identification=token) as client:
        with pytest.raises(Exception, match="302"):
            await client.get(CONFIG_MAP, KEY)


async def test_warnings_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    warned = json_answer(OBJECT, Warning='299 - "v1 is \\"old\\""')
    async with serving(warned) as api, client_of(api) as client:
        await client.get(CONFIG_MAP, KEY)
        await client.get(CONFIG_MAP, KEY)

    assert [vars(each)["warning"] for each in caplog.records] == ['v1 is "old"']


async def test_pages_are_followed_and_one_odd_object_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    first = (
        '{"metadata":{"resourceVersion":"9","continue":"t o"},"items":['
        + OBJECT
        + ',{"metadata":{"name":"o"},"data":1}]}'
    )
    second = '{"metadata":{"resourceVersion":"9"},"items":null}'
    async with serving(json_answer(first), json_answer(second)) as api, client_of(api) as client:
        listing = await client.list(CONFIG_MAP, Selection(namespace="n", labels="a=b", fields="x!=y"))

    assert [each.metadata.name for each in listing.items] == ["a"]
    assert listing.resource_version == "9"
    assert [each.key for each in listing.malformed] == [ObjectKey("", "o")]
    assert "cannot be read" in caplog.text
    assert api.requests[0].query == {"labelSelector": "a=b", "fieldSelector": "x!=y", "limit": "500"}
    assert api.requests[1].query["continue"] == "t o"


async def test_a_list_whose_pages_expired_is_begun_again() -> None:
    page = json_answer('{"metadata":{"resourceVersion":"9","continue":"t"},"items":[' + OBJECT + "]}")
    whole = json_answer('{"metadata":{"resourceVersion":"12"},"items":[' + OBJECT + "]}")
    expired = json_answer(status(410, "Expired"), 410)
    async with serving(page, expired, whole) as api, client_of(api) as client:
        listing = await client.list(CONFIG_MAP)

    assert (listing.resource_version, len(listing.items)) == ("12", 1)


async def test_a_review_is_posted() -> None:
    answer = '{"spec":{},"status":{"allowed":true}}'
    async with serving(json_answer(answer)) as api, client_of(api) as client:
        review = SubjectAccessReview(spec=SubjectAccessReviewSpec(user="u"))
        found = await client.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review, SubjectAccessReview)

    assert found.status is not None
    assert found.status.allowed
    assert json.loads(api.bodies[0])["spec"] == {"user": "u"}


async def test_who_we_are_and_as_whom_we_act() -> None:
    who = Impersonation(user="jane", uid="7", groups=("a", "b"), extra={"scopes": ("x",)})
    password = Password("u", SecretText("p:w"))
    async with (
        serving(json_answer(OBJECT)) as api,
        client_of(api, identification=password, impersonation=who) as client,
    ):
        await client.get(CONFIG_MAP, KEY)

    headers = api.last.headers
    assert headers["Authorization"] == "Basic dTpwOnc="
    assert headers["Impersonate-User"] == "jane"
    assert headers["Impersonate-Uid"] == "7"
    assert headers.getall("Impersonate-Group") == ["a", "b"]
    assert headers["Impersonate-Extra-scopes"] == "x"


async def test_a_token_file_is_read_again_each_minute_and_after_a_refusal(tmp_path: Path) -> None:
    clock = MovableClock()
    token = tmp_path / "token"
    token.write_text("one\n")
    refused = json_answer(status(401, "Unauthorized"), 401)
    answers: tuple[Answer, ...] = (json_answer(OBJECT),) * 3 + (refused, json_answer(OBJECT), refused)
    async with serving(*answers) as api, client_of(api, clock, identification=TokenFile(token)) as client:
        await client.get(CONFIG_MAP, KEY)
        token.write_text("two")
        await client.get(CONFIG_MAP, KEY)
        clock.advance(timedelta(minutes=1))
        await client.get(CONFIG_MAP, KEY)
        token.write_text("three")
        await client.get(CONFIG_MAP, KEY)
        with pytest.raises(Unauthorized):
            await client.get(CONFIG_MAP, KEY)
        token.write_text("")
        clock.advance(timedelta(minutes=1))
        with pytest.raises(BadConnection, match="is empty"):
            await client.get(CONFIG_MAP, KEY)

    sent = [each.headers["Authorization"].removeprefix("Bearer ") for each in api.requests]
    assert sent == ["one", "one", "two", "two", "three", "three"]


async def test_a_rate_limit_lets_a_burst_through_and_then_waits() -> None:
    clock = MovableClock()
    options = ClientOptions(qps=2, burst=3)
    async with serving(json_answer(OBJECT)) as api, client_of(api, clock, options) as client:
        for _ in range(3):
            await client.get(CONFIG_MAP, KEY)
        asking = asyncio.ensure_future(client.get(CONFIG_MAP, KEY))
        await settle()
        assert clock.next_timer() == clock.now() + timedelta(milliseconds=500)
        clock.advance(timedelta(milliseconds=500))
        await asking

    assert len(api.requests) == 4


async def test_no_secret_in_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connection = Connection(
        server="http://192.0.2.1:1",
        identification=BearerToken(SecretText("s3cret")),
        proxy="http://u:s3cret@127.0.0.1:1",
    )
    client = KubeClient(connection, SystemClock())
    with pytest.raises(Unreachable) as caught:
        await client.merge_patch(CONFIG_MAP, KEY, {})
    await client.close()

    assert "s3cret" not in f"{caught.value} {caught.value!r} {connection!r} {caplog.text}"


@pytest.mark.parametrize("is_environment", [True, False])
async def test_a_proxy_from_the_kubeconfig_or_the_environment(
    is_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(json_answer(OBJECT)) as api:
        if is_environment:
            monkeypatch.setenv("http_proxy", api.url)
        monkeypatch.setenv("no_proxy", "direct.example")
        connection = Connection(server="http://api.example", proxy="" if is_environment else api.url)
        client = KubeClient(connection, SystemClock())
        await client.get(CONFIG_MAP, KEY)
        await client.close()

    assert api.last.host == "api.example"


async def test_a_proxy_of_another_kind_is_refused() -> None:
    with pytest.raises(BadConnection, match="name an http or https proxy"):
        KubeClient(Connection(server="http://api.example", proxy="socks5://127.0.0.1:1"), SystemClock())
