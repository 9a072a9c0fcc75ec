"""What a legacy Certificate's Secret bears."""

from __future__ import annotations

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import ObjectMeta, ObjectReference
from certwright.pki import pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate
from certwright.rules.legacy_secret import SecretMarks, legacy_chain, legacy_marks, other_marks

NAMES = AlternativeNames(dns_names=("a.example.com", "b.example.com"), ip_addresses=("10.0.0.1",))


def certificate(name: str) -> HubCertificate:
    return HubCertificate(
        key=CertificateKey(Dialect.LEGACY, "ns", name),
        metadata=ObjectMeta(name=name, namespace="ns"),
        spec=cm.CertificateSpec(
            secret_name="s", issuer_ref=ObjectReference(name="i", kind="ClusterIssuer", group="certmanager.k8s.io")
        ),
    )


def test_the_marks_of_v05_and_those_that_let_v1_adopt_it() -> None:
    assert legacy_marks(certificate("c"), "a.example.com", NAMES) == SecretMarks(
        labels={"controller.cert-manager.io/fao": "true", "certmanager.k8s.io/certificate-name": "c"},
        annotations={
            "certmanager.k8s.io/certificate-name": "c",
            "certmanager.k8s.io/issuer-name": "i",
            "certmanager.k8s.io/issuer-kind": "ClusterIssuer",
            "certmanager.k8s.io/common-name": "a.example.com",
            "certmanager.k8s.io/alt-names": "a.example.com,b.example.com",
            "certmanager.k8s.io/ip-sans": "10.0.0.1",
            "cert-manager.io/issuer-name": "i",
            "cert-manager.io/issuer-kind": "ClusterIssuer",
        },
    )


def test_a_name_that_is_too_long_for_a_label_stands_in_the_annotation_alone() -> None:
    marks = legacy_marks(certificate("c" * 64), "", NAMES)

    assert "certmanager.k8s.io/certificate-name" not in marks.labels
    assert marks.annotations["certmanager.k8s.io/certificate-name"] == "c" * 64


def test_each_dialect_takes_the_others_marks_off() -> None:
    assert set(other_marks(Dialect.LEGACY).annotations) == {
        "cert-manager.io/certificate-name",
        "cert-manager.io/issuer-group",
    }
    assert set(other_marks(Dialect.MODERN).labels) == {"certmanager.k8s.io/certificate-name"}


LEAF, MIDDLE, ROOT = (pem.write_certificates([bytes([0x30, 1, n])]) for n in range(3))


def test_a_ca_issuers_chain_ends_with_the_ca_and_others_stay_as_they_are() -> None:
    assert legacy_chain(LEAF, ROOT, from_ca_issuer=True) == LEAF + ROOT
    assert legacy_chain(LEAF + MIDDLE, ROOT, from_ca_issuer=True) == LEAF + MIDDLE
    assert legacy_chain(LEAF, b"", from_ca_issuer=True) == LEAF
    assert legacy_chain(LEAF, LEAF, from_ca_issuer=True) == LEAF
    assert legacy_chain(LEAF, ROOT, from_ca_issuer=False) == LEAF
