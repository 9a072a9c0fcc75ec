"""Each way to sign in, as Vault wants it: what is sent, with which credentials, and what is told where it fails."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from tests.integration.vault.rig import Plain, Rig, vault_rig
from tests.servers.aws_sts import ROLE_ARN, Keys, Sts
from tests.servers.vault_api import VaultApi, claims

from certwright.issuers import base

APP_ROLE = {"appRole": {"path": "approle", "roleId": "role-id", "secretRef": {"name": "app-role", "key": "id"}}}
CERTIFICATE = {"clientCertificate": {"secretName": "client"}}
AWS_KEYS = {
    "AWS_ACCESS_KEY_ID": Keys.access_key_id,
    "AWS_SECRET_ACCESS_KEY": Keys.secret_access_key,
    "AWS_SESSION_TOKEN": Keys.session_token,
}


def kubernetes(**method: object) -> Plain:
    return {"kubernetes": {"role": "issuer", **method}}


async def verdict(rig: Rig, vault: VaultApi, auth: Plain, *, cluster: bool = False) -> base.Verdict:
    """What the check of an issuer with that `auth` says."""
    return await rig.issuer_type().check(rig.issuer(vault, auth, cluster=cluster))


async def test_a_token_is_looked_up(rig: Rig, vault: VaultApi) -> None:
    found = await verdict(rig, vault, {"tokenSecretRef": {"name": "vault-token", "key": "token"}})

    assert (found.ready, found.reason, found.message) == (True, "VaultVerified", "Vault verified")
    assert not vault.logins


async def test_a_token_that_vault_does_not_know_is_told(rig: Rig, vault: VaultApi) -> None:
    vault.admission.tokens = set()

    found = await verdict(rig, vault, {"tokenSecretRef": {"name": "vault-token"}})

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", True)
    assert "Vault does not know the token in Secret vault-token; store a valid one there" in found.message
    assert "hvs.static" not in found.message


async def test_an_app_role(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("app-role", id="secret-id\n")

    assert (await verdict(rig, vault, APP_ROLE)).ready
    assert vault.logins == ["approle"]


async def test_an_app_role_that_is_refused_is_told_without_its_secret(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("app-role", id="wrong-secret-id")

    found = await verdict(rig, vault, APP_ROLE)

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", True)
    assert "invalid role or secret ID; you sent [hidden]" in found.message
    assert "wrong-secret-id" not in found.message


async def test_a_client_certificate(rig: Rig, vault: VaultApi) -> None:
    await client_certificate(rig, vault, "certwright")

    assert (await verdict(rig, vault, CERTIFICATE)).ready
    assert vault.logins == ["cert"]


async def test_a_client_certificate_that_is_refused(rig: Rig, vault: VaultApi) -> None:
    await client_certificate(rig, vault, "stranger")

    found = await verdict(rig, vault, CERTIFICATE)

    assert "invalid certificate or no client certificate supplied" in found.message


async def test_a_client_certificate_whose_key_does_not_fit(rig: Rig, vault: VaultApi) -> None:
    pair, other = vault.authority.client("one", "certwright"), vault.authority.client("other", "certwright")
    await rig.secret("client", tls__crt=pair.certificate.read_bytes(), tls__key=other.key.read_bytes())

    found = await verdict(rig, vault, CERTIFICATE)

    assert not found.ready
    assert "the PEM key that fits it" in found.message
    assert "PRIVATE" not in found.message


async def test_a_stored_token_of_a_service_account(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("account", token="stored.jwt\n")

    assert (await verdict(rig, vault, kubernetes(secretRef={"name": "account"}))).ready
    assert vault.jwts == ["stored.jwt"]


async def test_a_token_of_a_service_account_is_for_issuer_and_server(rig: Rig, vault: VaultApi) -> None:
    await rig.service_account("vault-login")
    namespace = rig.server.namespace
    vault.admission.audiences = {f"vault://{namespace}/vault"}

    found = await verdict(rig, vault, kubernetes(serviceAccountRef={"name": "vault-login"}))

    assert found.ready, found.message
    said = claims(vault.jwts[0])
    assert said["aud"] == [f"vault://{namespace}/vault", vault.url]
    assert said["sub"] == f"system:serviceaccount:{namespace}:vault-login"
    assert said["exp"] - said["iat"] == 600


async def test_a_token_for_a_cluster_issuer_and_for_more_audiences(rig: Rig, vault: VaultApi) -> None:
    await rig.service_account("vault-login")
    vault.admission.audiences = {"my-vault"}
    auth = kubernetes(serviceAccountRef={"name": "vault-login", "audiences": ["my-vault"]})

    found = await verdict(rig, vault, auth, cluster=True)

    assert found.ready, found.message
    assert claims(vault.jwts[0])["aud"] == ["vault://vault", vault.url, "my-vault"]


async def test_the_api_server_knows_the_token_that_is_sent(rig: Rig, vault: VaultApi) -> None:
    await rig.service_account("vault-login")
    vault.admission.audiences = {vault.url}
    await verdict(rig, vault, kubernetes(serviceAccountRef={"name": "vault-login"}))

    spec = {"token": vault.jwts[0], "audiences": [vault.url]}
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
    status = (await rig.server.http.post("/apis/authentication.k8s.io/v1/tokenreviews", review)).ok["status"]

    assert status["authenticated"] is True
    assert status["user"]["username"] == f"system:serviceaccount:{rig.server.namespace}:vault-login"


@pytest.mark.parametrize("name", ["absent", "../../secrets/vault-token?x="])
async def test_a_service_account_that_is_not_there_is_named(rig: Rig, vault: VaultApi, name: str) -> None:
    found = await verdict(rig, vault, kubernetes(serviceAccountRef={"name": name}))

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", True)
    assert name in found.message
    assert not vault.jwts


async def test_a_role_that_vault_does_not_have(rig: Rig, vault: VaultApi) -> None:
    await rig.secret("account", token="stored.jwt")

    found = await verdict(rig, vault, kubernetes(role="other", secretRef={"name": "account"}))

    assert 'invalid role name "other"' in found.message


async def test_a_token_for_another_vault_is_refused(rig: Rig, vault: VaultApi) -> None:
    await rig.service_account("vault-login")
    vault.admission.audiences = {"vault://elsewhere"}

    found = await verdict(rig, vault, kubernetes(serviceAccountRef={"name": "vault-login"}))

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", True)
    assert "Vault gives no token" in found.message
    assert "permission denied" in found.message
    assert vault.jwts[0] not in found.message


async def test_our_own_identity_at_aws(rig: Rig, vault: VaultApi) -> None:
    issuer = rig.issuer(vault, {"aws": {"role": "issuer"}}, cluster=True)

    found = await rig.issuer_type(AWS_KEYS).check(issuer)

    assert found.ready, found.message
    assert vault.logins == ["aws"]


async def test_an_issuer_of_a_namespace_may_not_use_our_identity_at_aws(rig: Rig, vault: VaultApi) -> None:
    issuer = rig.issuer(vault, {"aws": {"role": "issuer"}})

    found = await rig.issuer_type(AWS_KEYS).check(issuer)

    assert (found.ready, found.reason, found.retry) == (False, "VaultError", False)
    assert "--issuer-ambient-credentials" in found.message
    assert isinstance(await rig.issuer_type(AWS_KEYS).sign(issuer, rig.request()), base.Pending)
    assert not vault.logins
    assert (await rig.with_settings(issuer_ambient_credentials=True).issuer_type(AWS_KEYS).check(issuer)).ready


async def test_no_identity_at_aws_is_told(rig: Rig, vault: VaultApi) -> None:
    issuer = rig.issuer(vault, {"aws": {"role": "issuer"}}, cluster=True)

    found = await rig.issuer_type({"AWS_EC2_METADATA_DISABLED": "true"}).check(issuer)

    assert "This process has no AWS identity" in found.message


async def test_the_region_and_the_server_id_are_signed(rig: Rig, vault: VaultApi) -> None:
    vault.admission.aws_host = "sts.eu-west-1.amazonaws.com"
    vault.admission.server_id = "vault.example.test"
    aws = {"role": "issuer", "region": "eu-west-1", "vaultHeaderValue": "vault.example.test"}

    found = await rig.issuer_type(AWS_KEYS).check(rig.issuer(vault, {"aws": aws}, cluster=True))

    assert found.ready, found.message


async def test_keys_that_aws_does_not_know_are_refused(rig: Rig, vault: VaultApi) -> None:
    issuer = rig.issuer(vault, {"aws": {"role": "issuer"}}, cluster=True)

    found = await rig.issuer_type({**AWS_KEYS, "AWS_SECRET_ACCESS_KEY": "another/key"}).check(issuer)

    assert "signature we calculated does not match" in found.message
    assert "another/key" not in found.message


async def test_a_service_account_takes_a_role_at_aws(rig: Rig, vault: VaultApi, tmp_path: Path) -> None:
    await rig.service_account("vault-login")
    account = {"role": "issuer", "iamRoleArn": ROLE_ARN, "serviceAccountRef": {"name": "vault-login"}}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*vault.authority.server("sts", ["sts.us-east-1.amazonaws.com"]))

    async with (
        Sts(context) as sts,
        vault_rig(rig.server, {"sts.us-east-1.amazonaws.com:443": f"127.0.0.1:{sts.port}"}) as here,
    ):
        found = await here.issuer_type(trusted=vault.ca).check(here.issuer(vault, {"aws": account}))

    assert found.ready, found.message
    said = claims(sts.tokens[0])
    assert said["aud"] == ["sts.amazonaws.com"]
    assert said["sub"] == f"system:serviceaccount:{rig.server.namespace}:vault-login"


async def client_certificate(rig: Rig, vault: VaultApi, name: str) -> None:
    """Secret `client` with a pair that the server's own authority has signed for that name."""
    pair = vault.authority.client(name, name)
    await rig.secret("client", tls__crt=pair.certificate.read_bytes(), tls__key=pair.key.read_bytes())
