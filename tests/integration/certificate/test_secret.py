"""The target Secret: put right where it drifts, adopted, shared and owned."""

from __future__ import annotations

import base64

from tests.cluster import Cluster
from tests.integration.certificate.rig import User, controllers
from tests.kubernetes.eventually import eventually

from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Annotation, Label, LegacyKey
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile


async def test_template_and_formats_are_put_right_without_a_new_certificate(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        template: JSONObject = {"labels": {"app": "web"}, "annotations": {"team": "red"}}
        await user.certificate("dressed", {"secretTemplate": template, "additionalOutputFormats": [{"type": "DER"}]})
        await user.until("dressed")
        before = await user.secret("dressed")
        assert before.metadata.labels["app"] == "web"
        assert "key.der" in before.data
        foreign: JSONObject = {
            "metadata": {"annotations": {"mine": "stays", "team": "blue"}},
            "data": {"extra": "eA=="},
        }
        await user.client.merge_patch(SECRET, user.key("dressed"), foreign)

        await eventually(lambda: _annotation_is(user, "dressed", "team", "red"))
        await user.patch("dressed", secretTemplate={"labels": {"app": None, "tier": "x"}}, additionalOutputFormats=[])

        async def undressed() -> bool:
            found = await user.secret("dressed")
            return "app" not in found.metadata.labels and "key.der" not in found.data

        await eventually(undressed)
        after = await user.secret("dressed")
        assert (await user.get("dressed")).status.revision == 1

    assert after.metadata.labels["tier"] == "x"
    assert after.metadata.annotations["mine"] == "stays"
    assert after.data["extra"] == b"x"
    assert after.data["tls.crt"] == before.data["tls.crt"]


async def _annotation_is(user: User, name: str, key: str, value: str) -> bool:
    secret = await user.secret(name)
    return secret is not None and secret.metadata.annotations.get(key) == value


async def test_a_wrong_annotation_of_ours_is_put_back(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("marked")
        await user.until("marked")
        patch: JSONObject = {"metadata": {"annotations": {Annotation.ALT_NAMES: "lies"}}}
        await user.client.merge_patch(SECRET, user.key("marked"), patch)

        await eventually(lambda: _annotation_is(user, "marked", Annotation.ALT_NAMES, "marked.example.test"))


async def test_a_hand_made_secret_is_adopted(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("donor", {"dnsNames": ["adopted.example.test"]})
        await user.until("donor")
        pair = (await user.secret("donor")).data
        body: JSONObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "adopted"},
            "type": "Opaque",
            "data": {name: base64.b64encode(pair[name]).decode() for name in ("tls.crt", "tls.key")},
        }
        await user.client.create(SECRET, body, user.namespace)

        await user.certificate("adopted", {"dnsNames": ["adopted.example.test"]})
        await user.until("adopted")
        await eventually(lambda: _annotation_is(user, "adopted", Annotation.CERTIFICATE_NAME, "adopted"))

    secret = await user.secret("adopted")
    assert secret.data["tls.crt"] == pair["tls.crt"]
    assert secret.type == "Opaque"
    assert secret.metadata.labels[Label.FILTERED] == "true"
    assert [r.metadata.name for r in await user.requests()] == ["donor-1"]


async def test_the_mark_of_the_legacy_owner_goes_when_the_secret_is_taken_over(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("donor", {"dnsNames": ["old.example.test"]})
        await user.until("donor")
        pair = (await user.secret("donor")).data
        old: JSONObject = {
            "name": "old",
            "labels": {LegacyKey.CERTIFICATE_NAME: "old"},
            "annotations": {LegacyKey.ISSUER_NAME: "selfsigned", LegacyKey.ISSUER_KIND: "Issuer"},
        }
        body: JSONObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": old,
            "type": "kubernetes.io/tls",
            "data": {name: base64.b64encode(pair[name]).decode() for name in ("tls.crt", "tls.key")},
        }
        await user.client.create(SECRET, body, user.namespace)
        await user.certificate("old", {"dnsNames": ["old.example.test"]})
        await user.until("old")

        async def is_taken_over() -> bool:
            found = (await user.secret("old")).metadata
            return LegacyKey.CERTIFICATE_NAME not in found.labels and Annotation.CERTIFICATE_NAME in found.annotations

        await eventually(is_taken_over)

    assert (await user.secret("old")).data["tls.crt"] == pair["tls.crt"]


async def test_two_certificates_with_one_secret(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("one", {"secretName": "shared"})
        await user.until("one")
        await user.certificate("two", {"secretName": "shared"})
        loser = await user.until("two", "False", reason="IncorrectCertificate")
        assert loser.status.not_after is None
        assert loser.status.revision is None

        await user.client.delete(CERTIFICATE, user.key("one"))
        await user.until("two")


async def test_key_stores_follow_their_password(cluster: Cluster, user: User) -> None:
    reference: JSONObject = {"name": "pw", "key": "password"}
    stores: dict[str, JSONObject] = {
        "jks": {"create": True, "alias": "me", "passwordSecretRef": reference},
        "pkcs12": {"create": True, "profile": "Modern2023", "passwordSecretRef": reference},
    }
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("stores", {"keystores": {**stores}})
        await eventually(lambda: _told(user, "stores", "KeystorePasswordSecretNotFound"))
        assert await user.secret("stores") is None

        await user.client.create(SECRET, password("old"), user.namespace)
        await user.until("stores")
        before = (await user.secret("stores")).data
        assert opens_jks(before["keystore.jks"], b"old", "me")
        await user.client.merge_patch(SECRET, user.key("pw"), {"data": {"password": "bmV3"}})

        async def opens_with_the_new_one() -> bool:
            data = (await user.secret("stores")).data
            return opens_jks(data["keystore.jks"], b"new", "me") and opens_pkcs12(
                data["keystore.p12"], b"new", Profile.MODERN_2023
            )

        await eventually(opens_with_the_new_one)
        await user.patch("stores", keystores={"jks": None, "pkcs12": {**stores["pkcs12"], "profile": "LegacyDES"}})

        async def has_the_new_form() -> bool:
            data = (await user.secret("stores")).data
            return "keystore.jks" not in data and opens_pkcs12(data["keystore.p12"], b"new", Profile.LEGACY_DES)

        await eventually(has_the_new_form)

    assert (await user.secret("stores")).data["tls.crt"] == before["tls.crt"]
    assert (await user.get("stores")).status.revision == 1


async def test_a_password_with_nul_is_told_and_stops_nobody(cluster: Cluster, user: User) -> None:
    store: JSONObject = {"create": True, "passwordSecretRef": {"name": "pw", "key": "password"}}
    await user.self_signed_issuer()
    await user.client.create(SECRET, password("old"), user.namespace)
    async with controllers(cluster):
        await user.certificate("stores", {"keystores": {"pkcs12": store}})
        await user.until("stores")

        await user.client.merge_patch(SECRET, user.key("pw"), {"data": {"password": "YQBi"}})
        await eventually(lambda: _told(user, "stores", "SecretNotWritten"))
        await user.certificate("other")
        await user.until("other")

    assert opens_pkcs12((await user.secret("stores")).data["keystore.p12"], b"old", Profile.LEGACY_RC2)


async def _told(user: User, name: str, reason: str) -> bool:
    return reason in [event[1] for event in await user.events(name)]


def password(text: str) -> JSONObject:
    value = base64.b64encode(text.encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pw"}, "data": {"password": value}}


async def test_the_owner_reference_follows_its_flag(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster, enable_certificate_owner_ref=True):
        await user.certificate("owned")
        await user.until("owned")
        owners = (await user.secret("owned")).metadata.owner_references
        assert [owner.name for owner in owners] == ["owned"]

    async with controllers(cluster):

        async def is_free() -> bool:
            return not (await user.secret("owned")).metadata.owner_references

        await eventually(is_free)
