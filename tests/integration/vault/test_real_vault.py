"""The issuer with HashiCorp Vault itself: every way to sign in, what it signs, and what it refuses."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from tests.integration.vault.real import real_vault
from tests.integration.vault.rig import NAMES, TOKEN_AUTH, Plain, Rig, leaf_key
from tests.servers.aws_sts import ROLE_ARN, Keys, Sts
from tests.servers.vault_server import SIGN_PATH, Vault

from certwright.issuers import base
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import public_key_digest
from certwright.rules.hub import HubIssuer

__all__ = ["real_vault"]
pytestmark = pytest.mark.needs("vault")

AWS = {
    "AWS_ACCESS_KEY_ID": Keys.access_key_id,
    "AWS_SECRET_ACCESS_KEY": Keys.secret_access_key,
    "AWS_SESSION_TOKEN": Keys.session_token,
}
SERVER_ID = "vault.example.test"


def issuer(rig: Rig, vault: Vault, auth: Plain | None = None, *, cluster: bool = False, **spec: Any) -> HubIssuer:
    """An Issuer that trusts the real Vault."""
    ca = base64.b64encode(vault.ca).decode()
    wanted = {"server": vault.url, "path": SIGN_PATH, "caBundle": ca, "auth": auth or TOKEN_AUTH, **spec}
    return rig.issuer_of(wanted, cluster=cluster)


async def signed(rig: Rig, found: HubIssuer) -> base.Signed:
    """What an issuer that must be ready signs."""
    issuers = rig.issuer_type(AWS)
    verdict = await issuers.check(found)
    assert verdict.ready, verdict.message
    assert (verdict.reason, verdict.message) == ("VaultVerified", "Vault verified")
    outcome = await issuers.sign(found, rig.request())
    assert isinstance(outcome, base.Signed), outcome
    return outcome


async def refused(rig: Rig, found: HubIssuer) -> str:
    """Why an issuer is not ready."""
    verdict = await rig.issuer_type(AWS).check(found)
    assert (verdict.ready, verdict.reason, verdict.retry) == (False, "VaultError", True)
    return verdict.message


async def test_a_token_signs_with_chain_and_root(rig: Rig, real_vault: Vault) -> None:
    await rig.secret("vault-token", token=real_vault.new_token("issuer"))

    found = await signed(rig, issuer(rig, real_vault))

    leaf, below = x509.load_pem_x509_certificates(found.chain_pem)
    [root] = x509.load_pem_x509_certificates(found.ca_pem)
    leaf.verify_directly_issued_by(below)
    below.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    facts = parse_certificate(found.chain_pem)
    assert facts.names.is_same_as(NAMES)
    assert facts.public_key_digest == public_key_digest(leaf_key())


async def test_the_duration_is_that_of_the_request(rig: Rig, real_vault: Vault) -> None:
    await rig.secret("vault-token", token=real_vault.new_token("issuer"))

    found = await rig.issuer_type().sign(issuer(rig, real_vault), rig.request(duration="36h30m"))

    assert isinstance(found, base.Signed)
    leaf = parse_certificate(found.chain_pem)
    backdated = timedelta(seconds=30)
    assert abs(leaf.not_after - leaf.not_before - backdated - timedelta(hours=36.5)) <= timedelta(seconds=1)


async def test_a_token_that_is_none_or_was_revoked(rig: Rig, real_vault: Vault) -> None:
    token = real_vault.new_token("issuer")
    await rig.secret("vault-token", token=token)
    issuers, found = rig.issuer_type(), issuer(rig, real_vault)
    assert isinstance(await issuers.sign(found, rig.request()), base.Signed)

    real_vault.revoke(token)
    outcome = await issuers.sign(found, rig.request())

    assert isinstance(outcome, base.Pending)
    assert outcome.event == "VaultInitError"
    assert "Vault does not know the token in Secret vault-token" in outcome.message
    assert "Vault does not know the token in Secret vault-token" in await refused(rig, found)


async def test_a_policy_that_does_not_allow_the_path(rig: Rig, real_vault: Vault) -> None:
    await rig.secret("vault-token", token=real_vault.new_token("default"))

    outcome = await rig.issuer_type().sign(issuer(rig, real_vault), rig.request())

    assert isinstance(outcome, base.Refused)
    assert "permission denied" in outcome.message
    assert f"must allow create and update on {SIGN_PATH}" in outcome.message


async def test_a_name_that_the_role_does_not_allow(rig: Rig, real_vault: Vault) -> None:
    await rig.secret("vault-token", token=real_vault.new_token("issuer"))
    request = rig.request(common_name="www.elsewhere.test", names=AlternativeNames())

    outcome = await rig.issuer_type().sign(issuer(rig, real_vault), request)

    assert isinstance(outcome, base.Refused)
    assert "common name www.elsewhere.test not allowed by this role" in outcome.message


async def test_a_role_that_does_not_exist(rig: Rig, real_vault: Vault) -> None:
    real_vault.call("PUT", "sys/policies/acl/any", {"policy": 'path "*" { capabilities = ["create", "update"] }'})
    await rig.secret("vault-token", token=real_vault.new_token("any"))

    for path in ("pki_int/sign/other", "nowhere/sign/web"):
        outcome = await rig.issuer_type().sign(issuer(rig, real_vault, path=path), rig.request())

        assert isinstance(outcome, base.Refused), outcome


async def test_an_app_role(rig: Rig, real_vault: Vault) -> None:
    role_id, secret_id = real_vault.set_up_app_role()
    await rig.secret("app-role", id=secret_id)
    ref = {"name": "app-role", "key": "id"}
    found = issuer(rig, real_vault, {"appRole": {"path": "approle", "roleId": role_id, "secretRef": ref}})

    await signed(rig, found)

    await rig.secret("app-role", id=str(uuid.uuid4()))
    assert "invalid" in await refused(rig, found)


async def test_a_login_that_was_revoked_is_made_again(rig: Rig, real_vault: Vault) -> None:
    role_id, secret_id = real_vault.set_up_app_role()
    await rig.secret("app-role", id=secret_id)
    ref = {"name": "app-role", "key": "id"}
    found = issuer(rig, real_vault, {"appRole": {"path": "approle", "roleId": role_id, "secretRef": ref}})
    issuers = rig.issuer_type()
    assert isinstance(await issuers.sign(found, rig.request()), base.Signed)

    real_vault.call("PUT", "sys/leases/revoke-prefix/auth/approle", {})

    assert isinstance(await issuers.sign(found, rig.request()), base.Signed)


async def test_a_client_certificate(rig: Rig, real_vault: Vault) -> None:
    real_vault.set_up_certificates("certwright")
    auth = {"clientCertificate": {"secretName": "client", "name": "web"}}
    for name in ("certwright", "stranger"):
        pair = real_vault.authority.client(f"login-{name}", name)
        await rig.secret("client", tls__crt=pair.certificate.read_bytes(), tls__key=pair.key.read_bytes())
        if name == "certwright":
            await signed(rig, issuer(rig, real_vault, auth))
        else:
            assert "Vault gives no token" in await refused(rig, issuer(rig, real_vault, auth))


async def test_a_listener_that_wants_a_certificate(rig: Rig, real_vault: Vault) -> None:
    await rig.secret("vault-token", token=real_vault.new_token("issuer"))
    pair = real_vault.authority.client("mtls", "listener")
    await rig.secret("mtls", tls__crt=pair.certificate.read_bytes(), tls__key=pair.key.read_bytes())
    refs: Plain = {"clientCertSecretRef": {"name": "mtls"}, "clientKeySecretRef": {"name": "mtls"}}

    await signed(rig, issuer(rig, real_vault, server=real_vault.url_mtls, **refs))

    assert "got no answer" in await refused(rig, issuer(rig, real_vault, server=real_vault.url_mtls))


async def test_a_service_account(rig: Rig, real_vault: Vault) -> None:
    """Vault asks the API server of the test whose token it is."""
    await rig.service_account("vault-login")
    await rig.service_account("stranger")
    server, namespace = rig.server, rig.server.namespace
    reviewer = await reviewer_token(rig)
    real_vault.set_up_kubernetes(server.server.address, server.server.ca.read_text(), namespace, reviewer)

    for cluster, audiences in ((False, []), (True, [f"vault://{namespace}/vault"])):
        ref = {"name": "vault-login", "audiences": audiences}
        auth = {"kubernetes": {"role": "issuer", "serviceAccountRef": ref}}
        await signed(rig, issuer(rig, real_vault, auth, cluster=cluster))

    auth = {"kubernetes": {"role": "issuer", "serviceAccountRef": {"name": "stranger"}}}
    assert "service account name not authorized" in await refused(rig, issuer(rig, real_vault, auth))


async def test_an_aws_identity(rig: Rig, real_vault: Vault) -> None:
    """Vault sends the signed request to the STS of the test, which checks the signature."""
    async with Sts() as sts:
        real_vault.set_up_aws(f"http://127.0.0.1:{sts.port}", ROLE_ARN, SERVER_ID)
        aws = {"role": "issuer", "vaultHeaderValue": SERVER_ID}

        await signed(rig, issuer(rig, real_vault, {"aws": aws}, cluster=True))

        assert set(sts.identities) == {"us-east-1"}
        wrong = {"role": "issuer", "vaultHeaderValue": "other.example.test"}
        assert "X-Vault-AWS-IAM-Server-ID" in await refused(rig, issuer(rig, real_vault, {"aws": wrong}, cluster=True))


async def test_a_vault_that_is_not_initialized_then_sealed_then_open(rig: Rig, tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.start()
    try:
        found = issuer(rig, vault)
        assert "Vault is not initialized" in await refused(rig, found)
        vault.initialize()
        assert "Vault is sealed" in await refused(rig, found)
        vault.unseal()
        vault.set_up_pki()
        await rig.secret("vault-token", token=vault.new_token("issuer"))
        issuers = rig.issuer_type()
        assert isinstance(await issuers.sign(found, rig.request()), base.Signed)

        vault.seal()
        outcome = await issuers.sign(found, rig.request())

        assert isinstance(outcome, base.Pending)
        assert "Vault is sealed" in outcome.message
    finally:
        vault.stop()


async def reviewer_token(rig: Rig) -> str:
    """A token that may ask the API server whose a token is."""
    await rig.service_account("reviewer")
    http, namespace = rig.server.http, rig.server.namespace
    name = f"vault-reviewer-{namespace}"
    rule = {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    path = "/apis/rbac.authorization.k8s.io/v1"
    binding = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "reviewer", "namespace": namespace}],
    }
    for plural, kind, body in (
        ("clusterroles", "ClusterRole", {"rules": [rule]}),
        ("clusterrolebindings", "ClusterRoleBinding", binding),
    ):
        made = await http.post(f"{path}/{plural}", {**rbac, "kind": kind, **body})
        assert made.code == 201, made.body
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    token = await http.post(f"/api/v1/namespaces/{namespace}/serviceaccounts/reviewer/token", asked)
    return str(token.ok["status"]["token"])
