"""What the CA says to requests that are not as RFC 8555 section 6 wants them."""

from __future__ import annotations

import json

import aiohttp
import msgspec
import pytest
from tests.unit.acme.rig import BELIEVING, CONTACT, Rig, new_key, running
from tests.unit.acme.rig import wanted as order_for

from certwright.acme.client.transport import Answer
from certwright.acme.protocol import base64url, jws
from certwright.acme.protocol.jws import Jws, Protected
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.server.options import AccountOptions
from certwright.acme.server.server import LARGEST_REQUEST


class Speaker:
    """Sends what the test wants, for one account."""

    def __init__(self, rig: Rig, key: AccountKey, kid: str) -> None:
        self.key = key
        self.kid = kid
        self.base = rig.server.directory_url.removesuffix("/directory")
        self._transport = rig.transport()

    async def nonce(self) -> str:
        answer = await self._transport.head(f"{self.base}/new-nonce", "get_nonce")
        return answer.headers["replay-nonce"]

    async def header(self, path: str, **changes: object) -> Protected:
        header = Protected(self.key.algorithm, self.base + path, await self.nonce(), self.kid)
        return msgspec.structs.replace(header, **changes)

    def signed(self, header: Protected, payload: bytes = b"{}") -> Jws:
        protected = base64url.encode(msgspec.json.encode(header))
        unsigned = Jws(protected, base64url.encode(payload), "")
        return msgspec.structs.replace(unsigned, signature=base64url.encode(self.key.sign(unsigned.signed_bytes)))

    async def send(self, path: str, body: Jws | bytes) -> Answer:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self._transport.post(self.base + path, raw, "test")


@pytest.fixture
async def speaker(rig: Rig) -> Speaker:
    key = new_key()
    account = await rig.client(key).register(CONTACT)
    return Speaker(rig, key, account.url)


def said(answer: Answer) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    assert answer.headers["replay-nonce"]
    assert answer.headers["cache-control"] == "no-store"
    document = json.loads(answer.body)
    assert document["status"] == answer.status
    assert document["detail"]
    return answer.status, document["type"].removeprefix("urn:ietf:params:acme:error:")


ORDER = msgspec.json.encode(order_for("a.test"))


async def test_a_right_request_is_answered_with_a_nonce_and_the_index(speaker: Speaker) -> None:
    answer = await speaker.send("/new-order", speaker.signed(await speaker.header("/new-order"), ORDER))

    assert answer.status == 201
    assert answer.headers["location"].startswith(f"{speaker.base}/order/")
    assert answer.headers["replay-nonce"]
    assert answer.links == (f'<{speaker.base}/directory>;rel="index"',)


async def test_a_nonce_counts_once(speaker: Speaker) -> None:
    body = speaker.signed(await speaker.header("/new-order"), ORDER)
    await speaker.send("/new-order", body)

    assert said(await speaker.send("/new-order", body)) == (400, "badNonce")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"nonce": ""}, (400, "badNonce")),
        ({"nonce": "made-up"}, (400, "badNonce")),
        ({"url": "https://other.test/new-order"}, (401, "unauthorized")),
        ({"alg": "none"}, (400, "badSignatureAlgorithm")),
        ({"alg": "HS256"}, (400, "badSignatureAlgorithm")),
        ({"alg": "RS256"}, (400, "malformed")),
        ({"kid": ""}, (400, "malformed")),
        ({"kid": "https://ca.test/account/nobody"}, (400, "accountDoesNotExist")),
        ({"kid": "https://ca.test/elsewhere"}, (400, "accountDoesNotExist")),
    ],
)
async def test_a_header_that_is_not_right_is_refused(
    speaker: Speaker, changes: dict[str, object], wanted: tuple[int, str]
) -> None:
    body = speaker.signed(await speaker.header("/new-order", **changes), ORDER)

    assert said(await speaker.send("/new-order", body)) == wanted


async def test_the_algorithms_that_are_taken_are_listed(speaker: Speaker) -> None:
    body = speaker.signed(await speaker.header("/new-order", alg="HS256"), ORDER)

    answer = await speaker.send("/new-order", body)

    assert json.loads(answer.body)["algorithms"] == ["RS256", "ES256", "ES384", "ES512", "EdDSA"]


async def test_a_header_with_key_and_account_is_refused(speaker: Speaker) -> None:
    body = speaker.signed(await speaker.header("/new-order", jwk=speaker.key.jwk), ORDER)

    assert said(await speaker.send("/new-order", body)) == (400, "malformed")


async def test_each_resource_wants_its_kind_of_signer(speaker: Speaker) -> None:
    with_key = speaker.signed(await speaker.header("/new-order", kid="", jwk=speaker.key.jwk), ORDER)
    by_account = speaker.signed(await speaker.header("/new-account"))

    assert said(await speaker.send("/new-order", with_key)) == (400, "malformed")
    assert said(await speaker.send("/new-account", by_account)) == (400, "malformed")


async def test_a_foreign_signature_is_refused(speaker: Speaker) -> None:
    body = speaker.signed(await speaker.header("/new-order"), ORDER)
    other = msgspec.structs.replace(body, payload=base64url.encode(b'{"identifiers": []}'))
    unreadable = msgspec.structs.replace(body, signature="!")

    assert said(await speaker.send("/new-order", other)) == (400, "malformed")
    assert said(await speaker.send("/new-order", unreadable)) == (400, "malformed")


