"""The whole line: an Issuer becomes ready through Vault, and a Certificate is issued by it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from cryptography import x509
from tests.cluster import Cluster as Server
from tests.integration.certificate.rig import Controllers, User
from tests.integration.certificate.test_requests import ask, until
from tests.integration.wiring import build_cluster, client_of
from tests.kubernetes.eventually import eventually
from tests.servers.vault_api import SIGN_PATH, Refused, VaultApi
from tests.unit.rules.sample import csr, key, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE_REQUEST, ISSUER
from certwright.api.meta import JSONObject
from certwright.clock import SystemClock
from certwright.cluster.settings import Settings
from certwright.issuers.vault.issuer import VaultIssuerType
from certwright.kube.wire.status import NotFound
from certwright.rest import Proxies, Transport
from certwright.rules.conditions import find_condition
from certwright.rules.gates import DEFAULTS, Gates, read_gates
from certwright.rules.key_choice import KEY_ALGORITHM

Plain = dict[str, Any]  # JSON
APP_ROLE = {"appRole": {"path": "approle", "roleId": "role-id", "secretRef": {"name": "used", "key": "value"}}}
MTLS = {"clientCertSecretRef": {"name": "used"}, "clientKeySecretRef": {"name": "used"}}
CASES: dict[str, Plain] = {
    "tokenSecretRef": {"auth": {"tokenSecretRef": {"name": "used", "key": "value"}}},
    "appRole": {"auth": APP_ROLE},
    "kubernetes": {"auth": {"kubernetes": {"role": "issuer", "secretRef": {"name": "used", "key": "value"}}}},
    "clientCertificate": {"auth": {"clientCertificate": {"secretName": "used"}}},
    "caBundleSecretRef": {"caBundle": "", "caBundleSecretRef": {"name": "used"}},
    "clientCertSecretRef": MTLS,
}
VALUES = {"tokenSecretRef": "hvs.static", "appRole": "secret-id", "kubernetes": "stored.jwt"}


@asynccontextmanager
async def person(server: Server, gates: Gates = DEFAULTS) -> AsyncIterator[User]:
    """The line is at work with the type vault, in the test's namespace."""
    await server.install_crds()
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(client_of(server, clock, "vault-line"))
        transport = await stack.enter_async_context(Transport(clock, Proxies()))
        cluster = build_cluster(client, clock, Settings(namespace=server.namespace, gates=gates))
        line = Controllers(cluster, {"vault": VaultIssuerType(cluster, transport)})
        await stack.enter_async_context(line.running())
        yield User(await stack.enter_async_context(client_of(server, clock, "person")), server.namespace)


@pytest.fixture
async def user(cluster: Server) -> AsyncIterator[User]:
    """With the token that the strict Vault knows in the Secret vault-token."""
    async with person(cluster) as found:
        await put_secret(found, "vault-token", {"token": b"hvs.static"})
        yield found


async def put_secret(user: User, name: str, values: dict[str, bytes]) -> None:
    """Make or change a Secret."""
    data: JSONObject = {key: base64.b64encode(value).decode() for key, value in values.items()}
    try:
        await user.client.merge_patch(SECRET, user.key(name), {"data": data})
    except NotFound:
        body: JSONObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
        await user.client.create(SECRET, body, user.namespace)


async def vault_issuer(user: User, vault: VaultApi, **spec: Any) -> None:
    """The Issuer `vault`."""
    common = {"server": vault.url, "path": SIGN_PATH, "auth": {"tokenSecretRef": {"name": "vault-token"}}}
    wanted = {**common, "caBundle": base64.b64encode(vault.ca).decode(), **spec}
    await user.create(ISSUER, "vault", {"vault": {name: value for name, value in wanted.items() if value}})


async def until_issuer(user: User, status: str) -> tuple[str, str]:
    """Reason and message of the Issuer's Ready condition once it has that status."""

    async def look() -> tuple[str, str] | None:
        found: cm.Issuer = await user.client.get(ISSUER, user.key("vault"))
        ready = find_condition(found.status.conditions, "Ready")
        return (ready.reason, ready.message) if ready is not None and ready.status == status else None

    return await eventually(look)


