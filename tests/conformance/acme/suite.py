"""What our ACME client must be able to do with a CA; inherited by a class for each CA."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from typing import ClassVar

import pytest
from cryptography import x509
from tests.conformance.acme.ca import BLOCKED, MAC_KEY, Rig, StartCa, Wish, new_key, rig
from tests.kubernetes.eventually import eventually

from certwright.acme.client.client import AcmeClient
from certwright.acme.client.errors import AcmeProblem
from certwright.acme.protocol import challenges
from certwright.acme.protocol.flow import Granted, next_for_authorization
from certwright.acme.protocol.jws import external_account
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import Authorization, ChallengeType, Identifier, NewOrder, Order, Status
from certwright.acme.protocol.renewal_info import certificate_id
from certwright.clock import SystemClock
from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.certificate import is_issued_by, parse_certificate
from certwright.pki.chain import parse_chain
from certwright.pki.csr import RequestContent, build_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, PrivateKey, generate

NAME = "www.example.test"
CONTACT = ("mailto:admin@example.test",)


def leaf_key() -> PrivateKey:
    return generate(KeySpec(KeyAlgorithm.ECDSA, 256))


def csr(key: PrivateKey, *names: str, addresses: tuple[str, ...] = ()) -> bytes:
    content = RequestContent(names=AlternativeNames(dns_names=names, ip_addresses=addresses))
    return pem.split(build_request(content, key), "it")[0].der


def wanted(*names: str) -> NewOrder:
    return NewOrder(tuple(Identifier("dns", name) for name in names))


async def prove(rig: Rig, client: AcmeClient, key: AccountKey, order: Order, kind: str = ChallengeType.DNS_01) -> None:
    """Win every authorization of the order that is not won yet."""
    for url in order.authorizations:
        authorization = await client.get_authorization(url)
        if authorization.status == Status.VALID:
            continue
        challenge = next(one for one in authorization.challenges if one.type == kind)
        proof = challenges.key_authorization(challenge.token, key.thumbprint)
        if kind == ChallengeType.DNS_01:
            rig.ca.set_txt(challenges.dns01_name(authorization.identifier.value), challenges.dns01_value(proof))
        else:
            rig.proofs[challenges.http01_path(challenge.token)] = proof
        await client.accept_challenge(challenge.url)
        decided = await decision(client, url)
        step = next_for_authorization(decided, challenge.url, SystemClock().now())
        assert isinstance(step, Granted), step


async def decision(client: AcmeClient, url: str) -> Authorization:
    async def look() -> Authorization | None:
        found = await client.get_authorization(url)
        return found if found.status != Status.PENDING else None

    return await eventually(look)


async def settled(client: AcmeClient, url: str, status: str) -> Order:
    async def look() -> Order | None:
        found = await client.get_order(url)
        return found if found.status == status else None

    return await eventually(look)


async def issue(rig: Rig, client: AcmeClient, key: AccountKey, wish: NewOrder) -> tuple[Order, PrivateKey]:
    """A valid order of a fresh key."""
    order = await client.new_order(wish)
    await prove(rig, client, key, order)
    certificate_key = leaf_key()
    ready = await settled(client, order.url, Status.READY)
    await client.finalize(ready, csr(certificate_key, *(one.value for one in wish.identifiers)))
    return await settled(client, order.url, Status.VALID), certificate_key


class AcmeSuite:
    """The tests; `lacks` names those that the CA cannot serve, with the reason."""

    lacks: ClassVar[dict[str, str]] = {}
    orders_listed: ClassVar[int] = 7

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

    # ---- accounts

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

    # ---- orders

    async def test_dns_01_wins_names_and_a_wildcard(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)

        order, certificate_key = await issue(plain, client, key, wanted("example.test", "*.example.test"))
        answer = await client.fetch_certificate(order.certificate)

        leaf = parse_certificate(answer.chain_pem)
        assert set(leaf.names.dns_names) == {"example.test", "*.example.test"}
        assert x509.load_pem_x509_certificate(answer.chain_pem).public_key() == certificate_key.public_key()
        top = pem.split_certificates(answer.chain_pem, "the chain")[-1]
        assert any(is_issued_by(top, pem.split(root, "root")[0].der) for root in plain.ca.root_pems())
        assert len(parse_chain(answer.chain_pem).certificates) >= 2

    async def test_wildcard_authorizations_say_so(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)

        order = await client.new_order(wanted("*.example.test"))
        authorization = await client.get_authorization(order.authorizations[0])

        assert authorization.wildcard
        assert authorization.identifier == Identifier("dns", "example.test")
        assert ChallengeType.HTTP_01 not in {challenge.type for challenge in authorization.challenges}

    async def test_http_01_wins(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        plain.ca.point_here(NAME)
        await plain.serve_proofs()

        order = await client.new_order(wanted(NAME))
        await prove(plain, client, key, order, ChallengeType.HTTP_01)

        assert (await client.get_order(order.url)).status == Status.READY

    async def test_http_01_wins_an_address(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        await plain.serve_proofs()

        order = await client.new_order(NewOrder((Identifier("ip", "127.0.0.1"),)))
        await prove(plain, client, key, order, ChallengeType.HTTP_01)
        ready = await settled(client, order.url, Status.READY)
        await client.finalize(ready, csr(leaf_key(), addresses=("127.0.0.1",)))
        valid = await settled(client, order.url, Status.VALID)

        answer = await client.fetch_certificate(valid.certificate)
        names = x509.load_pem_x509_certificate(answer.chain_pem).extensions
        san = names.get_extension_for_class(x509.SubjectAlternativeName).value
        assert san.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1")]

    async def test_a_wrong_proof_fails_with_the_cas_words(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)
        order = await client.new_order(wanted(NAME))
        authorization = await client.get_authorization(order.authorizations[0])
        challenge = next(one for one in authorization.challenges if one.type == ChallengeType.DNS_01)
        plain.ca.set_txt(challenges.dns01_name(NAME), "something-else")

        await client.accept_challenge(challenge.url)
        decided = await decision(client, order.authorizations[0])

        failed = next(one for one in decided.challenges if one.type == ChallengeType.DNS_01)
        assert decided.status == Status.INVALID
        assert failed.error is not None
        assert failed.error.kind in {"unauthorized", "incorrectResponse"}
        assert "something-else" in failed.error.detail or "Correct value" in failed.error.detail
        assert (await settled(client, order.url, Status.INVALID)).status == Status.INVALID

    async def test_an_order_is_resumed_by_another_client(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        account = await client.register(CONTACT)
        begun = await client.new_order(wanted(NAME))
        await prove(plain, client, key, begun)

        other = plain.client(key, account.url)
        ready = await settled(other, begun.url, Status.READY)
        await other.finalize(ready, csr(leaf_key(), NAME))
        valid = await settled(other, begun.url, Status.VALID)

        assert ready.finalize == begun.finalize
        assert parse_certificate((await other.fetch_certificate(valid.certificate)).chain_pem).names.dns_names == (
            NAME,
        )

    async def test_finalizing_twice_gives_the_order_as_it_is(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        order, _ = await issue(plain, client, key, wanted(NAME))

        again = await client.finalize(order, csr(leaf_key(), NAME))

        assert again.status == Status.VALID
        assert again.certificate == order.certificate

    async def test_an_order_that_is_not_ready_is_given_back(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)
        order = await client.new_order(wanted(NAME))

        same = await client.finalize(order, csr(leaf_key(), NAME))

        assert same.status == Status.PENDING

    async def test_a_request_for_other_names_is_refused(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        order = await client.new_order(wanted(NAME))
        await prove(plain, client, key, order)
        ready = await settled(client, order.url, Status.READY)

        with pytest.raises(AcmeProblem) as caught:
            await client.finalize(ready, csr(leaf_key(), "other.example.test"))

        assert caught.value.kind in {"badCSR", "unauthorized"}

    async def test_a_blocked_name_is_refused_with_its_reason(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)

        with pytest.raises(AcmeProblem) as caught:
            await client.new_order(wanted(BLOCKED))

        assert caught.value.kind == "rejectedIdentifier"
        assert caught.value.is_terminal
        assert BLOCKED in str(caught.value)
        assert str(caught.value).startswith("400 urn:ietf:params:acme:error:rejectedIdentifier: ")

    async def test_an_unknown_profile_is_refused(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)

        with pytest.raises(AcmeProblem) as caught:
            await client.new_order(NewOrder((Identifier("dns", NAME),), profile="none-such"))

        assert caught.value.kind == "invalidProfile"
        assert caught.value.is_terminal

    async def test_a_profile_sets_the_life(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)

        order, _ = await issue(plain, client, key, NewOrder((Identifier("dns", NAME),), profile="shortlived"))
        leaf = parse_certificate((await client.fetch_certificate(order.certificate)).chain_pem)

        assert order.profile == "shortlived"
        assert abs(leaf.not_after - leaf.not_before - timedelta(days=6)) <= timedelta(seconds=1)

    async def test_valid_authorizations_are_used_again(self, start: StartCa) -> None:
        async with rig(start, Wish(authorizations_reused=100)) as reusing:
            key = new_key()
            client = reusing.client(key)
            await client.register(CONTACT)
            await issue(reusing, client, key, wanted(NAME))

            order = await client.new_order(wanted(NAME))
            authorization = await client.get_authorization(order.authorizations[0])

        assert authorization.status == Status.VALID
        assert order.status == Status.READY

    async def test_orders_of_an_account_are_listed_over_all_pages(self, plain: Rig) -> None:
        client = plain.client()
        await client.register(CONTACT)
        made = [await client.new_order(wanted(f"n{number}.example.test")) for number in range(self.orders_listed)]

        listed = await client.list_orders()

        assert set(listed) == {order.url for order in made}

    # ---- certificates

    async def test_the_preferred_chain_is_chosen(self, start: StartCa) -> None:
        async with rig(start, Wish(alternate_roots=2)) as branching:
            key = new_key()
            client = branching.client(key)
            await client.register(CONTACT)
            order, _ = await issue(branching, client, key, wanted(NAME))
            roots = [x509.load_pem_x509_certificate(root) for root in branching.ca.root_pems()]
            names = [str(next(iter(root.subject)).value) for root in roots]

            default = await client.fetch_certificate(order.certificate)
            chosen = [await client.fetch_preferred(order.certificate, name) for name in names]
            unknown = await client.fetch_preferred(order.certificate, "no such root")

        assert len(set(names)) == 3
        assert len(default.alternates) == 2
        for chain, root in zip(chosen, roots, strict=True):
            x509.load_pem_x509_certificates(chain)[-1].verify_directly_issued_by(root)
        assert unknown == default.chain_pem

    async def test_a_certificate_is_revoked_once(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        order, _ = await issue(plain, client, key, wanted(NAME))
        leaf = x509.load_pem_x509_certificate((await client.fetch_certificate(order.certificate)).chain_pem)

        await client.revoke(leaf, reason=4)
        await client.revoke(leaf, reason=4)

    async def test_the_key_of_a_certificate_may_revoke_it(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        order, certificate_key = await issue(plain, client, key, wanted(NAME))
        leaf = x509.load_pem_x509_certificate((await client.fetch_certificate(order.certificate)).chain_pem)
        stranger = plain.client()

        with pytest.raises(AcmeProblem):
            await stranger.revoke(leaf, key=new_key())
        await stranger.revoke(leaf, reason=1, key=AccountKey(certificate_key))

    async def test_renewal_information_is_given(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        order, _ = await issue(plain, client, key, wanted(NAME))
        chain = (await client.fetch_certificate(order.certificate)).chain_pem
        leaf = x509.load_pem_x509_certificate(chain)

        found = await client.get_renewal_info(certificate_id(leaf) or "")

        assert found is not None
        assert leaf.not_valid_before_utc < found.suggested_window.start < found.suggested_window.end
        assert found.suggested_window.end < leaf.not_valid_after_utc
        assert found.retry_after

    async def test_a_certificate_is_replaced_once(self, plain: Rig) -> None:
        key = new_key()
        client = plain.client(key)
        await client.register(CONTACT)
        first, _ = await issue(plain, client, key, wanted(NAME))
        chain = (await client.fetch_certificate(first.certificate)).chain_pem
        name = certificate_id(x509.load_pem_x509_certificate(chain)) or ""
        renewal = NewOrder((Identifier("dns", NAME),), replaces=name)

        second, _ = await issue(plain, client, key, renewal)
        third = await client.new_order(NewOrder((Identifier("dns", NAME),), profile="shortlived", replaces=name))

        assert second.replaces == name
        assert third.replaces == ""

    # ---- requests

    async def test_refused_nonces_are_tried_again(self, start: StartCa) -> None:
        async with rig(start, Wish(bad_nonces=30)) as nervous:
            key = new_key()
            client = nervous.client(key)
            await client.register(CONTACT)

            for number in range(3):
                order, _ = await issue(nervous, client, key, wanted(f"n{number}.example.test"))
                assert order.status == Status.VALID

    async def test_a_stranger_sees_nothing(self, plain: Rig) -> None:
        client, stranger = plain.client(), plain.client()
        await client.register(CONTACT)
        await stranger.register(CONTACT)
        order = await client.new_order(wanted(NAME))

        with pytest.raises(AcmeProblem) as caught:
            await stranger.get_order(order.url)

        assert caught.value.status in {401, 403, 404}