@pytest.mark.parametrize(
    "jwk", [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "EC", "crv": "P-256"}]
)
async def test_an_unusable_key_is_refused(speaker: Speaker, jwk: dict[str, str]) -> None:
    body = speaker.signed(await speaker.header("/new-account", kid="", jwk=jwk))

    assert said(await speaker.send("/new-account", body)) == (400, "badPublicKey")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b"[" * 50_000, b'{"protected": "", "payload": ""}'])
async def test_a_body_that_is_no_jws_is_refused(speaker: Speaker, body: bytes) -> None:
    assert said(await speaker.send("/new-order", body)) == (400, "malformed")


async def test_a_body_that_is_too_large_is_refused(speaker: Speaker) -> None:
    assert said(await speaker.send("/new-order", b"x" * (LARGEST_REQUEST + 1))) == (413, "malformed")


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b'{"identifiers": "a"}', b'{"identifiers": [{"type": "dns"}]}', b"\xff", b"[" * 50_000],
)
async def test_a_payload_that_is_no_order_is_refused(speaker: Speaker, payload: bytes) -> None:
    body = speaker.signed(await speaker.header("/new-order"), payload)

    assert said(await speaker.send("/new-order", body)) == (400, "malformed")


@pytest.mark.parametrize(
    "path",
    ["/order/x", "/finalize/x", "/authorization/x", "/challenge/x/0", "/certificate/x", "/certificate/x/1"],
)
async def test_what_does_not_exist_is_not_found(speaker: Speaker, path: str) -> None:
    body = speaker.signed(await speaker.header(path), b"")

    assert said(await speaker.send(path, body)) == (404, "malformed")


async def test_another_path_and_another_method_are_refused_in_words(speaker: Speaker, rig: Rig) -> None:
    assert said(await speaker.send("/nowhere", b"{}")) == (404, "malformed")
    got = await rig.transport().get(f"{speaker.base}/new-order", "test")
    assert (got.status, json.loads(got.body)["type"]) == (405, "urn:ietf:params:acme:error:malformed")


async def test_another_content_type_is_refused(speaker: Speaker, rig: Rig) -> None:
    async with aiohttp.ClientSession() as session:
        body = msgspec.json.encode(speaker.signed(await speaker.header("/new-order"), ORDER))
        url = f"{speaker.base}/new-order"
        async with session.post(url, data=body, headers={"Content-Type": "application/json"}, ssl=False) as answer:
            status = answer.status

    assert status == 415


async def test_nonces_are_had_by_head_and_by_get(speaker: Speaker, rig: Rig) -> None:
    transport = rig.transport()

    head = await transport.head(f"{speaker.base}/new-nonce", "x")
    got = await transport.get(f"{speaker.base}/new-nonce", "x")

    assert (head.status, got.status) == (200, 204)
    assert head.headers["replay-nonce"] != got.headers["replay-nonce"]
    assert got.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("change", ["url", "nonce", "account", "oldKey", "signature", "kid"])
async def test_a_key_change_that_does_not_fit_is_refused(speaker: Speaker, change: str) -> None:
    new, path = new_key(), "/key-change"
    header = Protected(new.algorithm, f"{speaker.base}{path}", jwk=new.jwk)
    content: dict[str, object] = {"account": speaker.kid, "oldKey": speaker.key.jwk}
    match change:
        case "url":
            header = msgspec.structs.replace(header, url=f"{speaker.base}/elsewhere")
        case "nonce":
            header = msgspec.structs.replace(header, nonce=await speaker.nonce())
        case "kid":
            header = msgspec.structs.replace(header, kid=speaker.kid)
        case "account":
            content["account"] = f"{speaker.base}/account/other"
        case "oldKey":
            content["oldKey"] = new.jwk
    signer = new_key() if change == "signature" else new
    inner = Speaker.signed(_signing(speaker, signer), header, msgspec.json.encode(content))

    outer = speaker.signed(await speaker.header(path), msgspec.json.encode(inner))

    status, kind = said(await speaker.send(path, outer))
    assert status in {400, 401}
    assert kind in {"malformed", "unauthorized"}


def _signing(speaker: Speaker, key: AccountKey) -> Speaker:
    other = object.__new__(Speaker)
    other.key, other.kid, other.base = key, speaker.kid, speaker.base
    return other


async def test_the_mac_of_an_external_account_is_for_this_key_alone(speaker: Speaker) -> None:
    binding = jws.sign_external_account(
        jws.external_account("kid-1", "AAAA"), speaker.key.jwk, f"{speaker.base}/new-account"
    )
    key = new_key()
    header = Protected(key.algorithm, f"{speaker.base}/new-account", await speaker.nonce(), jwk=key.jwk)
    payload = msgspec.json.encode({"externalAccountBinding": binding})

    answer = await speaker.send("/new-account", Speaker.signed(_signing(speaker, key), header, payload))

    assert said(answer) == (403, "unauthorized")


async def test_terms_must_be_agreed_to_where_there_are_some() -> None:
    strict = msgspec.structs.replace(BELIEVING, accounts=AccountOptions(terms_of_service="https://ca.test/terms"))
    async with running(strict) as rig:
        speaker = Speaker(rig, new_key(), "")
        header = await speaker.header("/new-account", jwk=speaker.key.jwk)

        answer = await speaker.send("/new-account", speaker.signed(header, b'{"termsOfServiceAgreed": false}'))

    assert said(answer) == (403, "userActionRequired")
    assert '<https://ca.test/terms>;rel="terms-of-service"' in answer.links
