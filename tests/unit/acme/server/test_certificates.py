from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from tests.unit.acme.rig import (
    Rig,
    believing,
    refusal,
    running,
    wanted,
)

from certwright.acme.protocol.messages import Window
from certwright.acme.protocol.renewal_info import certificate_id
from certwright.pki import pem

NAME = "a.test"
PUBLIC = "acme-staging-v02.api.letsencrypt.org"


async def test_the_renewal_window_lies_at_two_thirds_and_the_operator_may_move_it(rig: Rig) -> None:
    client = await rig.registered()
    _, chain = await rig.issued(client, wanted(NAME))
    name = certificate_id(x509.load_pem_x509_certificate(chain)) or ""
    start = rig.clock.now()

    usual = await client.get_renewal_info(name)
    rig.server.advise_renewal(name, Window(start, start + timedelta(hours=1)))
    moved = await client.get_renewal_info(name)
    rig.server.advise_renewal(name, None)
    back = await client.get_renewal_info(name)

    assert usual is not None
    assert usual.suggested_window == Window(start + timedelta(days=59), start + timedelta(days=61))
    assert usual.retry_after == timedelta(hours=6)
    assert moved is not None
    assert moved.suggested_window == Window(start, start + timedelta(hours=1))
    assert back == usual
    with pytest.raises(KeyError):
        rig.server.advise_renewal("unknown", None)
    assert (await refusal(client.get_renewal_info("unknown.name"))).status == 404


async def test_a_revoked_certificate_should_be_renewed_at_once(rig: Rig) -> None:
    client = await rig.registered()
    _, chain = await rig.issued(client, wanted(NAME))
    leaf = x509.load_pem_x509_certificate(chain)
    await client.revoke(leaf)

    found = await client.get_renewal_info(certificate_id(leaf) or "")

    assert found is not None
    assert found.suggested_window.end < rig.clock.now()


async def test_who_controls_all_names_may_revoke(rig: Rig) -> None:
    owner, other = await rig.registered(), await rig.registered()
    _, chain = await rig.issued(owner, wanted(NAME, "b.test"))
    leaf = x509.load_pem_x509_certificate(chain)
    await rig.ready(other, wanted(NAME))
    too_early = await refusal(other.revoke(leaf))
    await rig.ready(other, wanted("b.test"))

    await other.revoke(leaf)

    assert (too_early.status, too_early.kind) == (403, "unauthorized")


@pytest.mark.parametrize("reason", [7, 11, -1])
async def test_reasons_that_a_subscriber_may_not_give_are_refused(rig: Rig, reason: int) -> None:
    client = await rig.registered()
    _, chain = await rig.issued(client, wanted(NAME))

    found = await refusal(client.revoke(x509.load_pem_x509_certificate(chain), reason=reason))

    assert found.kind == "badRevocationReason"


async def test_a_foreign_certificate_is_not_revoked(rig: Rig) -> None:
    async with running() as other:
        _, chain = await other.issued(await other.registered(), wanted(NAME))

    found = await refusal((await rig.registered()).revoke(x509.load_pem_x509_certificate(chain)))

    assert found.status == 404


async def test_a_certificate_is_its_accounts(rig: Rig) -> None:
    order, _ = await rig.issued(await rig.registered(), wanted(NAME))

    found = await refusal((await rig.registered()).fetch_certificate(order.certificate))

    assert (found.status, found.kind) == (403, "unauthorized")


@pytest.mark.parametrize("way", ["unknown", "foreign", "other names"])
async def test_only_an_own_certificate_of_a_common_name_is_replaced(rig: Rig, way: str) -> None:
    owner, other = await rig.registered(), await rig.registered()
    _, chain = await rig.issued(owner, wanted(NAME))
    name = certificate_id(x509.load_pem_x509_certificate(chain)) or ""
    asker = other if way == "foreign" else owner
    wish = wanted("b.test" if way == "other names" else NAME, replaces="x.y" if way == "unknown" else name)

    # The client asks once more without what was refused; what the CA accepts it repeats in the order.
    assert (await asker.new_order(wish)).replaces == ""


async def test_every_alternate_links_the_others() -> None:
    async with running(believing(alternate_roots=2)) as rig:
        client = await rig.registered()
        order, _ = await rig.issued(client, wanted(NAME))
        first = await client.fetch_certificate(order.certificate)
        second = await client.fetch_certificate(first.alternates[0])
        missing = await refusal(client.fetch_certificate(f"{order.certificate}/3"))

    assert len(first.alternates) == len(second.alternates) == 2
    assert order.certificate in second.alternates
    assert pem.split_certificates(first.chain_pem, "it")[0] == pem.split_certificates(second.chain_pem, "it")[0]
    assert missing.status == 404
