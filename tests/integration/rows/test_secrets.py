"""What lies in the target Secret, whose it is, and how it follows the Certificate without being issued anew."""

from __future__ import annotations

import base64
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, controllers
from tests.integration.rows.test_fields import with_ca
from tests.kubernetes.eventually import eventually

from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Annotation, Label
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile
from certwright.pki.pem import split_certificates
from certwright.rules.facts import TARGET_MANAGER


async def raw_secret(cluster: Cluster, name: str) -> dict[str, Any]:
    """The Secret as JSON, managed fields included."""
    found: dict[str, Any] = (await cluster.http.get(f"/api/v1/namespaces/{cluster.namespace}/secrets/{name}")).ok
    return found


async def test_type_marks_and_owner_of_a_new_secret(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await with_ca(user)
        more: JSONObject = {"uris": ["spiffe://example.test/x"], "subject": {"organizations": ["Org, Inc", "Second"]}}
        await user.certificate("made", {"issuerRef": {"name": "ca", "kind": "Issuer"}, "commonName": "made", **more})
        await user.until("made")
        found = await raw_secret(cluster, "made")

    assert found["type"] == "kubernetes.io/tls"
    assert found["metadata"]["labels"] == {Label.FILTERED: "true"}
    assert found["metadata"]["annotations"] == {
        Annotation.CERTIFICATE_NAME: "made",
        Annotation.ISSUER_NAME: "ca",
        Annotation.ISSUER_KIND: "Issuer",
        Annotation.ISSUER_GROUP: "",
        Annotation.COMMON_NAME: "made",
        Annotation.ALT_NAMES: "made.example.test",
        Annotation.IP_SANS: "",
        Annotation.URI_SANS: "spiffe://example.test/x",
        Annotation.SUBJECT_ORGANIZATIONS: 'Second,"Org, Inc"',
    }
    assert "ownerReferences" not in found["metadata"]
    (entry,) = found["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == (TARGET_MANAGER, "Apply")
    assert TARGET_MANAGER == "cert-manager-certificates-issuing"


async def test_a_value_that_another_manager_took_is_taken_back(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("taken", {"secretTemplate": {"labels": {"app": "web"}}})
        await user.until("taken")
        body: JSONObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "taken", "labels": {"app": "theirs", "mine": "stays"}},
        }
        await user.client.apply(SECRET, user.key("taken"), body, manager="somebody", force=True)

        async def is_back() -> bool:
            labels = (await user.secret("taken")).metadata.labels
            return bool(labels["app"] == "web" and labels["mine"] == "stays")

        await eventually(is_back)
        assert (await user.get("taken")).status.revision == 1


async def test_the_template_is_added_changed_and_removed(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("template")
        await user.until("template")
        chain = (await user.secret("template")).data["tls.crt"]
        for wanted in ({"app": "one"}, {"app": "two", "tier": "x"}, {"tier": "x"}, None):
            labels: JSONObject | None = None if wanted is None else {"app": None, **wanted}
            await user.patch("template", secretTemplate=None if labels is None else {"labels": labels})

            async def follows(wanted: dict[str, str] | None = wanted) -> bool:
                found = (await user.secret("template")).metadata.labels
                return {**found} == {Label.FILTERED: "true", **(wanted or {})}

            await eventually(follows)

        assert (await user.secret("template")).data["tls.crt"] == chain
        assert (await user.get("template")).status.revision == 1


async def test_formats_and_stores_come_and_go(cluster: Cluster, user: User) -> None:
    formats: Any = [{"type": "DER"}, {"type": "CombinedPEM"}]
    stores: JSONObject = {
        "jks": {"create": True, "password": "literal"},
        "pkcs12": {"create": True, "password": "literal"},
    }
    names = {"key.der", "tls-combined.pem", "keystore.jks", "truststore.jks", "keystore.p12", "truststore.p12"}
    async with controllers(cluster):
        await with_ca(user)
        await user.certificate("forms", {"issuerRef": {"name": "ca"}})
        await user.until("forms")
        plain = (await user.secret("forms")).data
        assert set(plain) == {"tls.crt", "tls.key", "ca.crt"}

        await user.patch("forms", additionalOutputFormats=formats, keystores=stores)
        await eventually(lambda: holds(user, "forms", {*plain, *names}))
        full = (await user.secret("forms")).data
        await user.patch("forms", additionalOutputFormats=None, keystores=None)
        await eventually(lambda: holds(user, "forms", set(plain)))
        assert (await user.get("forms")).status.revision == 1

    assert full["tls-combined.pem"] == plain["tls.key"] + b"\n" + plain["tls.crt"]
    body = b"".join(plain["tls.key"].splitlines()[1:-1])
    assert full["key.der"] == base64.b64decode(body)
    for name in ("keystore.jks", "truststore.jks"):
        assert opens_jks(full[name], b"literal", "certificate" if name.startswith("key") else "")
    for name in ("keystore.p12", "truststore.p12"):
        assert opens_pkcs12(full[name], b"literal", Profile.LEGACY_RC2)


async def holds(user: User, name: str, keys: set[str]) -> bool:
    """Whether the Secret has exactly those keys."""
    return set((await user.secret(name)).data) == keys


@pytest.mark.parametrize("profile", list(Profile))
async def test_each_profile_of_pkcs12(cluster: Cluster, user: User, profile: Profile) -> None:
    store: JSONObject = {"pkcs12": {"create": True, "password": "literal", "profile": profile.value}}
    async with controllers(cluster):
        await with_ca(user)
        await user.certificate("stored", {"issuerRef": {"name": "ca"}, "keystores": store})
        await user.until("stored")
        data = (await user.secret("stored")).data

    for name in ("keystore.p12", "truststore.p12"):
        assert opens_pkcs12(data[name], b"literal", profile)
        assert not opens_pkcs12(data[name], b"wrong", profile)


async def test_an_owned_secret_goes_with_its_certificate_and_another_stays(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("free")
        await user.until("free")
        await user.client.delete(CERTIFICATE, user.key("free"))
    async with controllers(cluster, enable_certificate_owner_ref=True):
        await user.certificate("owned")
        await user.until("owned")
        await user.client.delete(CERTIFICATE, user.key("owned"))

        async def is_gone() -> bool:
            return await user.secret("owned") is None

        # A real garbage collector learns of new kinds each half minute.
        await eventually(is_gone, timedelta(seconds=90))

    assert await user.secret("free") is not None


@pytest.mark.needs("openssl")
async def test_openssl_verifies_the_chain_below_an_intermediate(cluster: Cluster, user: User, tmp_path: Path) -> None:
    async with controllers(cluster):
        await with_ca(user)
        upper: JSONObject = {"isCA": True, "commonName": "intermediate", "dnsNames": []}
        await user.certificate("intermediate", {**upper, "issuerRef": {"name": "ca"}})
        await user.until("intermediate")
        await user.ca_issuer("lower", "intermediate")
        await user.certificate("leaf", {"issuerRef": {"name": "lower"}})
        await user.until("leaf")
        root, leaf = await user.secret("root"), await user.secret("leaf")

    assert leaf.data["ca.crt"] == root.data["tls.crt"]
    chain = split_certificates(leaf.data["tls.crt"], "tls.crt")
    assert len(chain) == 2
    assert split_certificates(leaf.data["ca.crt"], "ca.crt")[0] not in chain
    for name in ("tls.crt", "ca.crt"):
        (tmp_path / name).write_bytes(leaf.data[name])
    verify(tmp_path)


def verify(folder: Path) -> None:
    """By the openssl command, as a client of the server would."""
    words = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "leaf.example.test"]
    files = ["-CAfile", folder / "ca.crt", "-untrusted", folder / "tls.crt", folder / "tls.crt"]
    done = subprocess.run([*words, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
