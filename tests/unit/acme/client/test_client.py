from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from aiohttp import web
from cryptography import x509
from tests.clock import MovableClock
from tests.unit.acme.rig import CONTACT, Rig, csr_for, new_key, running, wanted
from tests.unit.rest.service import Service

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.errors import AcmeProblem, AcmeUnreachable
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.signing import NONCE_RETRIES
from certwright.acme.client.transport import Transport
from certwright.acme.protocol.messages import Status
from certwright.acme.protocol.renewal_info import certificate_id
from certwright.acme.server.mischief import Fault, Mischief
from certwright.pki.certificate import parse_certificate

T = TypeVar("T")

NAME = "a.example.test"
DIRECTORY = {"newNonce": "/nonce", "newAccount": "/new-account", "newOrder": "/new-order"}


async def test_a_refused_nonce_is_tried_again_with_the_one_of_the_refusal(rig: Rig) -> None:
    rig.mischief.next("new-account", *[Fault.BAD_NONCE] * NONCE_RETRIES)

    account = await rig.client().register(CONTACT)

    assert account.status == Status.VALID


async def test_nonces_that_are_always_refused_are_given_up(rig: Rig) -> None:
    rig.mischief.next("new-account", *[Fault.BAD_NONCE] * (NONCE_RETRIES + 1))

    with pytest.raises(AcmeProblem) as caught:
        await rig.client().register(CONTACT)

    assert caught.value.kind == "badNonce"
    assert not caught.value.is_terminal


@pytest.mark.parametrize("fault", [Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER])
async def test_a_dropped_registration_is_unreachable_and_can_be_repeated(rig: Rig, fault: Fault) -> None:
    key = new_key()
    rig.mischief.next("new-account", fault)

    with pytest.raises(AcmeUnreachable, match="new-account"):
        await rig.client(key).register(CONTACT)
    first = await rig.client(key).register(CONTACT)

    assert first.url == (await rig.client(key).find_account()).url


@pytest.mark.parametrize("fault", [Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER])
async def test_a_dropped_order_is_unreachable_and_repeating_makes_no_second_one(rig: Rig, fault: Fault) -> None:
    client = await rig.registered()
    rig.mischief.next("new-order", fault)

    with pytest.raises(AcmeUnreachable, match="new-order"):
        await client.new_order(wanted(NAME))
    order = await client.new_order(wanted(NAME))

    assert await client.list_orders() == (order.url,)


@pytest.mark.parametrize("fault", [Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER])
async def test_a_dropped_finalization_can_be_repeated(rig: Rig, fault: Fault) -> None:
    client = await rig.registered()
    order = await rig.ready(client, wanted(NAME))
    rig.mischief.next("finalize", fault)
    request = csr_for(NAME)

    with pytest.raises(AcmeUnreachable):
        await client.finalize(order, request)
    done = await client.finalize(order, request)

    assert done.status == Status.VALID
    chain = await client.fetch_certificate(done.certificate)
    key_of_request = x509.load_der_x509_csr(request).public_key()
    assert x509.load_pem_x509_certificate(chain.chain_pem).public_key() == key_of_request


@pytest.mark.parametrize("fault", [Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER])
async def test_a_dropped_key_change_can_be_repeated(rig: Rig, fault: Fault) -> None:
    new = new_key()
    client = await rig.registered()
    rig.mischief.next("key-change", fault)

    with pytest.raises(AcmeUnreachable):
        await client.change_key(new)
    await client.change_key(new)

    assert (await rig.client(new).find_account()).url == client.account_url
    await client.new_order(wanted(NAME))


@pytest.mark.parametrize("fault", [Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER])
async def test_a_dropped_revocation_can_be_repeated(rig: Rig, fault: Fault) -> None:
    client = await rig.registered()
    _, chain = await rig.issued(client, wanted(NAME))
    leaf = x509.load_pem_x509_certificate(chain)
    rig.mischief.next("revoke-cert", fault)

    with pytest.raises(AcmeUnreachable):
        await client.revoke(leaf)
    await client.revoke(leaf)


@pytest.mark.parametrize("fault", [Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER])
async def test_a_dropped_acceptance_can_be_repeated(rig: Rig, fault: Fault) -> None:
    client = await rig.registered()
    order = await client.new_order(wanted(NAME))
    authorization = await client.get_authorization(order.authorizations[0])
    rig.mischief.next("challenge", fault)

    with pytest.raises(AcmeUnreachable):
        await client.accept_challenge(authorization.challenges[0].url)
    challenge = await client.accept_challenge(authorization.challenges[0].url)

    assert challenge.status in {Status.PROCESSING, Status.VALID}


