"""From the legacy group to the modern one and back, with one Secret: acceptance check 12."""

from __future__ import annotations

import pytest
from tests.integration.legacy.rig import LEGACY, MODERN, Plain, Rig, condition_of
from tests.integration.legacy.test_certificates import LEAF, chain_of, secret, with_ca
from tests.kubernetes.eventually import eventually

pytestmark = pytest.mark.needs("kubectl")


def modern(name: str = "leaf") -> Plain:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name},
        "spec": {
            "secretName": "leaf-tls",
            "issuerRef": {"name": "ca", "kind": "Issuer"},
            "dnsNames": ["a.example.com"],
        },
    }


async def serial(rig: Rig) -> int:
    return chain_of(await secret(rig, "leaf-tls"))[0].serial_number


async def requests(rig: Rig) -> list[str]:
    found = (await rig.server.http.get(f"{MODERN}/namespaces/{rig.namespace}/certificaterequests")).ok["items"]
    return sorted(each["metadata"]["name"] for each in found)


async def issued(rig: Rig) -> Plain:
    await with_ca(rig)
    made = await rig.make("Certificate", "leaf", LEAF)
    await rig.ready("certificates", "leaf", "CertIssued", MODERN)
    return made


async def test_the_modern_manifest_takes_over_without_a_new_certificate(rig: Rig) -> None:
    made = await issued(rig)
    before, asked = await serial(rig), await requests(rig)

    await rig.kubectl("apply", "-f", "-", stdin=modern())

    found = await rig.ready("certificates", "leaf", "Ready", MODERN)
    assert "ownerReferences" not in found["metadata"]
    assert (await serial(rig), await requests(rig)) == (before, asked)

    async def told() -> bool:
        return [event[1] for event in await rig.events(made["metadata"]["uid"])].count("Superseded") == 1

    await eventually(told)
    legacy = await rig.get(LEGACY, "certificates", "leaf")
    assert legacy is not None
    ready = condition_of(legacy)
    assert ready is not None
    assert ready["reason"] == "CertIssued"
    await rig.kubectl("delete", "certificates.certmanager.k8s.io/leaf")
    assert await rig.get(MODERN, "certificates", "leaf") is not None
    assert await serial(rig) == before


async def test_the_owner_takes_the_others_name_off(rig: Rig) -> None:
    await issued(rig)
    await rig.kubectl("apply", "-f", "-", stdin=modern())

    async def renamed() -> bool:
        metadata = (await secret(rig, "leaf-tls"))["metadata"]
        marks = metadata["annotations"]
        taken = marks.get("cert-manager.io/certificate-name") == "leaf"
        return taken and "certmanager.k8s.io/certificate-name" not in {**marks, **metadata["labels"]}

    await eventually(renamed)


async def test_when_the_modern_one_goes_the_legacy_one_lives_again(rig: Rig) -> None:
    await issued(rig)
    await rig.kubectl("apply", "-f", "-", stdin=modern())
    await rig.ready("certificates", "leaf", "Ready", MODERN)
    before = await serial(rig)

    await rig.kubectl("delete", "certificates.cert-manager.io/leaf")

    async def marked() -> bool:
        return "certmanager.k8s.io/certificate-name" in (await secret(rig, "leaf-tls"))["metadata"]["annotations"]

    await eventually(marked)
    assert await serial(rig) == before
    await rig.ready("certificates", "leaf", "CertIssued", MODERN)
    await rig.kubectl("delete", "secret", "leaf-tls")

    async def again() -> bool:
        answer = await rig.server.http.get(f"/api/v1/namespaces/{rig.namespace}/secrets/leaf-tls")
        return answer.code == 200 and "tls.crt" in answer.ok.get("data", {})

    await eventually(again)


async def test_a_second_certificate_of_another_name_waits_in_either_group(rig: Rig) -> None:
    await issued(rig)
    before = await serial(rig)

    await rig.make("Certificate", "second", LEAF)
    await rig.kubectl("apply", "-f", "-", stdin=modern("third"))

    found = await rig.ready("certificates", "second", "DuplicateSecretName")
    ready = condition_of(found)
    assert ready is not None
    assert ready["message"] == "Another Certificate is using the same secretName"
    await rig.ready("certificates", "third", "IncorrectCertificate", MODERN)
    assert await serial(rig) == before
    assert [event[1] for event in await rig.events(found["metadata"]["uid"])].count("DuplicateSecretName") == 1
