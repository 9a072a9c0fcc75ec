from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from tests.clock import MovableClock, settle
from tests.unit.acme.rig import BELIEVING, CONTACT, Rig, csr, csr_for, ec_key, new_key, running, wanted
from tests.unit.rest.service import Service

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.errors import AcmeProblem
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import Transport
from certwright.acme.protocol.jws import external_account
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import Authorization, Status, Window
from certwright.acme.protocol.renewal_info import certificate_id
from certwright.acme.server.options import AccountOptions, AcmeServerOptions, OrderOptions, Rate, ValidationOptions
from certwright.acme.server.server import AcmeServer
from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.certificate import parse_certificate
from certwright.pki.csr import RequestContent
from certwright.rest import SecretText

NAME = "a.test"
PUBLIC = "acme-staging-v02.api.letsencrypt.org"


def options(**changes: object) -> AcmeServerOptions:
    return msgspec.structs.replace(BELIEVING, **changes)


def ordering(**changes: object) -> AcmeServerOptions:
    return options(orders=msgspec.structs.replace(OrderOptions(), **changes))


async def refusal(attempt: object) -> AcmeProblem:
    with pytest.raises(AcmeProblem) as caught:
        await attempt  # type: ignore[misc] # a coroutine
    return caught.value


# ---- the server


async def test_a_restart_keeps_accounts_orders_and_the_ca(tmp_path: Path) -> None:
    key, kept = new_key(), options(state_file=tmp_path / "state.sqlite", host_names=(PUBLIC,))
    async with running(kept) as first:
        client = await first.registered(key)
        order = await first.ready(client, wanted(NAME))
        before = (client.account_url, first.server.root_pem, first.server.endpoint_root_pem)

    again = msgspec.structs.replace(kept, port=int(before[0].split(":")[2].split("/")[0]))
    async with running(again) as second:
        client = second.client(key)
        account = await client.find_account()
        done = await client.finalize(await client.get_order(order.url), csr_for(NAME))
        chain = (await client.fetch_certificate(done.certificate)).chain_pem
        after = (account.url, second.server.root_pem, second.server.endpoint_root_pem)

    assert before == after
    assert parse_certificate(chain).names.dns_names == (NAME,)


async def test_an_account_is_known_by_its_path_on_another_port(tmp_path: Path) -> None:
    kept = options(state_file=tmp_path / "state.sqlite")
    key = new_key()
    async with running(kept) as first:
        url = (await first.client(key).register(CONTACT)).url

    async with running(kept) as second:
        order = await second.client(key, url).new_order(wanted(NAME))

    assert order.status == Status.PENDING


