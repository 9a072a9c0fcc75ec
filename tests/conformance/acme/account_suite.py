"""What our ACME client must be able to do with accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from tests.conformance.acme.ca import MAC_KEY, Rig, StartCa, Wish, new_key, rig
from tests.conformance.acme.steps import CONTACT, NAME, wanted

from certwright.acme.client.errors import AcmeProblem
from certwright.acme.protocol.jws import external_account
from certwright.acme.protocol.messages import Status


class AccountSuite:
    """The tests of accounts; `lacks` names those that the CA cannot serve, with the reason."""

    lacks: ClassVar[dict[str, str]] = {}

    @pytest.fixture(autouse=True)
    def _skip_what_is_lacking(self, request: pytest.FixtureRequest) -> None:
        reason = self.lacks.get(request.node.originalname)
        if reason:
            pytest.skip(reason)

    @pytest.fixture
    def start(self) -> StartCa:
        raise NotImplementedError

    @pytest.fixture
    async def plain(self, start: StartCa) -> AsyncIterator[Rig]:
        async with rig(start, Wish()) as found:
            yield found

    async def test_an_account_is_registered_once(self, plain: Rig) -> None:
        key = new_key()

        first = await plain.client(key).register(CONTACT)
        again = await plain.client(key).register(CONTACT)
        found = await plain.client(key).find_account()

        assert first.status == Status.VALID
        assert first.url.startswith("https://")
        assert first.url == again.url == found.url

    async def test_an_unknown_key_has_no_account(self, plain: Rig) -> None:
        with pytest.raises(AcmeProblem) as caught:
            await plain.client().find_account()

        assert caught.value.is_account_gone
        assert caught.value.is_terminal

    async def test_contacts_are_replaced_and_the_url_stays(self, plain: Rig) -> None:
        client = plain.client()
        before = await client.register(CONTACT)

        after = await client.update_contact(("mailto:other@example.test",))

        assert after.url == before.url
        assert (await client.find_account()).contact == ("mailto:other@example.test",)

    async def test_a_contact_that_is_no_mail_address_is_refused(self, plain: Rig) -> None:
        with pytest.raises(AcmeProblem) as caught:
            await plain.client().register(("tel:+4912345",))

        assert caught.value.kind in {"unsupportedContact", "invalidContact"}

    async def test_a_key_is_changed(self, plain: Rig) -> None:
        old, new = new_key(), new_key()
        client = plain.client(old)
        account = await client.register(CONTACT)

        await client.change_key(new)

        assert (await plain.client(new).find_account()).url == account.url
        await client.new_order(wanted(NAME))
        with pytest.raises(AcmeProblem, match="accountDoesNotExist"):
            await plain.client(old).find_account()

    async def test_a_change_to_another_accounts_key_is_refused(self, plain: Rig) -> None:
        client, taken = plain.client(), new_key()
        await client.register(CONTACT)
        await plain.client(taken).register(CONTACT)

        with pytest.raises(AcmeProblem) as caught:
            await client.change_key(taken)

        assert caught.value.status == 409
        assert (await client.find_account()).url == client.account_url

    async def test_a_deactivated_account_can_do_nothing(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)

        account = await client.deactivate_account()

        assert account.status == Status.DEACTIVATED
        with pytest.raises(AcmeProblem, match="unauthorized"):
            await client.new_order(wanted(NAME))

    async def test_an_external_account_is_bound(self, start: StartCa) -> None:
        async with rig(start, Wish(external_accounts={"kid-1": MAC_KEY})) as bound:
            with pytest.raises(AcmeProblem) as without:
                await bound.client().register(CONTACT)
            with pytest.raises(AcmeProblem):
                await bound.client().register(CONTACT, external_account("kid-2", MAC_KEY))
            with pytest.raises(AcmeProblem):
                await bound.client().register(CONTACT, external_account("kid-1", "AAAA" + MAC_KEY[4:]))
            account = await bound.client().register(CONTACT, external_account("kid-1", MAC_KEY))
            directory = await bound.client().directory()

        assert without.value.kind == "externalAccountRequired"
        assert account.status == Status.VALID
        assert directory.meta.external_account_required
