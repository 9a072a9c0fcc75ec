"""The CRD's rules for Certificates and CertificateRequests."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.api.cel_judge import complaints

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import JSON

Plain = dict[str, Any]  # JSON of a test case

SPEC: Plain = {"secretName": "tls", "issuerRef": {"name": "ca"}, "dnsNames": ["example.com"]}
REQUEST: Plain = {"request": "cGVt", "issuerRef": {"name": "ca"}, "username": "u", "uid": ""}
APPROVED: Plain = {"type": "Approved", "status": "True", "reason": "cert-manager.io"}
READY: Plain = {"type": "Ready", "status": "False", "reason": "Pending"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dnsNames": [], "commonName": "a"},
        {"dnsNames": [], "otherNames": [{"oid": "1.2", "utf8Value": "x"}]},
        {"dnsNames": [], "literalSubject": "CN=a,O=b"},
        {"literalSubject": "CN=a", "subject": {"organizations": []}, "commonName": ""},
        {"secretName": "a.b-c"},
        {"commonName": "x" * 64},
        {"commonName": "ä" * 32},
        {"duration": "1h"},
        {"duration": "60m0s", "renewBefore": "5m"},
        {"renewBefore": "2159h"},
        {"renewBeforePercentage": 300},
        {"duration": "1h", "renewBeforePercentage": 91},
        {"issuerRef": {"name": "x", "kind": "AWSPCAClusterIssuer", "group": "awspca.cert-manager.io"}},
        {"issuerRef": {"name": "x", "kind": "ClusterIssuer"}},
        {"issuerRef": {"name": "x", "kind": "", "group": ""}},
        {"signatureAlgorithm": "SHA512WithRSA"},
        {"signatureAlgorithm": "PureEd25519", "privateKey": {"algorithm": "Ed25519"}},
        {"signatureAlgorithm": "ECDSAWithSHA256", "privateKey": {"algorithm": "ECDSA"}},
        {"nameConstraints": {"permitted": {}}, "isCA": True},
        {"additionalOutputFormats": [{"type": "DER"}, {"type": "CombinedPEM"}]},
        {"revisionHistoryLimit": 1},
    ],
)
def test_good_certificates_pass(changes: Plain) -> None:
    assert complaints(cm.CertificateSpec, SPEC | changes) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"dnsNames": []}, "name nothing"),
        ({"secretName": ""}, "secretName"),
        ({"secretName": "A_b"}, "secretName"),
        ({"secretName": "a" * 254}, "secretName"),
        ({"issuerRef": {"name": ""}}, "issuerRef.name"),
        ({"issuerRef": {"name": "x", "kind": "Other"}}, "issuerRef.kind"),
        ({"issuerRef": {"name": "x", "kind": "Other", "group": "cert-manager.io"}}, "issuerRef.kind"),
        ({"literalSubject": "CN=a", "commonName": "a"}, "literalSubject excludes commonName"),
        ({"literalSubject": "CN=a", "subject": {"countries": ["DE"]}}, "literalSubject excludes subject"),
        ({"commonName": "x" * 65}, "commonName"),
        ({"commonName": "ä" * 33}, "commonName"),
        ({"duration": "59m"}, "duration"),
        ({"duration": "soon"}, "duration"),
        ({"renewBefore": "4m59s"}, "renewBefore must be 5m"),
        ({"renewBefore": "2160h"}, "shorter than duration"),
        ({"duration": "10h", "renewBefore": "10h"}, "shorter than duration"),
        ({"renewBefore": "10h", "renewBeforePercentage": 50}, "excludes renewBeforePercentage"),
        ({"duration": "48h", "renewBeforePercentage": 0}, "renewBeforePercentage must be"),
        ({"duration": "48h", "renewBeforePercentage": 100}, "renewBeforePercentage must be"),
        ({"duration": "1h", "renewBeforePercentage": 92}, "renewBeforePercentage must be"),
        ({"duration": "48h", "renewBeforePercentage": -(2**31)}, "renewBeforePercentage must be"),
        ({"signatureAlgorithm": "ECDSAWithSHA256"}, "signatureAlgorithm"),
        ({"signatureAlgorithm": "SHA256WithRSA", "privateKey": {"algorithm": "Ed25519"}}, "signatureAlgorithm"),
        ({"nameConstraints": {"permitted": {}}}, "nameConstraints"),
        ({"additionalOutputFormats": [{"type": "DER"}, {"type": "DER"}]}, "additionalOutputFormats"),
        ({"additionalOutputFormats": [{"type": "DER"}, {"type": "CombinedPEM"}, {"type": "DER"}]}, "list each format"),
        ({"revisionHistoryLimit": 0}, "revisionHistoryLimit"),
    ],
)
def test_bad_certificates_are_refused_with_the_field_in_the_message(changes: Plain, word: str) -> None:
    found = complaints(cm.CertificateSpec, SPEC | changes)

    assert any(word in message for message in found)


def test_a_certificate_without_a_spec_is_refused() -> None:
    assert complaints(cm.Certificate, {"metadata": {}}) == ["spec is missing: say what is wanted"]


@pytest.mark.parametrize(
    ("key", "passes"),
    [
        ({}, True),
        ({"size": 0}, True),
        ({"size": 3000}, True),
        ({"size": 1024}, False),
        ({"size": 16384, "algorithm": "RSA"}, False),
        ({"size": 384, "algorithm": "ECDSA"}, True),
        ({"algorithm": "ECDSA"}, True),
        ({"size": 2048, "algorithm": "ECDSA"}, False),
        ({"size": 7, "algorithm": "Ed25519"}, True),
    ],
)
def test_key_sizes_fit_the_algorithm(key: Plain, passes: bool) -> None:
    assert (complaints(cm.PrivateKey, key) == []) is passes


@pytest.mark.parametrize(
    ("keystore", "passes"),
    [
        ({"passwordSecretRef": {"name": "s", "key": "k"}}, True),
        ({"password": "x"}, True),
        # So Go clients write a keystore with a literal password.
        ({"password": "x", "passwordSecretRef": {"name": ""}}, True),
        ({"password": "", "passwordSecretRef": {"name": ""}}, False),
        ({"password": "x", "passwordSecretRef": {"name": "s"}}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("kind", [cm.JKSKeystore, cm.PKCS12Keystore])
def test_a_keystore_has_one_password(kind: type[cm.JKSKeystore], keystore: Plain, passes: bool) -> None:
    assert (complaints(kind, keystore) == []) is passes


@pytest.mark.parametrize(
    ("renewal", "passes"),
    [
        ({"policy": "RenewBefore", "windows": [{"cron": "* * * * *"}]}, True),
        ({"policy": "Disabled", "windows": []}, True),
        ({"policy": "Disabled", "windows": [{"cron": "* * * * *"}]}, False),
        ({}, False),
    ],
)
def test_renewal_needs_a_policy_and_windows_need_renewal(renewal: Plain, passes: bool) -> None:
    assert (complaints(cm.Renewal, renewal) == []) is passes


@pytest.mark.parametrize(
    ("key", "passes"),
    [
        ("example.com/a", True),
        ("acme.cert-manager.io/a", True),
        ("cert-manager.io/allow-direct-injection", True),
        ("cert-manager.io/issuer-name", False),
    ],
)
def test_secret_templates_leave_our_annotations_alone(key: str, passes: bool) -> None:
    assert (complaints(cm.SecretTemplate, {"annotations": {key: "x"}}) == []) is passes


@pytest.mark.parametrize(
    "change",
    [
        {},
        # What a Go client leaves out when it writes the object back.
        {"uid": None, "isCA": None, "usages": None, "groups": None, "extra": None},
        {"duration": "48h0m0s"},
    ],
)
def test_a_request_may_be_written_back_by_go_clients(change: Plain) -> None:
    old = REQUEST | {"isCA": False, "usages": [], "groups": [], "extra": {}, "duration": "48h"}
    new = {key: value for key, value in (old | change).items() if value is not None}

    assert complaints(cm.CertificateRequestSpec, new, old) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request", "b3RoZXI="),
        ("issuerRef", {"name": "other"}),
        ("issuerRef", {"name": "ca", "kind": "ClusterIssuer"}),
        ("issuerRef", {"name": "ca", "group": "example.com"}),
        ("duration", "1h"),
        ("isCA", True),
        ("usages", ["server auth"]),
        ("username", "mallory"),
        ("uid", "1"),
        ("groups", ["system:masters"]),
        ("extra", {"a": ["b"]}),
    ],
)
def test_a_request_never_changes(field: str, value: object) -> None:
    found = complaints(cm.CertificateRequestSpec, REQUEST | {field: value}, REQUEST)

    assert len(found) == 1
    assert found[0].startswith(field)


@pytest.mark.parametrize(
    ("conditions", "passes"),
    [
        ([APPROVED, READY], True),
        ([READY], True),
        ([APPROVED, APPROVED | {"type": "Denied"}], False),
        ([APPROVED | {"status": "False"}], False),
    ],
)
def test_approved_and_denied_are_true_and_exclusive(conditions: list[JSON], passes: bool) -> None:
    assert (complaints(cm.CertificateRequestStatus, {"conditions": conditions}) == []) is passes


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        (None, [APPROVED], True),
        ([READY], [APPROVED, READY], True),
        ([APPROVED], [READY, APPROVED | {"message": ""}], True),
        ([APPROVED], [READY], False),
        ([APPROVED], None, False),
        ([APPROVED], [APPROVED | {"reason": "other"}], False),
        ([APPROVED], [APPROVED | {"message": "other"}], False),
        ([APPROVED | {"type": "Denied"}], [READY], False),
    ],
)
def test_an_approval_is_final(old: list[JSON] | None, new: list[JSON] | None, passes: bool) -> None:
    before: Plain = {"spec": {}, **({"status": {"conditions": old}} if old else {})}
    after: Plain = {"spec": {}, **({"status": {"conditions": new}} if new else {})}

    assert (complaints(cm.CertificateRequest, after, before) == []) is passes