async def test_a_check_that_a_restart_cut_off_is_made_again(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    async with Service() as site:
        site.answer = site.hang
        hanging = ValidationOptions(http_port=site.port, challenge_types=("http-01",), timeout=timedelta(seconds=30))
        key = new_key()
        async with running(options(state_file=state, validation=hanging)) as first:
            client = await first.registered(key)
            order = await client.new_order(wanted("localhost"))
            authorization = await client.get_authorization(order.authorizations[0])
            begun = await client.accept_challenge(authorization.challenges[0].url)

        async with running(options(state_file=state)) as second:
            await settle()
            path = order.url.split("/", 3)[3]
            base = second.server.directory_url.removesuffix("directory")
            found = await second.client(key).get_order(base + path)

    assert begun.status == Status.PROCESSING
    assert found.status == Status.READY


async def test_urls_follow_the_name_by_which_the_client_knows_the_ca() -> None:
    async with running(options(host_names=(PUBLIC,))) as rig:
        to = {f"{PUBLIC}:443": rig.server.address}
        transport = Transport(TransportOptions(ca_bundle_pem=rig.server.endpoint_root_pem, connect_to=to), rig.clock)
        client = AcmeClient(transport, f"https://{PUBLIC}/directory", new_key(), rig.clock)
        account = await client.register(CONTACT)
        order = await client.new_order(wanted(NAME))
        authorization = await client.get_authorization(order.authorizations[0])
        await transport.close()

    urls = [account.url, order.url, order.finalize, *order.authorizations, authorization.challenges[0].url]
    assert all(url.startswith(f"https://{PUBLIC}/") for url in urls)


async def test_the_directory_says_what_the_ca_is() -> None:
    accounts = AccountOptions(terms_of_service="https://ca.test/terms", external_account_required=True)
    async with running(options(accounts=accounts)) as rig:
        answer = await rig.transport().get(rig.server.directory_url, "x")

    assert json.loads(answer.body)["meta"] == {
        "externalAccountRequired": True,
        "termsOfService": "https://ca.test/terms",
        "profiles": {"default": "The usual certificate", "shortlived": "A certificate for days"},
    }


async def test_two_servers_do_not_share_anything() -> None:
    async with running() as one, running() as other:
        key = new_key()
        await one.registered(key)

        found = await refusal(other.client(key).find_account())

    assert found.is_account_gone
    assert one.server.root_pem != other.server.root_pem


async def test_a_server_that_never_started_can_be_stopped() -> None:
    await AcmeServer(BELIEVING, MovableClock()).stop()


# ---- accounts


async def test_agreeing_to_the_terms_is_remembered(rig: Rig) -> None:
    async with running(options(accounts=AccountOptions(terms_of_service="https://ca.test/terms"))) as strict:
        agreed = await strict.client().register(CONTACT)

    assert agreed.terms_of_service_agreed


async def test_an_external_account_is_checked_also_where_none_is_needed() -> None:
    known = AccountOptions(external_accounts={"kid-1": SecretText("c2VjcmV0")})
    async with running(options(accounts=known)) as rig:
        wrong = await refusal(rig.client().register(CONTACT, external_account("kid-1", "AAAA")))
        right = await rig.client().register(CONTACT, external_account("kid-1", "c2VjcmV0", "HS512"))
        without = await rig.client().register(CONTACT)

    assert wrong.kind == "unauthorized"
    assert right.status == without.status == Status.VALID
    assert "c2VjcmV0" not in repr(known)


@pytest.mark.parametrize(
    ("contact", "kind"),
    [
        (("https://a.test",), "unsupportedContact"),
        (("mailto:nobody",), "invalidContact"),
        (("mailto:a@a.test,b@a.test",), "invalidContact"),
        (("mailto:a@a.test?subject=x",), "invalidContact"),
        (("mailto:a@a.test",) * 11, "invalidContact"),
    ],
)
async def test_contacts_are_checked_also_when_they_change(rig: Rig, contact: tuple[str, ...], kind: str) -> None:
    client = await rig.registered()

    assert (await refusal(rig.client().register(contact))).kind == kind
    assert (await refusal(client.update_contact(contact))).kind == kind


async def test_the_key_of_a_deactivated_account_registers_no_other(rig: Rig) -> None:
    key = new_key()
    client = await rig.registered(key)
    await client.deactivate_account()

    found = await refusal(rig.client(key).register(CONTACT))

    assert (found.status, found.kind) == (401, "unauthorized")


async def test_an_account_cannot_be_looked_at_by_another(rig: Rig) -> None:
    client, other = await rig.registered(), await rig.registered()
    stranger = AcmeClient(rig.transport(), rig.server.directory_url, new_key(), rig.clock, client.account_url)

    assert (await refusal(stranger.update_contact(CONTACT))).kind == "malformed"
    assert client.account_url != other.account_url


# ---- orders


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
    async with running(options(validation=only_http)) as rig:
        found = await refusal((await rig.registered()).new_order(wanted("*.a.test")))

    assert "no way to check" in str(found)


# ---- certificates


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

    assert (await refusal(asker.new_order(wish))).kind == "malformed"


async def test_every_alternate_links_the_others() -> None:
    async with running(options(alternate_roots=2)) as rig:
        client = await rig.registered()
        order, _ = await rig.issued(client, wanted(NAME))
        first = await client.fetch_certificate(order.certificate)
        second = await client.fetch_certificate(first.alternates[0])
        missing = await refusal(client.fetch_certificate(f"{order.certificate}/3"))

    assert len(first.alternates) == len(second.alternates) == 2
    assert order.certificate in second.alternates
    assert pem.split_certificates(first.chain_pem, "it")[0] == pem.split_certificates(second.chain_pem, "it")[0]
    assert missing.status == 404
