"""Certificates for ML-DSA keys, from SelfSigned and CA issuers, with their gate on and off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, condition_of, controllers, movable_now
from tests.integration.certificate.test_requests import ask, until
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually
from tests.unit.pki.test_ml_dsa import judge
from tests.unit.rules.sample import csr, key, spec

from certwright.api import certmanager_v1 as cm
from certwright.api.kinds import CERTIFICATE
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Annotation
from certwright.pki import pem
from certwright.pki.certificate import Certificate, parse_certificate
from certwright.pki.keys import ML_DSA, KeyEncoding, key_spec_of, parse_private_key, private_key_der
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile
from certwright.rules.gates import DEFAULTS, read_gates
from certwright.rules.key_choice import KEY_ALGORITHM

ON = read_gates(["MLDSA=true"])
CA: JSONObject = {"isCA": True, "commonName": "root", "dnsNames": [], "duration": "87600h"}
BELOW: JSONObject = {"issuerRef": {"name": "ca"}}


def marked(algorithm: str) -> dict[str, Any]:
    """The metadata of a Certificate that asks for that."""
    return {"annotations": {KEY_ALGORITHM: algorithm}}


async def mark(user: User, name: str, algorithm: str | None) -> None:
    """Set the annotation on a Certificate that is there, or take it off."""
    patch: JSONObject = {"metadata": {"annotations": {KEY_ALGORITHM: algorithm}}}
    await user.client.merge_patch(CERTIFICATE, user.key(name), patch)


async def ca(user: User, algorithm: str = "ML-DSA-87") -> None:
    """An Issuer `ca` whose root has such a key."""
    await user.self_signed_issuer()
    await user.certificate("root", CA, **marked(algorithm))
    await user.until("root")
    await user.ca_issuer("ca", "root")


async def held(user: User, name: str) -> tuple[str, Certificate]:
    """The algorithm of the key in the Secret of that name, and the certificate beside it."""
    data = (await user.secret(name)).data
    return str(key_spec_of(parse_private_key(data["tls.key"]))), parse_certificate(data["tls.crt"])


async def digests(user: User, revision: int, *names: str) -> list[bytes]:
    """Which keys are in the Secrets of those names once they are issued so often."""
    for name in names:
        await user.until(name, revision=revision)
    return [await user.key_digest(name) for name in names]


async def told(user: User, name: str, kind: str, words: str) -> cm.Certificate:
    """The Certificate once a condition of it holds those words."""

    async def look() -> cm.Certificate | None:
        found = await user.get(name)
        condition = condition_of(found, kind)
        return found if condition is not None and words in condition.message else None

    return await eventually(look)


@pytest.mark.parametrize("algorithm", ML_DSA)
async def test_a_leaf_under_a_ca_with_all_that_a_secret_can_hold(cluster: Cluster, user: User, algorithm: str) -> None:
    password: JSONObject = {"create": True, "password": "changeit"}
    more: JSONObject = {
        "additionalOutputFormats": [{"type": "DER"}, {"type": "CombinedPEM"}],
        "keystores": {"jks": password, "pkcs12": {**password, "profile": "Modern2023"}},
    }
    async with controllers(cluster, gates=ON) as running:
        await ca(user)
        await user.certificate("leaf", {**BELOW, **more}, **marked(algorithm))
        await user.until("leaf")
        await user.calm(running)
        before = cluster.writes(agent(cluster))
    async with controllers(cluster, gates=ON):
        await user.certificate("other")
        await user.until("other")
    data = (await user.secret("leaf")).data

    assert judge(data["tls.crt"] + data["ca.crt"] + data["tls.key"]) == [
        f"key: {algorithm}",
        ": signed with ML-DSA-87",
        "CN=root: signed with ML-DSA-87",
    ]
    assert parse_certificate(data["tls.crt"]).usages.names() == ("digital signature",)
    assert parse_certificate(data["ca.crt"]).usages.names() == ("digital signature", "cert sign")
    assert data["tls.key"].startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert data["key.der"] == private_key_der(parse_private_key(data["tls.key"]), KeyEncoding.PKCS8)
    assert data["tls-combined.pem"] == data["tls.key"] + b"\n" + data["tls.crt"]
    assert opens_jks(data["keystore.jks"], b"changeit", "certificate")
    assert opens_pkcs12(data["keystore.p12"], b"changeit", Profile.MODERN_2023)
    written = cluster.writes(agent(cluster)) - before
    assert written[Write("patch", "secrets")] == 1, "a restart writes no key store anew"


async def test_keys_of_one_kind_under_a_ca_of_another(cluster: Cluster, user: User) -> None:
    async with controllers(cluster, gates=ON):
        await ca(user)
        await user.certificate("classic", BELOW)
        await user.certificate("middle", {**BELOW, "isCA": True, "commonName": "middle", "dnsNames": []})
        await user.until("middle")
        await user.ca_issuer("middle", "middle")
        await user.certificate("new", {"issuerRef": {"name": "middle"}}, **marked("ML-DSA-44"))
        await user.until("classic")
        await user.until("new")

    assert [(await held(user, name))[0] for name in ("classic", "new")] == ["ECDSA 256", "ML-DSA-44"]
    assert (await held(user, "classic"))[1].signature_algorithm == "ML-DSA-87"
    assert (await held(user, "new"))[1].signature_algorithm == "ECDSAWithSHA256"
    data = (await user.secret("new")).data
    assert len(pem.split_certificates(data["tls.crt"], "it")) == 2
    assert judge(data["tls.crt"] + data["ca.crt"])[1:] == [
        "CN=middle: signed with ML-DSA-87",
        "CN=root: signed with ML-DSA-87",
    ]


async def test_another_annotation_is_another_certificate(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster, gates=ON):
        await user.certificate("moving")
        await user.until("moving")
        for revision, word in enumerate(("ML-DSA-44", "ML-DSA-65", None), start=2):
            await mark(user, "moving", word)
            await user.until("moving", revision=revision)

            assert (await held(user, "moving"))[0] == (word or "ECDSA 256")


async def test_renewals_bring_a_new_key_or_keep_it(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    short: JSONObject = {"duration": "1h", "renewBefore": "20m"}
    await user.self_signed_issuer()
    async with controllers(cluster, clock, gates=ON):
        await user.certificate("fresh", short, **marked("ML-DSA-65"))
        await user.certificate("kept", {**short, "privateKey": {"rotationPolicy": "Never"}}, **marked("ML-DSA-65"))
        first = await digests(user, 1, "fresh", "kept")

        await clock.run_for(timedelta(minutes=41))
        second = await digests(user, 2, "fresh", "kept")

    assert second[0] != first[0]
    assert second[1] == first[1]
    assert [(await held(user, name))[0] for name in ("fresh", "kept")] == ["ML-DSA-65", "ML-DSA-65"]


async def test_a_key_that_may_not_change_stays_and_is_told(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster, gates=ON):
        await user.certificate("stuck", {"privateKey": {"algorithm": "ECDSA", "rotationPolicy": "Never"}})
        await user.until("stuck")
        await mark(user, "stuck", "ML-DSA-65")

        await told(
            user, "stuck", "Issuing", "is ECDSA 256, which does not fit spec.privateKey, and rotationPolicy Never"
        )

    assert (await held(user, "stuck"))[0] == "ECDSA 256"


async def test_a_temporary_certificate_has_the_key(cluster: Cluster, user: User) -> None:
    marks = {Annotation.ISSUE_TEMPORARY_CERTIFICATE: "true", KEY_ALGORITHM: "ML-DSA-65"}
    async with controllers(cluster, gates=ON):
        await user.certificate("meanwhile", annotations=marks)
        await user.until("meanwhile", "False", reason="TemporaryCertificate")
        before, temporary = await held(user, "meanwhile")
        await user.self_signed_issuer()
        await user.until("meanwhile")
        after, _ = await held(user, "meanwhile")

    assert before == after == "ML-DSA-65"
    assert temporary.issuer_text == "CN=cert-manager.local"
    assert temporary.usages.names() == ("digital signature",)


async def test_without_the_gate_nothing_is_issued_in_its_place(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("waiting", **marked("ML-DSA-65"))
        await told(
            user, "waiting", "Ready", "feature gate MLDSA is off: start the controller with --feature-gates=MLDSA"
        )
        found = await told(user, "waiting", "Issuing", "or take the annotation off.")
        assert (await user.requests(), await user.secret("waiting")) == ((), None)
        assert found.status.failed_issuance_attempts is None

    async with controllers(cluster, gates=ON):
        await user.until("waiting")

    assert (await held(user, "waiting"))[0] == "ML-DSA-65"


async def test_what_was_issued_stays_when_the_gate_is_switched_off(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock, gates=ON) as running:
        await user.certificate("there", {"duration": "1h", "renewBefore": "20m"}, **marked("ML-DSA-65"))
        issued = await user.until("there")
        await user.calm(running)
    before, key_before = cluster.writes(agent(cluster)), await user.key_digest("there")

    async with controllers(cluster, clock):
        await clock.run_for(timedelta(minutes=39))
        assert cluster.writes(agent(cluster)) == before
        assert await user.get("there") == issued

        await clock.run_for(timedelta(minutes=2))
        due = await told(user, "there", "Issuing", "the feature gate MLDSA is off")

    ready = condition_of(due, "Ready")
    assert ready is not None
    assert ready.status == "True"
    assert await user.key_digest("there") == key_before
    async with controllers(cluster, clock, gates=ON):
        await user.until("there", revision=2)


@pytest.mark.parametrize("gates", [ON, DEFAULTS], ids=["on", "off"])
async def test_a_word_that_is_none_is_told_at_once(cluster: Cluster, user: User, gates: object) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster, gates=gates):
        await user.certificate("typo")
        await user.until("typo")
        await mark(user, "typo", "MLDSA65")
        found = await user.until("typo", "False", reason="InvalidSpec")
        await mark(user, "typo", None)
        await user.until("typo", revision=1)

    ready = condition_of(found, "Ready")
    assert ready is not None
    assert "is 'MLDSA65': use one of ML-DSA-44, ML-DSA-65, ML-DSA-87" in ready.message


async def test_a_usage_that_such_a_key_cannot_have_is_told(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster, gates=ON):
        await user.certificate("wrong", {"usages": ["server auth", "key encipherment"]}, **marked("ML-DSA-65"))
        await told(user, "wrong", "Issuing", "spec.usages: An ML-DSA key signs and does nothing else")
        await user.patch("wrong", usages=["server auth", "digital signature"])
        await user.until("wrong")

    assert (await held(user, "wrong"))[1].usages.names() == ("digital signature", "server auth")


async def test_requests_by_hand_are_signed_behind_the_gate_alone(cluster: Cluster, user: User) -> None:
    wanted = spec(dnsNames=["hand.example.test"])
    async with controllers(cluster, gates=ON):
        await user.self_signed_issuer()
        await user.certificate("root", CA)
        await user.until("root")
        await user.ca_issuer("ca", "root")
        await ask(user, "good", csr=csr(wanted, key("ML-DSA-65", 0)))
        signed = await until(user, "good", "True", "Issued")
        await ask(user, "wrong", csr=csr(wanted, key("ML-DSA-65", 0)), usages=["key agreement"])
        refused = await until(user, "wrong", "False", "Failed")
    async with controllers(cluster):
        await ask(user, "gated", csr=csr(wanted, key("ML-DSA-65", 0)))
        gated = await until(user, "gated", "False", "Failed")

    leaf = parse_certificate(signed.status.certificate)
    assert leaf.usages.names() == ("digital signature",)
    judged = {each.metadata.name: condition_of(each, "InvalidRequest") for each in (refused, gated)}
    assert judged["wrong"] is not None
    assert "take 'key agreement' out of the usages" in judged["wrong"].message
    assert judged["gated"] is not None
    assert "the key is ML-DSA-65, and the feature gate MLDSA is off" in judged["gated"].message
