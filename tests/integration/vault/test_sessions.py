"""One login serves many certificates, for two thirds of its lease and while its Secrets stay as they are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from tests.integration.vault.rig import Plain, Rig
from tests.servers.vault_api import VaultApi

from certwright.issuers import base
from certwright.issuers.vault.issuer import VaultIssuerType
from certwright.rules.hub import HubIssuer

APP_ROLE = {"appRole": {"path": "approle", "roleId": "role-id", "secretRef": {"name": "app-role", "key": "id"}}}


async def line(rig: Rig, vault: VaultApi, **spec: Any) -> tuple[VaultIssuerType, HubIssuer]:
    """An issuer that signs in by AppRole."""
    await rig.secret("app-role", id="secret-id")
    return rig.issuer_type(), rig.issuer(vault, APP_ROLE, **spec)


async def test_a_login_serves_many_requests(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = await line(rig, vault)

    await signer.check(issuer)
    outcomes = [await signer.sign(issuer, rig.request()) for _ in range(3)]

    assert all(isinstance(outcome, base.Signed) for outcome in outcomes)
    assert vault.logins == ["approle"]


async def test_requests_that_come_together_sign_in_once(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = await line(rig, vault)

    outcomes = await asyncio.gather(*(signer.sign(issuer, rig.request()) for _ in range(20)))

    assert all(isinstance(outcome, base.Signed) for outcome in outcomes)
    assert vault.logins == ["approle"]


async def test_requests_that_come_together_fail_once(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = await line(rig, vault)
    await rig.secret("app-role", id="wrong")

    outcomes = await asyncio.gather(*(signer.sign(issuer, rig.request()) for _ in range(20)))

    assert {type(outcome) for outcome in outcomes} == {base.Pending}
    assert vault.logins == ["approle"]
    await signer.sign(issuer, rig.request())
    assert vault.logins == ["approle"] * 2


async def test_a_token_is_used_for_two_thirds_of_its_lease(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = await line(rig, vault)
    await signer.sign(issuer, rig.request())

    rig.clock.advance(timedelta(minutes=39))
    await signer.sign(issuer, rig.request())
    assert vault.logins == ["approle"]
    rig.clock.advance(timedelta(minutes=1))
    await signer.sign(issuer, rig.request())

    assert vault.logins == ["approle"] * 2


async def test_a_token_without_an_end_is_used_on(rig: Rig, vault: VaultApi) -> None:
    vault.lease_seconds = 0
    signer, issuer = await line(rig, vault)
    await signer.sign(issuer, rig.request())

    rig.clock.advance(timedelta(days=365))
    await signer.sign(issuer, rig.request())

    assert vault.logins == ["approle"]


async def test_a_check_tries_the_credentials_anew(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = await line(rig, vault)
    assert (await signer.check(issuer)).ready
    vault.admission.app_role = ("role-id", "another")

    assert not (await signer.check(issuer)).ready


async def test_a_new_secret_is_a_new_session(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = await line(rig, vault)
    await signer.sign(issuer, rig.request())
    vault.admission.app_role = ("role-id", "another")

    await rig.secret("app-role", id="another")

    assert isinstance(await signer.sign(issuer, rig.request()), base.Signed)
    assert vault.logins == ["approle"] * 2


async def test_a_new_bundle_is_a_new_session(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("trust", ca__crt=vault.ca)
    signer, issuer = await line(rig, vault, caBundleSecretRef={"name": "trust"})
    await signer.sign(issuer, rig.request())

    await rig.secret("trust", ca__crt="no PEM")

    assert isinstance(await signer.sign(issuer, rig.request()), base.Pending)


async def test_a_new_spec_is_a_new_session(rig: Rig, vault: VaultApi) -> None:
    signer, issuer = await line(rig, vault)
    await signer.sign(issuer, rig.request())
    role: Plain = {"appRole": {**APP_ROLE["appRole"], "roleId": "another"}}

    outcome = await signer.sign(rig.issuer(vault, role), rig.request())

    assert isinstance(outcome, base.Pending)
    assert "invalid role or secret ID" in outcome.message
