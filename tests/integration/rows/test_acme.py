"""Accounts, Orders and Challenges against our own CA: what cert-manager does with them, one row after the other."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.cluster import Cluster
from tests.integration.acme.clock import SPEED, FastClock
from tests.integration.acme.machinery import machinery
from tests.integration.acme.objects import CLOUDFLARE, HTTP, Json, Objects
from tests.integration.acme.world import BLOCKED, World, own_world
from tests.integration.certificate.rig import User
from tests.kubernetes.eventually import eventually

from certwright.acme.server.options import OrderOptions
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import RequestContent, build_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, encode_private_key, generate

REGISTERED = "ACMEAccountRegistered"
NOW_HTTP: Json = {**HTTP, "waitInsteadOfSelfCheck": "0s"}


def running(cluster: Cluster, world: World) -> Any:
    return machinery(cluster, world, FastClock(SPEED))


async def account_of(objects: Objects, name: str = "acme") -> dict[str, str]:
    found: dict[str, str] = (await objects.get("issuers", name))["status"]["acme"]
    return found


async def ask(objects: Objects, names: AlternativeNames, **spec: Any) -> None:
    """The CertificateRequest web-1 for those names."""
    csr = build_request(RequestContent(names=names), generate(KeySpec(KeyAlgorithm.ECDSA, 256)))
    body = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "CertificateRequest",
        "metadata": {"name": "web-1"},
        "spec": {"request": base64.b64encode(csr).decode(), "issuerRef": {"name": "acme"}, **spec},
    }
    await objects.create("certificaterequests", body)


async def test_the_account_key_is_rsa_2048_and_one_that_is_there_is_used(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    mine = encode_private_key(generate(KeySpec(KeyAlgorithm.RSA, 2048))).decode()
    await objects.secret("mine-account", **{"tls.key": mine})
    await objects.secret("odd-key", other=mine)

    async with running(cluster, own):
        await objects.issuer(own)
        await objects.ready("issuers", "acme", REGISTERED)
        await objects.issuer(own, name="mine")
        await objects.ready("issuers", "mine", REGISTERED)
        await objects.issuer(own, name="named", privateKeySecretRef={"name": "odd-key", "key": "other"})
        await objects.ready("issuers", "named", REGISTERED)

    key = load_pem_private_key(
        base64.b64decode((await objects.get("secrets", "acme-account"))["data"]["tls.key"]), None
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    kept = await objects.get("secrets", "mine-account")
    assert base64.b64decode(kept["data"]["tls.key"]).decode() == mine
    assert await account_of(objects, "named") == await account_of(objects, "mine")
    assert (await account_of(objects))["uri"] != (await account_of(objects, "mine"))["uri"]


async def test_another_server_is_another_account(cluster: Cluster, own: World, objects: Objects) -> None:
    async with own_world(clock=FastClock(SPEED)) as other, running(cluster, own) as found:
        await objects.issuer(own, skipTLSVerify=True)
        await objects.ready("issuers", "acme", REGISTERED)
        before = await account_of(objects)
        await objects.patch("issuers", "acme", {"spec": {"acme": {"server": other.directory}}})

        async def moved() -> bool:
            return (await account_of(objects))["uri"].startswith(other.directory.removesuffix("directory"))

        await eventually(moved)
        assert found.asked("register_account") == 2
    assert before["uri"].startswith(own.directory.removesuffix("directory"))
    assert (await account_of(objects))["lastPrivateKeyHash"] == before["lastPrivateKeyHash"]


async def test_whom_an_issuer_trusts(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, replace(own, trust_pem=b"")):
        await objects.issuer(own, name="bundle", caBundle=base64.b64encode(own.trust_pem).decode())
        await objects.ready("issuers", "bundle", REGISTERED)
        await objects.issuer(own, name="skips", skipTLSVerify=True)
        await objects.ready("issuers", "skips", REGISTERED)
        await objects.issuer(own, name="neither")
        refused = await objects.ready("issuers", "neither", "ErrRegisterACMEAccount")

    assert "certificate" in refused["message"].lower()


async def test_an_account_without_its_url_is_taken_over_as_it_is(
    cluster: Cluster, own: World, objects: Objects
) -> None:
    async with running(cluster, own):
        await objects.issuer(own)
        await objects.ready("issuers", "acme", REGISTERED)
    await objects.patch("issuers", "acme/status", {"status": {"acme": {"uri": None}}})
    before = await objects.get("issuers", "acme")

    async with running(cluster, own) as found:
        await objects.issuer(own, name="other")
        await objects.ready("issuers", "other", REGISTERED)
        assert found.asked("register_account") == 1
        assert await objects.get("issuers", "acme") == before


async def test_an_address_that_the_ca_refuses(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own)
        await objects.ready("issuers", "acme", REGISTERED)
        await objects.patch("issuers", "acme", {"spec": {"acme": {"email": "nobody"}}})
        refused = await objects.ready("issuers", "acme", "ErrUpdateACMEAccount")

        assert refused["message"].startswith("Failed to update ACME account: 400 urn:ietf:params:acme:error:")


async def test_events_of_a_name_that_is_proved(cluster: Cluster, own: World, objects: Objects) -> None:
    await objects.cloudflare_token()
    async with running(cluster, own) as found:
        await objects.issuer(own, CLOUDFLARE)
        await objects.request("web-1", "a.bench.test", "b.bench.test")
        await objects.issued("web-1")
        await objects.none_left("challenges")
        await found.rest()

        told = Counter(reason for reason, _ in await objects.events("Challenge"))
        assert told == Counter({"Started": 2, "Presented": 2, "DomainVerified": 2})
        assert [reason for reason, _ in await objects.events("Order")] == ["Created", "Created", "Complete"]
        components = {
            each["involvedObject"]["kind"]: each["source"]["component"] for each in await objects.all("events")
        }
    assert components["Challenge"] == "cert-manager-challenges"
    assert components["Order"] == "cert-manager-orders"


async def test_what_was_proved_before_is_not_proved_again(cluster: Cluster, objects: Objects) -> None:
    await objects.cloudflare_token()
    reusing = OrderOptions(blocked=(BLOCKED,), reuses_authorizations=True)
    async with own_world(clock=FastClock(SPEED), orders=reusing) as world, running(cluster, world) as found:
        await objects.issuer(world, CLOUDFLARE)
        await objects.request("web-1", "a.bench.test")
        await objects.issued("web-1")
        await objects.none_left("challenges")
        await objects.request("web-2", "a.bench.test")
        await objects.issued("web-2")
        await found.rest()
        orders = {each["metadata"]["ownerReferences"][0]["name"]: each for each in await objects.all("orders")}
        created = [reason for reason, _ in await objects.events("Order")].count("Created")

    [first] = orders["web-1"]["status"]["authorizations"]
    [second] = orders["web-2"]["status"]["authorizations"]
    assert first["initialState"] == "pending"
    assert second["url"] == first["url"]
    assert created == 1
    assert (first["identifier"], first["wildcard"]) == ("a.bench.test", False)
    assert {each["type"] for each in first["challenges"]} >= {"dns-01", "http-01"}


async def test_an_address_is_ordered_and_proved_over_http(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, NOW_HTTP)
        await ask(objects, AlternativeNames(ip_addresses=("127.0.0.1",)))
        [leaf, *_] = x509.load_pem_x509_certificates(await objects.issued("web-1"))
        [order] = await objects.all("orders")

    assert order["spec"]["ipAddresses"] == ["127.0.0.1"]
    assert "dnsNames" not in order["spec"]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


async def test_a_profile_and_a_duration_reach_the_ca(cluster: Cluster, own: World, objects: Objects) -> None:
    async with running(cluster, own):
        await objects.issuer(own, HTTP, profile="shortlived")
        await objects.request("web-1", "www.bench.test")
        [short, *_] = x509.load_pem_x509_certificates(await objects.issued("web-1"))
        [order] = await objects.all("orders")
        await objects.delete("certificaterequests", "web-1")
        await objects.none_left("orders")
        await objects.patch("issuers", "acme", {"spec": {"acme": {"profile": None, "enableDurationFeature": True}}})
        await ask(objects, AlternativeNames(dns_names=("www.bench.test",)), duration="48h")
        [limited, *_] = x509.load_pem_x509_certificates(await objects.issued("web-1"))

    assert order["spec"]["profile"] == "shortlived"
    assert abs(short.not_valid_after_utc - short.not_valid_before_utc - timedelta(days=6)) <= timedelta(minutes=1)
    life = limited.not_valid_after_utc - limited.not_valid_before_utc
    assert abs(life - timedelta(hours=48)) <= timedelta(hours=1)


async def test_a_certificate_over_acme_has_a_chain_and_no_ca(
    cluster: Cluster, own: World, objects: Objects, user: User
) -> None:
    """The steps that in-process issuers do without are all told here."""
    await objects.cloudflare_token()
    zone: Json = {**CLOUDFLARE, "selector": {"matchLabels": {"solver": "dns"}}}
    async with running(cluster, own) as found:
        await objects.issuer(own, zone)
        await objects.ready("issuers", "acme", REGISTERED)
        await user.certificate(
            "web", {"dnsNames": ["w.bench.test"], "issuerRef": {"name": "acme"}}, labels={"solver": "dns"}
        )

        async def ready() -> bool:
            conditions = (await user.get("web")).status.conditions
            return any((each.type, each.status) == ("Ready", "True") for each in conditions)

        await eventually(ready)
        await user.calm(found)
        events = [event[1] for event in await user.events("web")]
        told = [event[1] for event in await user.events("web-1")]

    data = (await user.secret("web")).data
    assert set(data) == {"tls.crt", "tls.key"}
    chain = x509.load_pem_x509_certificates(data["tls.crt"])
    assert len(chain) >= 2
    assert events == ["Issuing", "Generated", "Requested", "Issuing"]
    assert told[0] == "cert-manager.io"
    assert told == ["cert-manager.io", "OrderCreated", "CertificateIssued"]
