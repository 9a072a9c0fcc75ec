"""Legacy Certificates from kubectl to their Secret, with the words of 2018: acceptance checks 8 and 11."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.integration.legacy.rig import LEGACY, MODERN, Plain, Rig, collapsed, condition_of
from tests.kubernetes.eventually import eventually

from certwright.cluster.dialects import Report
from certwright.controllers.legacy.legacy import LegacyGroup
from certwright.rules.hub import CertificateKey, Dialect
from certwright.rules.milestones import Stored

pytestmark = pytest.mark.needs("kubectl")

ISSUED = [
    ("Normal", "IssueCert", "Issuing certificate..."),
    ("Normal", "CertIssued", "Certificate issued successfully"),
]
ROOT: Plain = {"secretName": "root-tls", "issuerRef": {"name": "selfsigned"}, "commonName": "root", "isCA": True}
LEAF: Plain = {"secretName": "leaf-tls", "issuerRef": {"name": "ca", "kind": "Issuer"}, "dnsNames": ["a.example.com"]}


async def secret(rig: Rig, name: str) -> Plain:
    answer = await rig.server.http.get(f"/api/v1/namespaces/{rig.namespace}/secrets/{name}")
    found: Plain = answer.ok
    return found


def chain_of(found: Plain) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(base64.b64decode(found["data"]["tls.crt"]))


async def with_ca(rig: Rig) -> None:
    """SelfSigned issuer → CA Certificate → CA issuer, as the webhook chart of v0.5 wrote it."""
    await rig.make("Issuer", "selfsigned", {"selfsigned": {}})
    await rig.make("Certificate", "root", ROOT)
    await rig.make("Issuer", "ca", {"ca": {"secretName": "root-tls"}})


async def events_until(rig: Rig, uid: str, done: Callable[[list[str]], bool]) -> list[tuple[str, str, str]]:
    async def look() -> list[tuple[str, str, str]] | None:
        found = await rig.events(uid)
        return found if done([event[1] for event in found]) else None

    return await eventually(look)


async def test_from_the_self_signed_issuer_to_the_leaf(rig: Rig) -> None:
    await with_ca(rig)
    made = await rig.make("Certificate", "leaf", LEAF)

    found = await rig.ready("certificates", "leaf", "CertIssued")

    ready = condition_of(found)
    assert ready is not None
    assert (ready["status"], ready["message"]) == ("True", "Certificate issued successfully")
    assert "observedGeneration" not in ready
    assert found["status"]["revision"] == 1
    told = await events_until(rig, made["metadata"]["uid"], lambda reasons: "CertIssued" in reasons)
    assert [event for event in told if event[0] == "Normal"] == ISSUED
    await rig.ready("issuers", "ca", "KeyPairVerified")
    ca = await rig.get(LEGACY, "issuers", "ca")
    assert ca is not None
    verified = await events_until(rig, ca["metadata"]["uid"], lambda reasons: "KeyPairVerified" in reasons)
    assert ("Normal", "KeyPairVerified", "Signing CA verified") in verified


async def test_the_secret_is_that_of_v05(rig: Rig) -> None:
    await with_ca(rig)
    await rig.make("Certificate", "leaf", LEAF)
    await rig.ready("certificates", "leaf", "CertIssued")

    found = await secret(rig, "leaf-tls")

    assert found["type"] == "kubernetes.io/tls"
    metadata = found["metadata"]
    assert metadata["labels"]["certmanager.k8s.io/certificate-name"] == "leaf"
    assert metadata["annotations"]["certmanager.k8s.io/issuer-kind"] == "Issuer"
    assert metadata["annotations"]["certmanager.k8s.io/alt-names"] == "a.example.com"
    assert base64.b64decode(found["data"]["tls.key"]).startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    leaf, ca = chain_of(found)
    assert leaf.issuer == ca.subject
    assert "O=cert-manager" in leaf.subject.rfc4514_string()
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert round(life.total_seconds() / 86400) == 365


async def test_the_short_names_of_kubectl_show_status_and_events(rig: Rig) -> None:
    await with_ca(rig)
    await rig.make("Certificate", "leaf", LEAF)
    await rig.ready("certificates", "leaf", "CertIssued", MODERN)
    twin = await rig.get(MODERN, "certificates", "leaf")
    assert twin is not None
    await events_until(rig, twin["metadata"]["uid"], lambda reasons: "CertIssued" in reasons)

    for name in ("certificate/leaf", "certificates.certmanager.k8s.io/leaf"):
        text = await rig.kubectl("describe", name)

        flat = collapsed(text)
        assert "Message: Certificate issued successfully Reason: CertIssued Status: True Type: Ready" in flat
        events = collapsed(text.partition("Events:")[2])
        assert events.index("cert-manager Issuing certificate...") < events.index(
            "cert-manager Certificate issued successfully"
        )


async def test_a_pass_that_is_made_again_after_a_crash_tells_nothing_twice(rig: Rig) -> None:
    await with_ca(rig)
    made = await rig.make("Certificate", "leaf", LEAF)
    await rig.ready("certificates", "leaf", "CertIssued")
    before = await events_until(rig, made["metadata"]["uid"], lambda reasons: "CertIssued" in reasons)
    certificate = rig.sources.certificates.get(CertificateKey(Dialect.LEGACY, rig.namespace, "leaf"))
    request = await rig.get(MODERN, "certificaterequests", "leaf.legacy-1")
    assert certificate is not None
    assert request is not None
    again = Stored("leaf.legacy-1", request["metadata"]["uid"], False)

    reborn = LegacyGroup(rig.cluster, rig.sources)
    await reborn.certificates.report(certificate, Report(status=certificate.status, milestones=(again,)))

    assert await rig.events(made["metadata"]["uid"]) == before


async def test_a_renewal_has_a_new_serial_and_the_same_key(rig: Rig) -> None:
    await with_ca(rig)
    made = await rig.make("Certificate", "leaf", LEAF | {"duration": "1h", "renewBefore": "59m"})
    await rig.ready("certificates", "leaf", "CertIssued")
    before = chain_of(await secret(rig, "leaf-tls"))[0]
    # What the passing of 59 minutes would do, a person may ask for on the twin.
    await rig.ready("certificates", "leaf", "CertIssued", MODERN)
    issuing = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by hand"}

    await rig.kubectl(
        "patch",
        "certificates.cert-manager.io",
        "leaf",
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": {"conditions": [issuing]}}),
    )

    await rig.ready("certificates", "leaf", "CertRenewed")
    after = chain_of(await secret(rig, "leaf-tls"))[0]
    assert after.serial_number != before.serial_number
    spki = [each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for each in (before, after)]
    assert spki[0] == spki[1]
    told = await events_until(rig, made["metadata"]["uid"], lambda reasons: "CertRenewed" in reasons)
    assert [event for event in told if event[0] == "Normal"] == [
        *ISSUED,
        ("Normal", "RenewCert", "Renewing certificate..."),
        ("Normal", "CertRenewed", "Certificate renewed successfully"),
    ]
    found = await rig.get(LEGACY, "certificates", "leaf")
    assert found is not None
    assert [each["type"] for each in found["status"]["conditions"]] == ["Ready"]
    renewal = datetime.fromisoformat(found["status"]["renewalTime"])
    assert (datetime.fromisoformat(found["status"]["notAfter"]) - renewal).seconds == 59 * 60


async def test_a_domain_without_a_solver_is_a_config_error_and_nothing_is_ordered(rig: Rig) -> None:
    config: Plain = {"config": [{"domains": ["a.example.com"], "dns01": {"provider": "p"}}]}
    names = ["a.example.com", "b.example.com"]
    await rig.make("Certificate", "nocfg", LEAF | {"dnsNames": names, "acme": config})

    found = await rig.ready("certificates", "nocfg", "ConfigError")

    first = found["status"]["conditions"][0]
    assert f"{first['reason']}: {first['message']}" == (
        "ConfigError: Resource validation failed: spec.acme.config: Required value: "
        'no ACME solver configuration specified for domain "b.example.com"'
    )
    requests = await rig.server.http.get(f"{MODERN}/namespaces/{rig.namespace}/certificaterequests")
    assert requests.ok["items"] == []
    assert await rig.events(found["metadata"]["uid"]) == []


async def test_adding_what_was_missing_issues_it(rig: Rig) -> None:
    await with_ca(rig)
    config: Plain = {"config": [{"domains": ["a.example.com"], "dns01": {"provider": "p"}}]}
    await rig.make("Certificate", "nocfg", LEAF | {"dnsNames": ["a.example.com", "b.example.com"], "acme": config})
    await rig.ready("certificates", "nocfg", "ConfigError")
    config["config"].append({"domains": ["b.example.com"], "dns01": {"provider": "p"}})

    patch = json.dumps({"spec": {"acme": config}})
    await rig.kubectl("patch", "certificates.certmanager.k8s.io", "nocfg", "--type=merge", "-p", patch)

    await rig.ready("certificates", "nocfg", "CertIssued")


async def test_a_field_of_the_wrong_type_stops_nobody_else(rig: Rig) -> None:
    await with_ca(rig)
    await rig.make("Certificate", "odd", LEAF | {"secretName": "odd-tls", "keySize": "big"})
    await rig.make("Certificate", "leaf", LEAF | {"keySize": "2048"})

    await rig.ready("certificates", "leaf", "CertIssued")
    found = await rig.ready("certificates", "odd", "ConfigError")

    ready = condition_of(found)
    assert ready is not None
    assert ready["message"].startswith("Resource validation failed: spec.keySize: Invalid value: must be an integer")


async def test_a_backup_of_v05_with_its_empty_values_reconciles(rig: Rig) -> None:
    await with_ca(rig)
    config: Plain = {"domains": ["a.example.com"], "http01": {"ingress": "", "ingressClass": "nginx"}}
    backup = {
        "apiVersion": "certmanager.k8s.io/v1alpha1",
        "kind": "Certificate",
        "metadata": {
            "name": "leaf",
            "clusterName": "",
            "generation": 1,
            "selfLink": "/apis/certmanager.k8s.io/v1alpha1/namespaces/x/certificates/leaf",
        },
        "spec": LEAF | {"commonName": "", "keyAlgorithm": "", "organization": None, "acme": {"config": [config]}},
        "status": {"acme": {"order": {"challenges": [], "url": "https://acme/order/1"}}, "conditions": []},
    }

    await rig.kubectl("create", "--validate=ignore", "-f", "-", stdin=backup)

    await rig.ready("certificates", "leaf", "CertIssued")


async def test_a_missing_issuer_is_told_and_waited_for(rig: Rig) -> None:
    made = await rig.make("Certificate", "leaf", LEAF | {"issuerRef": {"name": "later"}})
    found = await rig.ready("certificates", "leaf", "IssuerNotFound")
    assert found["status"]["conditions"][0]["message"] == 'Issuer issuer.certmanager.k8s.io "later" not found'

    await rig.make("Issuer", "later", {"selfSigned": {}})

    await rig.ready("certificates", "leaf", "CertIssued")
    told = await events_until(rig, made["metadata"]["uid"], lambda reasons: "CertIssued" in reasons)
    assert [event[1] for event in told if event[0] == "Normal"] == ["IssueCert", "CertIssued"]
    assert ("Warning", "IssuerNotFound", 'Issuer issuer.certmanager.k8s.io "later" not found') in told


async def test_a_lost_secret_is_issued_again(rig: Rig) -> None:
    await with_ca(rig)
    await rig.make("Certificate", "leaf", LEAF)
    await rig.ready("certificates", "leaf", "CertIssued")

    await rig.kubectl("delete", "secret", "leaf-tls")

    async def back() -> bool:
        answer = await rig.server.http.get(f"/api/v1/namespaces/{rig.namespace}/secrets/leaf-tls")
        return answer.code == 200 and "tls.crt" in answer.ok.get("data", {})

    await eventually(back)


async def test_a_legacy_certificate_may_use_a_modern_issuer(rig: Rig) -> None:
    modern = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "modern"},
        "spec": {"selfSigned": {}},
    }
    await rig.kubectl("create", "-f", "-", stdin=modern)
    await rig.make("Certificate", "leaf", LEAF | {"issuerRef": {"name": "modern"}})

    await rig.ready("certificates", "leaf", "CertIssued")


async def test_a_modern_certificate_may_use_the_twin_of_a_legacy_issuer(rig: Rig) -> None:
    await with_ca(rig)
    modern = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "modern"},
        "spec": {"secretName": "modern-tls", "issuerRef": {"name": "ca"}, "dnsNames": ["m.example.com"]},
    }
    await rig.kubectl("create", "-f", "-", stdin=modern)

    await rig.ready("certificates", "modern", "Ready", MODERN)

    assert chain_of(await secret(rig, "modern-tls"))[0].issuer.rfc4514_string() == "CN=root,O=cert-manager"


async def test_a_secret_that_v05_wrote_is_taken_over_as_it_is(rig: Rig) -> None:
    await with_ca(rig)
    await rig.make("Certificate", "leaf", LEAF)
    await rig.ready("certificates", "leaf", "CertIssued")
    found = await secret(rig, "leaf-tls")
    await rig.kubectl("delete", "certificates.certmanager.k8s.io/leaf", "secret/leaf-tls")
    marks = {
        "certmanager.k8s.io/alt-names": "a.example.com",
        "certmanager.k8s.io/common-name": "a.example.com",
        "certmanager.k8s.io/issuer-kind": "Issuer",
        "certmanager.k8s.io/issuer-name": "ca",
    }
    labels = {"certmanager.k8s.io/certificate-name": "leaf"}
    data = {key: found["data"][key] for key in ("tls.crt", "tls.key")}
    metadata = {"name": "leaf-tls", "annotations": marks, "labels": labels}
    old = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "data": data}
    await rig.kubectl("create", "-f", "-", stdin=old)

    made = await rig.make("Certificate", "leaf", LEAF)

    await rig.ready("certificates", "leaf", "CertIssued")
    kept = await secret(rig, "leaf-tls")
    assert kept["data"]["tls.crt"] == data["tls.crt"]
    assert await rig.events(made["metadata"]["uid"]) == []
