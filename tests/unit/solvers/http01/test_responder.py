"""The shared responder: which requests get a key authorization, and which do not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.unit.solvers.http01.samples import KEY, TOKEN

from certwright.errors import Retry
from certwright.solvers.http01 import responder as room
from certwright.solvers.http01.challenge import WELL_KNOWN
from certwright.solvers.http01.responder import Answer, Responder, ResponderOptions, host_of

HOST = "www.example.com"
ANSWER = Answer(HOST, TOKEN, KEY)
PATH = WELL_KNOWN + TOKEN


@pytest.fixture
async def responder() -> AsyncIterator[Responder]:
    found = Responder(ResponderOptions(host="127.0.0.1", port=0))
    await found.start()
    yield found
    await found.stop()


async def _get(responder: Responder, path: str, host: str = HOST) -> tuple[int, str, aiohttp.ClientResponse]:
    url = f"http://127.0.0.1:{responder.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Host": host}) as answer:
        return answer.status, await answer.text(), answer


async def test_gives_the_key_authorization_as_plain_text_that_is_not_kept(responder: Responder) -> None:
    responder.serve(ANSWER)

    status, body, answer = await _get(responder, PATH)

    assert (status, body) == (200, KEY)
    assert answer.content_type == "text/plain"
    assert "no-cache" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("host", ["www.example.com:80", "WWW.Example.COM", "www.example.com.", "www.example.com:8089"])
async def test_port_case_and_final_dot_of_the_host_do_not_matter(responder: Responder, host: str) -> None:
    responder.serve(ANSWER)

    assert (await _get(responder, PATH, host))[0] == 200


@pytest.mark.parametrize(
    ("identifier", "host"),
    [
        ("192.0.2.1", "192.0.2.1:80"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("2001:db8::1", "[2001:DB8:0::1]:8089"),
        ("2001:db8:0::1", "[2001:db8::1]:80"),
    ],
)
async def test_answers_for_ip_addresses(responder: Responder, identifier: str, host: str) -> None:
    responder.serve(Answer(identifier, TOKEN, KEY))

    assert (await _get(responder, PATH, host))[:2] == (200, KEY)


@pytest.mark.parametrize(
    ("path", "host"),
    [
        (PATH, "example.com"),
        (PATH, "a.www.example.com"),
        (PATH, ""),
        (f"{PATH}x", HOST),
        (f"{PATH}/", HOST),
        (f"{PATH}/more", HOST),
        (WELL_KNOWN, HOST),
        (f"/{TOKEN}", HOST),
        (f"/x{PATH}", HOST),
        ("/metrics", HOST),
    ],
)
async def test_everything_else_is_not_found_and_shows_no_key(responder: Responder, path: str, host: str) -> None:
    responder.serve(ANSWER)

    status, body, _ = await _get(responder, path, host)

    assert status == 404
    assert KEY not in body


@pytest.mark.parametrize("path", ["/", "/healthz"])
@pytest.mark.parametrize("host", [HOST, "10.0.0.1:8089"])
async def test_is_alive_for_any_host(responder: Responder, path: str, host: str) -> None:
    assert (await _get(responder, path, host))[0] == 200


async def test_a_withdrawn_answer_is_gone_and_others_stay(responder: Responder) -> None:
    other = Answer("other.example.com", TOKEN, KEY)
    responder.serve(ANSWER)
    responder.serve(ANSWER)
    responder.serve(other)

    responder.withdraw(ANSWER)
    responder.withdraw(ANSWER)

    assert (await _get(responder, PATH))[0] == 404
    assert (await _get(responder, PATH, other.host))[0] == 200
    assert len(responder) == 1


async def test_answers_outlive_a_restart_of_the_listener(responder: Responder) -> None:
    responder.serve(ANSWER)

    await responder.stop()
    await responder.start()

    assert (await _get(responder, PATH))[0] == 200


async def test_a_full_responder_says_so(responder: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_ANSWERS", 1)
    responder.serve(ANSWER)

    with pytest.raises(Retry, match="gives 1 answers already"):
        responder.serve(Answer("other.example.com", TOKEN, KEY))
    responder.serve(ANSWER)


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("a", "a"),
        ("a:80", "a"),
        ("[::1]:80", "::1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("", ""),
        ("[", ""),
        (" a ", "a"),
    ],
)
def test_the_host_of_a_header(header: str, host: str) -> None:
    assert host_of(header) == host
