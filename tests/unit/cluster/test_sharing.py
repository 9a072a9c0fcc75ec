"""Words that many objects repeat are kept once, and nothing of an object changes by that."""

from __future__ import annotations

from msgspec.structs import replace

from certwright.api import certmanager_v1 as cm
from certwright.api.kinds import CERTIFICATE_REQUEST
from certwright.api.meta import OwnerReference, decode, encode
from certwright.cluster.facts import TARGET_SECRET, lean_certificate, request_facts, secret_facts
from certwright.rules.mirrors import LAST_APPLIED, MIRROR

CERTIFICATE = b"""{"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
"metadata": {"name": "web", "namespace": "shop",
"annotations": {"team": "blue"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
"spec": {"secretName": "web", "dnsNames": ["web.example.com"], "issuerRef": {"name": "ca", "kind": "Issuer"},
"privateKey": {"algorithm": "ECDSA"}, "usages": ["server auth"]},
"status": {"notBefore": "2026-01-01T00:00:00Z", "conditions": [{"type": "Ready", "status": "True", "reason": "Ready",
"message": "Certificate is up to date", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}"""
OWNED = b""""metadata": {"name": "web-1", "namespace": "shop", "annotations": {"cert-manager.io/issuer-name": "ca"},
"ownerReferences": [{"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": "web", "uid": "u"}]}"""
REQUEST = (
    b"""{%b, "spec": {"request": "", "issuerRef": {"name": "ca"}}, "status": {"conditions": [
{"type": "Ready", "status": "True", "reason": "Issued", "message": "Certificate fetched from issuer"}]}}"""
    % OWNED
)


def test_certificates_share_their_words() -> None:
    one, other = (lean_certificate(decode(cm.Certificate, CERTIFICATE)) for _ in range(2))

    assert one.spec.issuer_ref is other.spec.issuer_ref
    assert one.spec.private_key is other.spec.private_key
    assert one.spec.usages is other.spec.usages
    assert one.metadata.labels is other.metadata.labels
    assert one.metadata.namespace is other.metadata.namespace
    assert one.status.conditions[0].message is other.status.conditions[0].message


def test_answered_requests_share_their_words() -> None:
    one, other = (request_facts(CERTIFICATE_REQUEST.read(REQUEST)) for _ in range(2))

    assert one.spec is other.spec
    assert one.status.conditions[0].message is other.status.conditions[0].message
    assert one.metadata.owner_references[0].api_version is other.metadata.owner_references[0].api_version


def test_secrets_share_their_words() -> None:
    one, other = (secret_facts(TARGET_SECRET.read(b"{%b}" % OWNED)) for _ in range(2))

    assert one.owned is other.owned
    (name,), (again,) = one.metadata.annotations.values(), other.metadata.annotations.values()
    assert name is again


def test_nothing_of_a_certificate_changes() -> None:
    found = decode(cm.Certificate, CERTIFICATE)

    kept = lean_certificate(found)

    assert kept == found
    assert encode(kept) == encode(found)


def test_the_copy_of_the_manifest_goes_unless_the_object_is_a_mirror() -> None:
    found = decode(cm.Certificate, CERTIFICATE)
    original = OwnerReference(
        api_version="certmanager.k8s.io/v1alpha1", kind="Certificate", name="web", uid="u", controller=True
    )
    applied = replace(found, metadata=replace(found.metadata, annotations={LAST_APPLIED: "{}", "team": "blue"}))
    mirrored = replace(
        applied,
        metadata=replace(applied.metadata, annotations={LAST_APPLIED: "{}", MIRROR: "x"}, owner_references=(original,)),
    )

    assert lean_certificate(applied) == found
    assert lean_certificate(mirrored) == mirrored
