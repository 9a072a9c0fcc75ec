"""What is asked of Vault for a request, and what each of its answers becomes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from tests.integration.vault.rig import Rig, leaf_key
from tests.servers.vault_api import DENIED, UNKNOWN, UNKNOWN_BEFORE_1_15, Refused, VaultApi

from certwright.issuers import base
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import public_key_digest

NOT_SIGNED = "Vault failed to sign the certificate"


async def test_the_request_is_signed_as_it_is(rig: Rig, vault: VaultApi) -> None:
    request = rig.request()

    signed = await rig.issuer_type().sign(rig.issuer(vault), request)

    assert isinstance(signed, base.Signed)
    assert vault.signed == [
        {
            "common_name": "www.example.test",
            "alt_names": "www.example.test,api.example.test",
            "ip_sans": "192.0.2.1,2001:db8::1",
            "uri_sans": "spiffe://example.test/www",
            "ttl": "2160h0m0s",
            "csr": request.spec.request.decode(),
            "exclude_cn_from_sans": "true",
        }
    ]
    assert parse_certificate(signed.chain_pem).public_key_digest == public_key_digest(leaf_key())


async def test_the_chain_ends_below_the_root_which_is_the_ca(rig: Rig, vault: VaultApi) -> None:
    signed = await rig.issuer_type().sign(rig.issuer(vault), rig.request())

    assert isinstance(signed, base.Signed)
    chain = x509.load_pem_x509_certificates(signed.chain_pem)
    assert chain[1:] == [vault.pki.intermediate.certificate]
    assert x509.load_pem_x509_certificates(signed.ca_pem) == [vault.pki.root.certificate]


async def test_the_duration_is_asked_for(rig: Rig, vault: VaultApi) -> None:
    signed = await rig.issuer_type().sign(rig.issuer(vault), rig.request(duration="36h30m"))

    assert isinstance(signed, base.Signed)
    assert vault.signed[0]["ttl"] == "36h30m0s"
    leaf = parse_certificate(signed.chain_pem)
    assert leaf.not_after - leaf.not_before == timedelta(hours=36, minutes=30, seconds=30)


async def test_a_duration_that_is_none_is_refused(rig: Rig, vault: VaultApi) -> None:
    outcome = await rig.issuer_type().sign(rig.issuer(vault), rig.request(duration="soon"))

    assert isinstance(outcome, base.Refused)
    assert "duration" in outcome.message
    assert not vault.signed


async def test_a_name_that_the_role_forbids_is_refused(rig: Rig, vault: VaultApi) -> None:
    request = rig.request(common_name="www.elsewhere.test", names=AlternativeNames())

    outcome = await rig.issuer_type().sign(rig.issuer(vault), request)

    assert isinstance(outcome, base.Refused)
    assert outcome.event == "SigningError"
    assert outcome.message.startswith(NOT_SIGNED)
    assert "common name www.elsewhere.test not allowed by this role" in outcome.message


async def test_a_policy_that_forbids_the_path_is_refused_and_told_apart(rig: Rig, vault: VaultApi) -> None:
    vault.may_sign = False

    outcome = await rig.issuer_type().sign(rig.issuer(vault), rig.request())

    assert isinstance(outcome, base.Refused)
    assert "the policy of our token must allow create and update on pki/sign/web" in outcome.message


@pytest.mark.parametrize("status", [429, 500, 502, 503, 412])
async def test_what_may_pass_waits(rig: Rig, vault: VaultApi, status: int) -> None:
    vault.mischief.append(Refused(status, "a bad day"))
    signer, issuer, request = rig.issuer_type(), rig.issuer(vault), rig.request()

    outcome = await signer.sign(issuer, request)

    assert isinstance(outcome, base.Pending)
    assert (outcome.event, outcome.after) == ("SigningError", timedelta(seconds=5))
    assert f"was answered with {status}: a bad day" in outcome.message
    assert isinstance(await signer.sign(issuer, request), base.Signed)


@pytest.mark.parametrize(
    ("age", "after"),
    [
        (timedelta(seconds=2), timedelta(seconds=5)),
        (timedelta(seconds=40), timedelta(seconds=40)),
        (timedelta(days=2), timedelta(minutes=5)),
    ],
)
async def test_it_waits_as_long_again_as_it_has(rig: Rig, vault: VaultApi, age: timedelta, after: timedelta) -> None:
    vault.mischief.append(Refused(500, "a bad day"))

    outcome = await rig.issuer_type().sign(rig.issuer(vault), rig.request(age=age))

    assert isinstance(outcome, base.Pending)
    assert outcome.after == after


@pytest.mark.parametrize(("asked", "after"), [("90", timedelta(seconds=90)), ("86400", timedelta(hours=1))])
async def test_it_waits_as_long_as_vault_asks_within_reason(
    rig: Rig, vault: VaultApi, asked: str, after: timedelta
) -> None:
    vault.mischief.append(Refused(429, "request path quota exceeded", Retry_After=asked))

    outcome = await rig.issuer_type().sign(rig.issuer(vault), rig.request())

    assert isinstance(outcome, base.Pending)
    assert outcome.after == after


async def test_a_sealed_vault_waits(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = rig.issuer_type(), rig.issuer(vault)
    await signer.sign(issuer, rig.request())
    vault.health = 503

    outcome = await signer.sign(issuer, rig.request())

    assert isinstance(outcome, base.Pending)
    assert "Vault is sealed" in outcome.message


async def test_a_vault_that_is_gone_waits(rig: Rig, vault: VaultApi) -> None:
    issuer = rig.issuer(vault, server="https://127.0.0.1:9")

    outcome = await rig.issuer_type().sign(issuer, rig.request())

    assert isinstance(outcome, base.Pending)
    assert outcome.event == "VaultInitError"
    assert "127.0.0.1:9" in outcome.message


async def test_a_spec_that_cannot_work_waits_for_its_edit(rig: Rig, vault: VaultApi) -> None:
    outcome = await rig.issuer_type().sign(rig.issuer(vault, auth={}), rig.request())

    assert isinstance(outcome, base.Pending)
    assert outcome.after is None


@pytest.mark.parametrize("status", [200, 404, 403])
async def test_what_another_server_says_is_neither_repeated_nor_a_refusal(
    rig: Rig, vault: VaultApi, status: int
) -> None:
    vault.mischief.extend([status, status])

    outcome = await rig.issuer_type().sign(rig.issuer(vault), rig.request())

    assert isinstance(outcome, base.Pending)
    assert "not Vault" not in outcome.message


async def test_an_answer_without_an_end_is_cut_off(rig: Rig, vault: VaultApi) -> None:
    vault.mischief.append("endless")

    outcome = await rig.issuer_type().sign(rig.issuer(vault), rig.request())

    assert isinstance(outcome, base.Pending)
    assert "larger than 1048576 bytes" in outcome.message


async def test_a_token_that_was_revoked_is_replaced_once(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("app-role", id="secret-id")
    auth = {"appRole": {"path": "approle", "roleId": "role-id", "secretRef": {"name": "app-role", "key": "id"}}}
    issuer, signer = rig.issuer(vault, auth), rig.issuer_type()
    await signer.sign(issuer, rig.request())
    vault.revoke_all()

    assert isinstance(await signer.sign(issuer, rig.request()), base.Signed)
    assert vault.logins == ["approle", "approle"]


@pytest.mark.parametrize("words", [UNKNOWN, UNKNOWN_BEFORE_1_15])
async def test_a_login_that_is_not_known_everywhere_yet_waits(rig: Rig, vault: VaultApi, words: str) -> None:
    """Nodes of a cluster learn of a token one after the other."""
    await rig.secret("account", token="stored.jwt")
    issuer = rig.issuer(vault, {"kubernetes": {"role": "issuer", "secretRef": {"name": "account"}}})
    vault.mischief.extend([Refused(403, words), Refused(403, words)])
    signer = rig.issuer_type()

    outcome = await signer.sign(issuer, rig.request())

    assert isinstance(outcome, base.Pending)
    assert outcome.event == "VaultInitError"
    assert isinstance(await signer.sign(issuer, rig.request()), base.Signed)


async def test_one_forbidden_answer_does_not_fail_a_request(rig: Rig, vault: VaultApi) -> None:
    vault.mischief.append(Refused(403, *DENIED))

    assert isinstance(await rig.issuer_type().sign(rig.issuer(vault), rig.request()), base.Signed)


@pytest.mark.parametrize("words", [UNKNOWN, UNKNOWN_BEFORE_1_15])
async def test_a_token_that_has_ended_waits_for_a_new_one(rig: Rig, vault: VaultApi, words: str) -> None:
    vault.unknown = words
    signer, issuer = rig.issuer_type(), rig.issuer(vault)
    await signer.sign(issuer, rig.request())
    vault.admission.tokens = {"hvs.new"}

    outcome = await signer.sign(issuer, rig.request())

    assert isinstance(outcome, base.Pending)
    assert outcome.event == "VaultInitError"
    assert "Vault does not know the token in Secret vault-token" in outcome.message
    await rig.secret("vault-token", token="hvs.new")
    assert isinstance(await signer.sign(issuer, rig.request()), base.Signed)
