"""The account of an ACME issuer: its key, its registration, and what the issuer says of them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import CLOUDFLARE, HTTP, Objects
from tests.integration.acme.world import World, own_world
from tests.kubernetes.eventually import eventually

from certwright.pki.keys import KeyAlgorithm, KeySpec, encode_private_key, generate

REGISTERED = "The ACME account was registered with the ACME server"
MAC_KEY = base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").rstrip(b"=").decode()


def running(cluster: Cluster, world: World) -> Any:
    return machinery(cluster, world, FastClock(SPEED))


async def test_the_key_is_made_and_the_account_registered(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own)
        ready = await objects.ready("issuers", "acme", "ACMEAccountRegistered")
        secret = await objects.get("secrets", "acme-account")
        status = (await objects.get("issuers", "acme"))["status"]

    assert (ready["status"], ready["message"], ready["observedGeneration"]) == ("True", REGISTERED, 1)
    assert secret["type"] == "Opaque"
    assert secret["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "cert-manager"}
    pem = base64.b64decode(secret["data"]["tls.key"])
    assert pem.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    der = load_pem_private_key(pem, None).private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert status["acme"]["lastPrivateKeyHash"] == base64.b64encode(hashlib.sha256(der).digest()).decode()
    assert status["acme"]["lastRegisteredEmail"] == "Ops@Example.test"
    assert status["acme"]["uri"].startswith(own.directory.removesuffix("directory"))
    assert await objects.events("Issuer") == []


async def test_a_restart_asks_the_ca_nothing_and_writes_nothing(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own)
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")
    before = await objects.get("issuers", "acme")

    async with running(cluster, own) as found:
        await objects.issuer(own, name="other")
        await objects.ready("issuers", "other", "ACMEAccountRegistered")

        assert found.asked("register_account") == 1
    assert await objects.get("issuers", "acme") == before


async def test_a_server_that_is_not_there_is_tried_again(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, server="https://127.0.0.1:1/directory")
        ready = await objects.ready("issuers", "acme", "ErrRegisterACMEAccount")
        status = (await objects.get("issuers", "acme"))["status"]

        assert ready["message"].startswith('Failed to register ACME account: Get "https://127.0.0.1:1/directory"')
        assert status["acme"] == {}
        await eventually(lambda: told(objects, "ErrInitIssuer"))
        await objects.patch("issuers", "acme", {"spec": {"acme": {"server": own.directory}}})
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")


async def told(objects: Objects, reason: str) -> bool:
    return any(found == reason for found, _ in await objects.events("Issuer"))


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("https://acme-v01.api.letsencrypt.org/directory", "InvalidConfig"),
        ("https://acme-staging.api.letsencrypt.org/directory/", "InvalidConfig"),
        ("ftp://ca.test/directory", "InvalidURL"),
    ],
)
async def test_a_server_that_can_never_work(
    server: str, reason: str, cluster: Cluster, own: World, objects: Objects
) -> None:
    async with running(cluster, own) as found:
        await objects.issuer(own, server=server)
        await objects.ready("issuers", "acme", reason)

        assert found.to_ca == []


async def test_a_missing_solver_secret_and_its_arrival(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, CLOUDFLARE)
        ready = await objects.ready("issuers", "acme", "InvalidSolver")
        await objects.cloudflare_token()
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")

    assert f"Secret {cluster.namespace}/cloudflare" in ready["message"]


async def test_no_key_is_made_where_that_is_forbidden(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, disableAccountKeyGeneration=True)
        await objects.ready("issuers", "acme", "ErrVerifyACMEAccount")
        assert not [each for each in await objects.all("secrets") if each["metadata"]["name"] == "acme-account"]

        key = encode_private_key(generate(KeySpec(KeyAlgorithm.ECDSA, 256))).decode()
        await objects.secret("acme-account", **{"tls.key": key})
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")


@pytest.mark.parametrize("values", [{"tls.key": "no key"}, {"other": "x"}])
async def test_an_account_key_that_cannot_be_used(
    values: dict[str, str], cluster: Cluster, own: World, objects: Objects
) -> None:
    await objects.secret("acme-account", **values)

    async with running(cluster, own):
        await objects.issuer(own)
        ready = await objects.ready("issuers", "acme", "ErrVerifyACMEAccount")

    assert ready["message"].startswith("Account private key is invalid: ")
    assert "no key" not in ready["message"].replace("has no key", "")


async def test_a_new_address_is_told_to_the_ca(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own) as found:
        await objects.issuer(own)
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")
        await objects.patch("issuers", "acme", {"spec": {"acme": {"email": "new@example.test"}}})

        async def updated() -> bool:
            return bool((await account_of(objects))["lastRegisteredEmail"] == "new@example.test")

        before = await account_of(objects)
        await eventually(updated)

        assert found.asked("update_registration") == 1
        assert (await account_of(objects))["uri"] == before["uri"]


async def account_of(objects: Objects) -> dict[str, str]:
    found: dict[str, str] = (await objects.get("issuers", "acme"))["status"]["acme"]
    return found


async def test_capitals_in_an_address_are_no_change(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own) as found:
        await objects.issuer(own)
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")

        assert found.asked("update_registration") == 0


async def test_an_external_account(cluster: Cluster, objects: Objects) -> None:
    async with own_world(clock=FastClock(SPEED), external_accounts={"kid-1": MAC_KEY}) as world:
        binding = {"keyID": "kid-1", "keySecretRef": {"name": "eab", "key": "mac"}}
        async with running(cluster, world):
            await objects.issuer(world, externalAccountBinding=binding)
            missing = await objects.ready("issuers", "acme", "ErrRegisterACMEAccount")
            await objects.secret("eab", mac=MAC_KEY)
            await objects.ready("issuers", "acme", "ACMEAccountRegistered")

    assert f"Secret {cluster.namespace}/eab" in missing["message"]
    assert ("ErrRegisterACMEAccount", missing["message"]) in await objects.events("Issuer")


async def test_a_refused_account_is_not_tried_again(cluster: Cluster, objects: Objects) -> None:
    async with (
        own_world(clock=FastClock(SPEED), external_accounts={"kid-1": MAC_KEY}) as world,
        running(cluster, world) as found,
    ):
        await objects.issuer(world)
        await objects.ready("issuers", "acme", "ErrRegisterACMEAccount")
        await objects.issuer(world, name="other")
        await objects.ready("issuers", "other", "ErrRegisterACMEAccount")

        # Each once when it came, and once more at most for the Secret that was made for it.
        assert found.asked("register_account") <= 4
        assert not await told(objects, "ErrInitIssuer")


async def test_an_account_that_the_ca_lost_is_registered_again(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, HTTP, skipTLSVerify=True)
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")
        before = await account_of(objects)
        async with own.another_ca(FastClock(SPEED)):
            await objects.request("web-1", "www.bench.test")
            await objects.issued("web-1")

    assert (await account_of(objects))["uri"] != before["uri"]


async def test_the_issuer_brings_its_own_trust(cluster: Cluster, own: World, objects: Objects) -> None:
    stranger = dataclasses.replace(own, trust_pem=b"")

    async with running(cluster, stranger):
        await objects.issuer(own)
        await objects.ready("issuers", "acme", "ErrRegisterACMEAccount")
        bundle = base64.b64encode(own.trust_pem).decode()
        await objects.patch("issuers", "acme", {"spec": {"acme": {"caBundle": bundle}}})
        await objects.ready("issuers", "acme", "ACMEAccountRegistered")
