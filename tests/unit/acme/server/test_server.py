from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.clock import MovableClock, settle
from tests.unit.acme.rig import (
    BELIEVING,
    CONTACT,
    Rig,
    believing,
    csr_for,
    new_key,
    refusal,
    running,
    wanted,
)
from tests.unit.rest.service import Service

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import Transport
from certwright.acme.protocol.jws import external_account
from certwright.acme.protocol.messages import Status
from certwright.acme.server.options import AccountOptions, ValidationOptions
from certwright.acme.server.server import AcmeServer
from certwright.pki.certificate import parse_certificate
from certwright.rest import SecretText

NAME = "a.test"
PUBLIC = "acme-staging-v02.api.letsencrypt.org"


async def test_a_restart_keeps_accounts_orders_and_the_ca(tmp_path: Path) -> None:
    key, kept = new_key(), believing(state_file=tmp_path / "state.sqlite", host_names=(PUBLIC,))
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
    kept = believing(state_file=tmp_path / "state.sqlite")
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
        async with running(believing(state_file=state, validation=hanging)) as first:
            client = await first.registered(key)
            order = await client.new_order(wanted("localhost"))
            authorization = await client.get_authorization(order.authorizations[0])
            begun = await client.accept_challenge(authorization.challenges[0].url)

        async with running(believing(state_file=state)) as second:
            await settle()
            path = order.url.split("/", 3)[3]
            base = second.server.directory_url.removesuffix("directory")
            found = await second.client(key).get_order(base + path)

    assert begun.status == Status.PROCESSING
    assert found.status == Status.READY


async def test_urls_follow_the_name_by_which_the_client_knows_the_ca() -> None:
    async with running(believing(host_names=(PUBLIC,))) as rig:
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
    async with running(believing(accounts=accounts)) as rig:
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


async def test_agreeing_to_the_terms_is_remembered(rig: Rig) -> None:
    async with running(believing(accounts=AccountOptions(terms_of_service="https://ca.test/terms"))) as strict:
        agreed = await strict.client().register(CONTACT)

    assert agreed.terms_of_service_agreed


async def test_an_external_account_is_checked_also_where_none_is_needed() -> None:
    known = AccountOptions(external_accounts={"kid-1": SecretText("c2VjcmV0")})
    async with running(believing(accounts=known)) as rig:
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