async def test_a_rate_limit_says_when_to_come_back(rig: Rig) -> None:
    client = await rig.registered()
    rig.mischief.next("new-order", Fault.RATE_LIMITED)

    with pytest.raises(AcmeProblem) as caught:
        await client.new_order(wanted(NAME))

    problem = caught.value
    assert problem.is_rate_limited
    assert problem.retry_after == rig.mischief.retry_after
    assert not problem.is_terminal
    assert str(problem) == "429 urn:ietf:params:acme:error:rateLimited: too many requests: ask again later"


async def test_a_failing_server_is_a_problem_that_passes(rig: Rig) -> None:
    client = await rig.registered()
    rig.mischief.next("new-order", Fault.SERVER_ERROR)

    with pytest.raises(AcmeProblem) as caught:
        await client.new_order(wanted(NAME))

    assert (caught.value.status, caught.value.is_terminal) == (500, False)


async def test_slow_steps_are_seen_as_they_go_on() -> None:
    slow = Mischief(processing_for=timedelta(minutes=2), pending_for=timedelta(minutes=1))
    async with running(mischief=slow) as rig:
        client = await rig.registered()
        pending = await rig.ready(client, wanted(NAME))
        authorization = await client.get_authorization(pending.authorizations[0])
        rig.clock.advance(timedelta(minutes=1))
        ready = await client.get_order(pending.url)
        processing = await client.finalize(ready, csr_for(NAME))
        rig.clock.advance(timedelta(minutes=2))
        valid = await client.get_order(pending.url)

    assert (pending.status, authorization.status, ready.status) == (Status.PENDING, Status.PENDING, Status.READY)
    assert authorization.retry_after == processing.retry_after == timedelta(seconds=1)
    assert (processing.status, processing.certificate) == (Status.PROCESSING, "")
    assert valid.status == Status.VALID
    assert valid.certificate


async def test_an_update_without_location_keeps_the_url() -> None:
    async with running(mischief=Mischief(omits_account_location=True)) as rig:
        client = await rig.registered()
        before = client.account_url

        account = await client.update_contact(("mailto:b@example.test",))

    assert account.url == client.account_url == before


async def test_a_client_with_the_accounts_url_asks_for_nothing_else(rig: Rig) -> None:
    key = new_key()
    account = await rig.client(key).register(CONTACT)
    rig.mischief.next("new-account", Fault.SERVER_ERROR)

    order = await rig.client(key, account.url).new_order(wanted(NAME))

    assert order.url


async def test_a_certificate_that_was_replaced_is_not_named_again(rig: Rig) -> None:
    client = await rig.registered()
    _, chain = await rig.issued(client, wanted(NAME))
    name = certificate_id(x509.load_pem_x509_certificate(chain)) or ""
    await rig.issued(client, wanted(NAME, replaces=name))

    again = await client.new_order(wanted(NAME, replaces=name))

    assert again.replaces == ""


@pytest.mark.parametrize("name", ["aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "no name"])
async def test_a_certificate_that_the_ca_does_not_know_is_not_named_again(rig: Rig, name: str) -> None:
    client = await rig.registered()

    order = await client.new_order(wanted(NAME, replaces=name))

    assert order.replaces == ""


async def test_a_refusal_that_is_about_something_else_stands(rig: Rig) -> None:
    client = await rig.registered()
    rig.mischief.next("new-order", Fault.RATE_LIMITED)

    with pytest.raises(AcmeProblem, match="rateLimited"):
        await client.new_order(wanted(NAME, replaces="aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"))


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_goes_wrong_repeating_ends_in_one_order_and_a_certificate(seed: int) -> None:
    await issue_in_spite_of(seed)


@pytest.mark.long
async def test_the_same_for_hundreds_of_seeds() -> None:
    for seed in range(12, 400):
        await issue_in_spite_of(seed)


async def issue_in_spite_of(seed: int) -> None:
    shares = {Fault.BAD_NONCE: 0.2, Fault.SERVER_ERROR: 0.1, Fault.RATE_LIMITED: 0.1}
    shares |= {Fault.DROPPED_BEFORE: 0.1, Fault.DROPPED_AFTER: 0.15}
    async with running(mischief=Mischief(seed, shares)) as rig:
        client = rig.client(new_key())
        await insisting(rig, lambda: client.register(CONTACT))
        order = await insisting(rig, lambda: client.new_order(wanted(NAME)))
        ready = await insisting(rig, lambda: rig.ready(client, wanted(NAME)))
        valid = await insisting(rig, lambda: client.finalize(ready, csr_for(NAME)))
        answer = await insisting(rig, lambda: client.fetch_certificate(valid.certificate))
        orders = await insisting(rig, client.list_orders)

    assert parse_certificate(answer.chain_pem).names.dns_names == (NAME,)
    assert orders == (order.url,)


async def insisting(rig: Rig, attempt: Callable[[], Awaitable[T]]) -> T:
    """What a controller does: again after what passes, never after what does not."""
    for _ in range(100):
        try:
            return await attempt()
        except AcmeUnreachable:
            pass
        except AcmeProblem as problem:
            if problem.is_terminal:
                raise
            rig.clock.advance(problem.retry_after or timedelta(seconds=1))
    raise AssertionError("a hundred tries were not enough")


# ---- servers that are not as they should be


def speaking(service: Service, answers: dict[str, web.Response]) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        found = answers[request.path]
        return web.Response(
            status=found.status, body=found.body, headers={**found.headers, "Replay-Nonce": f"n{len(service.seen)}"}
        )

    service.answer = answer


def page(document: object, **headers: str) -> web.Response:
    return web.Response(body=json.dumps(document).encode(), headers=headers)


async def client_of(service: Service, path: str = "/directory") -> tuple[AcmeClient, Transport]:
    transport = Transport(TransportOptions(), MovableClock())
    return AcmeClient(transport, service.url + path, new_key(), MovableClock(), "https://ca.test/account/1"), transport


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"/directory": web.Response(body=b"<html>")}, "is not an ACME directory"),
        ({"/directory": page([])}, "is not an ACME directory"),
        ({"/directory": page({"newNonce": "x"})}, "is not an ACME directory"),
        ({"/directory": page({**DIRECTORY, "newNonce": "nowhere"})}, "must start with https://"),
    ],
)
async def test_a_directory_that_is_none_is_unreachable(answers: dict[str, web.Response], words: str) -> None:
    async with Service() as service:
        speaking(service, answers)
        client, transport = await client_of(service)

        with pytest.raises(AcmeUnreachable, match=words):
            await client.new_order(wanted(NAME))
        await transport.close()


