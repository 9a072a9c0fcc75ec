from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from tests.clock import settle
from tests.unit.acme.rig import (
    Rig,
    believing,
    csr,
    csr_for,
    ec_key,
    ordering,
    refusal,
    running,
    wanted,
)

from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import Authorization, Status
from certwright.acme.server.options import Rate, ValidationOptions
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.certificate import parse_certificate
from certwright.pki.csr import RequestContent

NAME = "a.test"
PUBLIC = "acme-staging-v02.api.letsencrypt.org"


async def test_an_open_order_is_given_again_and_a_finished_one_is_not(rig: Rig) -> None:
    client = await rig.registered()
    first = await client.new_order(wanted("b.test", NAME))
    same = await client.new_order(wanted("A.test", "b.test"))
    other_profile = await client.new_order(wanted("b.test", NAME, profile="shortlived"))
    other_account = await (await rig.registered()).new_order(wanted("b.test", NAME))
    done, _ = await rig.issued(client, wanted("b.test", NAME))
    next_one = await client.new_order(wanted("b.test", NAME))

    assert first.url == same.url == done.url
    assert len({first.url, other_profile.url, other_account.url, next_one.url}) == 4


async def test_an_order_expires(rig: Rig) -> None:
    client = await rig.registered()
    order = await client.new_order(wanted(NAME))

    rig.clock.advance(timedelta(days=7))

    assert (await client.get_order(order.url)).status == Status.INVALID
    assert (await client.new_order(wanted(NAME))).url != order.url


async def test_what_is_long_over_is_forgotten(rig: Rig) -> None:
    client = await rig.registered()
    order = await client.new_order(wanted(NAME))
    issued, _ = await rig.issued(client, wanted("b.test"))

    rig.clock.advance(timedelta(days=38))
    await client.new_order(wanted("c.test"))
    early = (await client.get_order(issued.url)).status
    rig.clock.advance(timedelta(days=60))
    await client.new_order(wanted("d.test"))

    assert (await refusal(client.get_order(order.url))).status == 404
    assert early == Status.VALID
    assert (await refusal(client.get_order(issued.url))).status == 404


async def test_dates_can_be_asked_for(rig: Rig) -> None:
    client, start = await rig.registered(), rig.clock.now()
    _, chain = await rig.issued(
        client, wanted(NAME, not_before=start + timedelta(days=1), not_after=start + timedelta(days=11))
    )

    leaf = parse_certificate(chain)

    assert (leaf.not_before, leaf.not_after) == (start + timedelta(days=1), start + timedelta(days=11))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, timedelta(days=91)),
        (None, timedelta(days=-1)),
        (timedelta(days=5), timedelta(days=4)),
        (timedelta(days=-90), None),
    ],
)
async def test_dates_that_the_ca_does_not_give_are_refused(
    rig: Rig, before: timedelta | None, after: timedelta | None
) -> None:
    client, now = await rig.registered(), rig.clock.now()
    dates = {"not_before": now + before if before else None, "not_after": now + after if after else None}

    found = await refusal(client.new_order(wanted(NAME, **dates)))

    assert (found.kind, found.is_terminal) == ("malformed", True)


async def test_new_orders_are_limited_by_account() -> None:
    async with running(ordering(new_orders=Rate(2, timedelta(hours=3)))) as rig:
        client = await rig.registered()
        await client.new_order(wanted(NAME))
        await client.new_order(wanted("b.test"))
        await client.new_order(wanted("b.test"))
        found = await refusal(client.new_order(wanted("c.test")))
        await (await rig.registered()).new_order(wanted("c.test"))
        rig.clock.advance(timedelta(hours=3))
        await client.new_order(wanted("c.test"))

    assert found.is_rate_limited
    assert found.retry_after == timedelta(hours=3)


