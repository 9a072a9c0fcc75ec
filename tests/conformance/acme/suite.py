"""What our ACME client must be able to do with a CA; inherited by a class for each CA."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import ClassVar

import pytest
from cryptography import x509
from tests.conformance.acme.account_suite import AccountSuite
from tests.conformance.acme.ca import BLOCKED, Rig, StartCa, Wish, new_key, rig
from tests.conformance.acme.steps import CONTACT, NAME, csr, decision, issue, leaf_key, prove, settled, wanted

from certwright.acme.client.errors import AcmeProblem
from certwright.acme.protocol import challenges
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.messages import ChallengeType, Identifier, NewOrder, Status
from certwright.acme.protocol.renewal_info import certificate_id
from certwright.pki import pem
from certwright.pki.certificate import is_issued_by, parse_certificate
from certwright.pki.chain import parse_chain


class AcmeSuite(AccountSuite):
    """The tests of orders, certificates and requests, and those of accounts."""

    orders_listed: ClassVar[int] = 7

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
