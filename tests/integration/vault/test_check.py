"""When an issuer is ready, and what is said where it is not."""

from __future__ import annotations

import pytest
from tests.integration.vault.rig import Plain, Rig
from tests.servers.vault_api import VaultApi


@pytest.mark.parametrize("status", [200, 429, 472, 473])
async def test_a_vault_that_passes_requests_on_is_healthy(rig: Rig, vault: VaultApi, status: int) -> None:
    vault.health = status

    found = await rig.issuer_type().check(rig.issuer(vault))

    assert (found.ready, found.reason, found.message) == (True, "VaultVerified", "Vault verified")


@pytest.mark.parametrize(
    ("status", "words"),
    [(501, "Vault is not initialized"), (503, "Vault is sealed"), (500, "answered with 500")],
)
async def test_any_other_is_asked_again(rig: Rig, vault: VaultApi, status: int, words: str) -> None:
    signer, issuer = rig.issuer_type(), rig.issuer(vault)
    vault.health = status

    found = await signer.check(issuer)

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", True)
    assert words in found.message
    vault.health = 200
    assert (await signer.check(issuer)).ready


async def test_a_vault_that_is_sealed_later_is_not_ready(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = rig.issuer_type(), rig.issuer(vault)
    assert (await signer.check(issuer)).ready
    vault.health = 503

    assert not (await signer.check(issuer)).ready


async def test_a_spec_that_cannot_work_is_not_asked_again(rig: Rig, vault: VaultApi) -> None:
    found = await rig.issuer_type().check(rig.issuer(vault, auth={}))

    assert (found.ready, found.reason, found.retry, found.look_again) == (False, "VaultError", False, None)
    assert "tokenSecretRef, appRole, clientCertificate, kubernetes or aws is required" in found.message


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"auth": {"tokenSecretRef": {"name": "absent"}}}, 'secrets "absent" not found'),
        ({"auth": {"tokenSecretRef": {"name": "a/../b"}}}, 'secrets "a/../b" not found'),
        ({"auth": {"tokenSecretRef": {"name": "vault-token", "key": "other"}}}, "has no other"),
        ({"auth": {"clientCertificate": {"secretName": "vault-token"}}}, "has no tls.crt"),
        ({"auth": {"kubernetes": {"role": "r", "secretRef": {"name": "absent"}}}}, 'secrets "absent" not found'),
        ({"caBundleSecretRef": {"name": "absent"}}, 'secrets "absent" not found'),
        ({"clientCertSecretRef": {"name": "absent"}, "clientKeySecretRef": {"name": "absent"}}, '"absent" not found'),
    ],
)
async def test_what_is_missing_is_named(rig: Rig, vault: VaultApi, spec: Plain, words: str) -> None:
    found = await rig.issuer_type().check(rig.issuer(vault, **spec))

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", True)
    assert words in found.message


async def test_a_token_of_several_lines_is_told(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("vault-token", token="hvs.one\nhvs.two")

    found = await rig.issuer_type().check(rig.issuer(vault))

    assert "is not one line of plain text" in found.message
    assert "hvs.one" not in found.message