async def test_certificates_of_the_same_names_are_limited() -> None:
    async with running(ordering(duplicates=Rate(1, timedelta(days=7)))) as rig:
        client = await rig.registered()
        await rig.issued(client, wanted(NAME, "b.test"))
        found = await refusal(client.new_order(wanted("b.test", NAME)))
        await client.new_order(wanted(NAME))

    assert found.is_rate_limited
    assert "a.test, b.test" in str(found)


async def test_an_authorization_that_is_reused_expires_too() -> None:
    async with running(ordering(reuses_authorizations=True, authorization_lifetime=timedelta(days=20))) as rig:
        client = await rig.registered()
        await rig.issued(client, wanted(NAME))
        rig.clock.advance(timedelta(days=10))
        reused = await client.new_order(wanted(NAME, profile="shortlived"))
        rig.clock.advance(timedelta(days=5))
        fresh = await client.new_order(wanted(NAME))
        other = await (await rig.registered()).new_order(wanted(NAME))

    assert (reused.status, fresh.status, other.status) == (Status.READY, Status.PENDING, Status.PENDING)


async def test_a_deactivated_authorization_ends_its_order(rig: Rig) -> None:
    client = await rig.registered()
    order = await rig.ready(client, wanted(NAME))

    answer = await client._post(order.authorizations[0], b'{"status": "deactivated"}', "x")

    assert msgspec.json.decode(answer.body)["status"] == Status.DEACTIVATED
    assert (await client.get_order(order.url)).status == Status.INVALID
    assert (await refusal(client._post(order.authorizations[0], b'{"status": "valid"}', "x"))).kind == "malformed"


async def test_a_challenge_is_checked_once(rig: Rig) -> None:
    client = await rig.registered()
    order = await client.new_order(wanted(NAME))
    authorization: Authorization = await client.get_authorization(order.authorizations[0])
    first, second = authorization.challenges
    await client.accept_challenge(first.url)
    await settle()

    other = await client.accept_challenge(second.url)
    same = await client.accept_challenge(first.url)

    assert (same.status, other.status) == (Status.VALID, Status.PENDING)
    assert len((await client.get_authorization(authorization.url)).challenges) == 1


@pytest.mark.parametrize(
    "content",
    [
        RequestContent(names=AlternativeNames(dns_names=("b.test",))),
        RequestContent(names=AlternativeNames(dns_names=(NAME, "b.test"))),
        RequestContent(names=AlternativeNames(dns_names=(NAME,), email_addresses=("a@a.test",))),
        RequestContent(names=AlternativeNames(dns_names=(NAME,), ip_addresses=("192.0.2.1",))),
        RequestContent(),
    ],
)
async def test_a_request_for_anything_else_is_refused(rig: Rig, content: RequestContent) -> None:
    client = await rig.registered()
    order = await rig.ready(client, wanted(NAME))

    found = await refusal(client.finalize(order, csr(ec_key(), content)))

    assert (found.kind, found.is_terminal) == ("badCSR", True)
    assert (await client.get_order(order.url)).status == Status.READY


@pytest.mark.parametrize("damage", [0, 10, -1])
async def test_a_request_that_is_damaged_is_refused(rig: Rig, damage: int) -> None:
    client = await rig.registered()
    order = await rig.ready(client, wanted(NAME))
    request = bytearray(csr_for(NAME))
    request[damage] ^= 0x55

    assert (await refusal(client.finalize(order, bytes(request)))).kind == "badCSR"


async def test_the_account_key_is_no_key_for_a_certificate(rig: Rig) -> None:
    key = ec_key()
    client = await rig.registered(AccountKey(key))
    order = await rig.ready(client, wanted(NAME))

    found = await refusal(client.finalize(order, csr(key, RequestContent(names=AlternativeNames(dns_names=(NAME,))))))

    assert found.kind == "badCSR"


async def test_no_way_to_prove_is_said_at_once() -> None:
    only_http = ValidationOptions(challenge_types=("http-01",), is_skipped=True)
    async with running(believing(validation=only_http)) as rig:
        found = await refusal((await rig.registered()).new_order(wanted("*.a.test")))

    assert "no way to check" in str(found)
