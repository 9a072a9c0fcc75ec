"""Issuers of certmanager.k8s.io/v1alpha1 sign in to Vault as v0.5 did: by a token, or by AppRole with its defaults."""

from __future__ import annotations

import base64
import json

import pytest
from tests.integration.vault.rig import Plain, Rig
from tests.servers.vault_api import SIGN_PATH, VaultApi

from certwright.api.kinds import LEGACY_ISSUER
from certwright.issuers import base
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey
from certwright.rules.legacy_hub import legacy_issuer

TOKEN = {"tokenSecretRef": {"name": "vault-token"}}
APP_ROLE = {"appRole": {"path": "", "roleId": "role-id", "secretRef": {"name": "app-role"}}}
NONE: Plain = {"tokenSecretRef": {"name": "", "key": ""}, "appRole": {"path": "", "roleId": "", "secretRef": {}}}


def issuer(rig: Rig, vault: VaultApi, auth: Plain, **spec: str) -> HubIssuer:
    """A legacy Issuer in the hub."""
    ca = base64.b64encode(vault.ca).decode()
    wanted = {"server": vault.url, "path": SIGN_PATH, "caBundle": ca, "auth": auth, **spec}
    metadata = {"name": "vault", "namespace": rig.server.namespace, "uid": "uid-of-issuer"}
    body = {"apiVersion": "certmanager.k8s.io/v1alpha1", "kind": "Issuer", "metadata": metadata}
    found = LEGACY_ISSUER.read(json.dumps({**body, "spec": {"vault": wanted}}).encode())
    return legacy_issuer(IssuerKey(Dialect.LEGACY, "Issuer", rig.server.namespace, "vault"), found)


@pytest.mark.parametrize("auth", [{**NONE, **TOKEN}, {**NONE, **APP_ROLE}], ids=["token", "app role"])
async def test_both_methods_of_v05_sign(rig: Rig, vault: VaultApi, auth: Plain) -> None:
    await rig.secret("app-role", secretId="secret-id")
    issuers, found = rig.issuer_type(), issuer(rig, vault, auth)

    verdict = await issuers.check(found)
    outcome = await issuers.sign(found, rig.request())

    assert (verdict.ready, verdict.reason, verdict.message) == (True, "VaultVerified", "Vault verified")
    assert isinstance(outcome, base.Signed)


@pytest.mark.parametrize(
    ("auth", "words"),
    [(NONE, "is required"), ({**TOKEN, **APP_ROLE}, "Multiple auth methods cannot be set")],
    ids=["none", "both"],
)
async def test_none_or_both_is_an_error(rig: Rig, vault: VaultApi, auth: Plain, words: str) -> None:
    verdict = await rig.issuer_type().check(issuer(rig, vault, auth))

    assert (verdict.ready, verdict.reason, verdict.retry) == (False, "VaultError", False)
    assert words in verdict.message
