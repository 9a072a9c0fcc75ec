"""Whom the issuer trusts, what it expects in the server's certificate, what it shows, in which namespace it asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.vault.rig import Plain, Rig
from tests.servers.vault_api import VaultApi

from certwright.issuers import base

PAIR: Plain = {
    "clientCertSecretRef": {"name": "mtls"},
    "clientKeySecretRef": {"name": "mtls"},
}


async def test_the_bundle_in_the_spec_is_trusted(rig: Rig, vault: VaultApi) -> None:
    assert (await rig.issuer_type().check(rig.issuer(vault))).ready


async def test_a_bundle_alone_is_trusted(
    rig: Rig, vault: VaultApi, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the place of the system's roots and of what the process trusts, as it does in cert-manager."""
    async with VaultApi(tmp_path_factory.mktemp("other")) as other:
        monkeypatch.setenv("SSL_CERT_FILE", str(other.authority.certificate))
        found = await rig.issuer_type(trusted=other.ca).check(rig.issuer(vault, server=other.url))

    assert not found.ready


async def test_without_a_bundle_the_process_decides(rig: Rig, vault: VaultApi) -> None:
    issuer = rig.issuer(vault, caBundle="")

    found = await rig.issuer_type().check(issuer)

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", True)
    assert "CERTIFICATE_VERIFY_FAILED" in found.message
    assert (await rig.issuer_type(trusted=vault.ca).check(issuer)).ready


@pytest.mark.parametrize(("ref", "key"), [({"name": "trust"}, "ca__crt"), ({"name": "trust", "key": "pem"}, "pem")])
async def test_a_bundle_from_a_secret(rig: Rig, vault: VaultApi, ref: dict[str, str], key: str) -> None:
    await rig.secret("trust", **{key: vault.ca})

    found = await rig.issuer_type().check(rig.issuer(vault, caBundleSecretRef=ref))

    assert found.ready, found.message


async def test_a_bundle_that_is_none_is_told(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("trust", ca__crt="no PEM")

    found = await rig.issuer_type().check(rig.issuer(vault, caBundleSecretRef={"name": "trust"}))

    assert "the CA bundle holds no certificate that can be read" in found.message


async def test_the_name_to_expect_is_asked_for(rig: Rig, tmp_path: Path) -> None:
    async with VaultApi(tmp_path, names=("vault.internal",)) as vault:
        refused = await rig.issuer_type().check(rig.issuer(vault))
        found = await rig.issuer_type().check(rig.issuer(vault, serverName="vault.internal"))

    assert not refused.ready
    assert found.ready, found.message


async def test_a_listener_that_wants_a_certificate_gets_it(rig: Rig, tmp_path: Path) -> None:
    async with VaultApi(tmp_path, require_client=True) as vault:
        pair = vault.authority.client("mtls", "listener")
        await rig.secret("mtls", tls__crt=pair.certificate.read_bytes(), tls__key=pair.key.read_bytes())
        refused = await rig.issuer_type().check(rig.issuer(vault))
        found = await rig.issuer_type().check(rig.issuer(vault, **PAIR))
        signed = await rig.issuer_type().sign(rig.issuer(vault, **PAIR), rig.request())

    assert not refused.ready
    assert found.ready, found.message
    assert isinstance(signed, base.Signed)


async def test_a_login_by_certificate_can_use_that_of_the_connection(rig: Rig, vault: VaultApi) -> None:
    pair = vault.authority.client("mtls", "certwright")
    await rig.secret("mtls", tls__crt=pair.certificate.read_bytes(), tls__key=pair.key.read_bytes())

    found = await rig.issuer_type().check(rig.issuer(vault, {"clientCertificate": {"name": "web"}}, **PAIR))

    assert found.ready, found.message
    assert vault.logins == ["cert"]


@pytest.mark.parametrize("auth", ["token", "approle"])
async def test_everything_but_the_health_is_asked_in_the_namespace(rig: Rig, tmp_path: Path, auth: str) -> None:
    await rig.secret("app-role", id="secret-id")
    role = {"path": "approle", "roleId": "role-id", "secretRef": {"name": "app-role", "key": "id"}}
    method = {"appRole": role} if auth == "approle" else {"tokenSecretRef": {"name": "vault-token"}}

    async with VaultApi(tmp_path, namespace="team/web") as vault:
        signer, issuer = rig.issuer_type(), rig.issuer(vault, method, namespace="team/web")
        found, signed = await signer.check(issuer), await signer.sign(issuer, rig.request())
        elsewhere = await rig.issuer_type().sign(rig.issuer(vault, method), rig.request())

    assert found.ready, found.message
    assert isinstance(signed, base.Signed)
    assert not isinstance(elsewhere, base.Signed)
    assert vault.violations == []