async def test_a_certificate_is_issued_by_vault(user: User, vault: VaultApi) -> None:
    await vault_issuer(user, vault)
    assert await until_issuer(user, "True") == ("VaultVerified", "Vault verified")

    await user.certificate("web", {"issuerRef": {"name": "vault"}, "duration": "24h", "renewBefore": "8h"})
    await user.until("web")

    secret = await user.secret("web")
    leaf, *above = x509.load_pem_x509_certificates(secret.data["tls.crt"])
    assert above == [vault.pki.intermediate.certificate]
    assert x509.load_pem_x509_certificates(secret.data["ca.crt"]) == [vault.pki.root.certificate]
    leaf.verify_directly_issued_by(vault.pki.intermediate.certificate)
    assert vault.signed[0]["ttl"] == "24h0m0s"


async def test_a_bad_day_of_vault_delays_a_certificate(user: User, vault: VaultApi) -> None:
    """cert-manager fails the request at once, and the Certificate waits an hour."""
    await vault_issuer(user, vault)
    await until_issuer(user, "True")
    vault.mischief.append(Refused(500, "a bad day"))

    await user.certificate("web", {"issuerRef": {"name": "vault"}})
    await user.until("web")

    assert (await user.get("web")).status.failed_issuance_attempts is None
    [request] = await user.requests()
    told = [(reason, message) for _, reason, message in await user.events(request.metadata.name)]
    assert any(reason == "SigningError" and "a bad day" in message for reason, message in told)


async def test_what_vault_refuses_fails_the_request(user: User, vault: VaultApi) -> None:
    await vault_issuer(user, vault)
    await until_issuer(user, "True")

    await user.certificate("web", {"issuerRef": {"name": "vault"}, "commonName": "www.elsewhere.test"})
    await user.until("web", "False", kind="Issuing", reason="Failed")

    [request] = await user.requests()
    found: cm.CertificateRequest = await user.client.get(CERTIFICATE_REQUEST, user.key(request.metadata.name))
    ready = find_condition(found.status.conditions, "Ready")
    assert ready is not None
    assert ready.reason == "Failed"
    assert "common name www.elsewhere.test not allowed by this role" in ready.message
    events = await user.events(request.metadata.name)
    assert [kind for kind, reason, _ in events if reason == "SigningError"] == ["Warning"]


async def test_a_sealed_vault_is_told_and_asked_again(user: User, vault: VaultApi) -> None:
    vault.health = 503
    await vault_issuer(user, vault)

    reason, message = await until_issuer(user, "False")
    vault.health = 200
    again = await until_issuer(user, "True")

    assert reason == "VaultError"
    assert "Vault is sealed" in message
    assert again[0] == "VaultVerified"


@pytest.mark.parametrize("case", CASES)
async def test_each_secret_that_it_names_is_watched(user: User, vault: VaultApi, case: str) -> None:
    """cert-manager watches those of tokenSecretRef, appRole and kubernetes alone."""
    pair = vault.authority.client("client", "certwright")
    good = {"ca.crt": vault.ca, "tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes()}
    await put_secret(user, "used", {**good, "value": VALUES.get(case, "-").encode()})
    await vault_issuer(user, vault, **CASES[case])
    await until_issuer(user, "True")

    await put_secret(user, "used", dict.fromkeys([*good, "value"], b"worthless"))
    reason, message = await until_issuer(user, "False")

    assert reason == "VaultError"
    assert VALUES.get(case, "PRIVATE") not in message


async def test_keys_that_vault_does_not_certify_are_told_before_anything_is_sent(
    cluster: Server, vault: VaultApi
) -> None:
    async with person(cluster, read_gates(["MLDSA=true"])) as user:
        await put_secret(user, "vault-token", {"token": b"hvs.static"})
        await vault_issuer(user, vault)
        await until_issuer(user, "True")
        await user.certificate("web", {"issuerRef": {"name": "vault"}}, annotations={KEY_ALGORITHM: "ML-DSA-65"})
        waiting = await user.until("web", "True", kind="Issuing")
        await ask(user, "hand", {"name": "vault"}, csr=csr(spec(), key("ML-DSA-65", 0)))
        refused = await until(user, "hand", "False", "Failed")

    words = 'Issuer "vault" is of the type vault, which certifies no ML-DSA-65 keys: name an issuer of the type ca'
    for found, kind in ((waiting, "Issuing"), (refused, "Ready")):
        condition = find_condition(found.status.conditions, kind)
        assert condition is not None
        assert words in condition.message
    assert vault.signed == []