async def test_a_directory_that_is_not_found_is_a_problem_without_the_page(rig: Rig) -> None:
    async with Service() as service:
        speaking(service, {"/directory": web.Response(status=404, body=b"<html>private page</html>")})
        client, transport = await client_of(service)

        with pytest.raises(AcmeProblem, match="404 about:blank: the server gave no problem document") as caught:
            await client.directory()
        await transport.close()

    assert "private" not in str(caught.value)
    assert caught.value.is_terminal


async def test_what_the_ca_does_not_offer_is_said(rig: Rig) -> None:
    async with Service() as service:
        absolute = {name: service.url + path for name, path in DIRECTORY.items()}
        speaking(service, {"/directory": page(absolute), "/nonce": web.Response()})
        client, transport = await client_of(service)

        with pytest.raises(AcmeProblem, match="does not offer keyChange"):
            await client.change_key(new_key())
        assert await client.get_renewal_info("x.y") is None
        await transport.close()


async def test_an_order_without_location_is_unreachable() -> None:
    async with Service() as service:
        absolute = {name: service.url + path for name, path in DIRECTORY.items()}
        order = {"status": "pending", "identifiers": [], "authorizations": [], "finalize": "x"}
        speaking(service, {"/directory": page(absolute), "/nonce": web.Response(), "/new-order": page(order)})
        client, transport = await client_of(service)

        with pytest.raises(AcmeUnreachable, match="lacks the Location header"):
            await client.new_order(wanted(NAME))
        await transport.close()


async def test_a_certificate_that_is_none_is_unreachable() -> None:
    async with Service() as service:
        absolute = {name: service.url + path for name, path in DIRECTORY.items()}
        answers = {"/directory": page(absolute), "/nonce": web.Response(), "/cert": web.Response(body=b"x" * 200_000)}
        speaking(service, answers)
        client, transport = await client_of(service)

        with pytest.raises(AcmeUnreachable, match="more than"):
            await client.fetch_certificate(f"{service.url}/cert")
        await transport.close()


async def test_a_server_without_nonces_is_unreachable() -> None:
    async with Service() as service:
        absolute = {name: service.url + path for name, path in DIRECTORY.items()}

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return page(absolute)

        service.answer = answer
        client, transport = await client_of(service)

        with pytest.raises(AcmeUnreachable, match="no Replay-Nonce"):
            await client.new_order(wanted(NAME))
        await transport.close()


async def test_orders_that_page_for_ever_are_listed_in_part() -> None:
    async with Service() as service:
        absolute = {name: service.url + path for name, path in DIRECTORY.items()}
        account = {"status": "valid", "orders": f"{service.url}/orders"}
        endless = page({"orders": ["https://ca.test/o"]}, Link=f'<{service.url}/orders>;rel="next"')
        answers = {
            "/directory": page(absolute),
            "/nonce": web.Response(),
            "/orders": endless,
            "/account/1": page(account),
        }
        speaking(service, answers)
        transport = Transport(TransportOptions(), MovableClock())
        account_url = f"{service.url}/account/1"
        client = AcmeClient(transport, f"{service.url}/directory", new_key(), MovableClock(), account_url)

        assert 0 < len(await client.list_orders()) < 100
        await transport.close()
