"""What a Certificate may say: one row for each rule."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.rules.sample import spec

from certwright.rules.validation import certificate_problems, request_problem

WINDOW = {"cron": "0 2 * * *", "windowDuration": "4h"}


def fields(**wanted: Any) -> list[str]:
    return [problem.field for problem in certificate_problems(spec(**wanted))]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"dnsNames": None, "literalSubject": "CN=x,O=y"},
        {"dnsNames": ["*.example.test"], "commonName": "a" * 64},
        {"emailAddresses": ["ops@example.test"], "ipAddresses": ["::1"], "uris": ["spiffe://a/b"]},
        {"duration": "1h", "renewBefore": "5m"},
        {"dnsNames": [f"{number}.example.test" for number in range(700)]},
        {"duration": "1h", "renewBeforePercentage": 91},
        {"renewBeforePercentage": 300},
        {"dnsNames": None, "literalSubject": "1.3.6.1.4.1.311.60.2.1.3=US;CN=x"},
        {"renewal": {"policy": "RenewBefore", "windows": [WINDOW]}},
        {"privateKey": {"algorithm": "Ed25519"}, "signatureAlgorithm": "PureEd25519"},
        {"privateKey": None},
        {"secretTemplate": {"labels": {"a.example/b": "c", "d": ""}, "annotations": {"x": "any / thing"}}},
        {"secretTemplate": {"annotations": {"cert-manager.io/allow-direct-injection": "true"}}},
        {"isCA": True, "nameConstraints": {"permitted": {"ipRanges": ["10.0.0.0/8", "fd00::/8"]}}},
        {"keystores": {"jks": {"create": True, "password": "x"}}},
        {"additionalOutputFormats": [{"type": "DER"}, {"type": "CombinedPEM"}], "revisionHistoryLimit": 1},
        {"issuerRef": {"name": "x", "kind": "AWSPCAIssuer", "group": "awspca.cert-manager.io"}},
        {"isCA": True, "nameConstraints": {"excluded": {"dnsDomains": [""]}}},
        {"emailAddresses": ["a@[127.0.0.1]", "o'neil+x@example.test"]},
    ],
)
def test_specs_that_can_be_fulfilled(wanted: dict[str, Any]) -> None:
    assert fields(**wanted) == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"issuerRef": {"name": ""}}, "spec.issuerRef.name"),
        ({"issuerRef": {"name": "x", "kind": "AWSPCAIssuer"}}, "spec.issuerRef.kind"),
        ({"secretName": "Web"}, "spec.secretName"),
        ({"secretName": "a" * 254}, "spec.secretName"),
        ({"dnsNames": None}, "spec"),
        ({"commonName": "a" * 65}, "spec.commonName"),
        ({"commonName": "ä" * 33}, "spec.commonName"),
        ({"literalSubject": "CN=x", "commonName": "x"}, "spec.literalSubject"),
        ({"literalSubject": "CN=x", "subject": {"organizations": ["o"]}}, "spec.literalSubject"),
        ({"literalSubject": "nonsense"}, "spec.literalSubject"),
        ({"dnsNames": ["bücher.example"]}, "spec.dnsNames[0]"),
        ({"dnsNames": ["a.example.test", ""]}, "spec.dnsNames[1]"),
        ({"ipAddresses": ["10.0.0.256"]}, "spec.ipAddresses[0]"),
        ({"ipAddresses": ["fe80::1%eth0"]}, "spec.ipAddresses[0]"),
        ({"emailAddresses": ["Ops <ops@example.test>"]}, "spec.emailAddresses[0]"),
        ({"emailAddresses": ["nobody"]}, "spec.emailAddresses[0]"),
        ({"emailAddresses": ["@"]}, "spec.emailAddresses[0]"),
        ({"emailAddresses": ["("]}, "spec.emailAddresses[0]"),
        ({"emailAddresses": ["(" * 3000]}, "spec.emailAddresses[0]"),
        ({"emailAddresses": ["a@b@c"]}, "spec.emailAddresses[0]"),
        ({"emailAddresses": ['"a b"@example.test']}, "spec.emailAddresses[0]"),
        ({"dnsNames": None, "literalSubject": "O=only"}, "spec"),
        ({"literalSubject": "CN=" + "a" * 65}, "spec.literalSubject"),
        ({"literalSubject": "CN=#0c02c328"}, "spec.literalSubject"),
        (
            {"isCA": True, "nameConstraints": {"permitted": {"ipRanges": ["10.0.0.1"]}}},
            "spec.nameConstraints.permitted.ipRanges[0]",
        ),
        (
            {"isCA": True, "nameConstraints": {"excluded": {"ipRanges": ["10.0.0.0/255.0.0.0"]}}},
            "spec.nameConstraints.excluded.ipRanges[0]",
        ),
        (
            {"isCA": True, "nameConstraints": {"excluded": {"dnsDomains": ["ü"]}}},
            "spec.nameConstraints.excluded.dnsDomains[0]",
        ),
        ({"secretTemplate": {"annotations": {"a/b/c": ""}}}, "spec.secretTemplate.annotations[a/b/c]"),
        ({"otherNames": [{"oid": "1.2" + ".9" * 200, "utf8Value": "x"}]}, "spec.otherNames[0].oid"),
        ({"keystores": {"pkcs12": {"create": True, "password": "a\0b"}}}, "spec.keystores.pkcs12.password"),
        ({"otherNames": [{"oid": "not an oid", "utf8Value": "x"}]}, "spec.otherNames[0].oid"),
        ({"otherNames": [{"oid": "1.2.3", "utf8Value": ""}]}, "spec.otherNames[0].utf8Value"),
        ({"duration": "59m"}, "spec.duration"),
        ({"duration": "90 days"}, "spec.duration"),
        ({"renewBefore": "4m"}, "spec.renewBefore"),
        ({"renewBefore": "soon"}, "spec.renewBefore"),
        ({"renewBefore": "2160h"}, "spec.renewBefore"),
        ({"duration": "48h", "renewBefore": "48h"}, "spec.renewBefore"),
        ({"renewBefore": "5h", "renewBeforePercentage": 25}, "spec.renewBeforePercentage"),
        ({"duration": "48h", "renewBeforePercentage": 0}, "spec.renewBeforePercentage"),
        ({"duration": "48h", "renewBeforePercentage": 100}, "spec.renewBeforePercentage"),
        ({"duration": "1h", "renewBeforePercentage": 92}, "spec.renewBeforePercentage"),
        ({"duration": "48h", "renewBeforePercentage": -(2**31)}, "spec.renewBeforePercentage"),
        ({"renewal": {}}, "spec.renewal.policy"),
        ({"renewal": {"policy": "Disabled", "windows": [WINDOW]}}, "spec.renewal.windows"),
        ({"renewal": {"policy": "RenewBefore", "windows": [{**WINDOW, "cron": "x"}]}}, "spec.renewal.windows[0].cron"),
        ({"renewal": {"windows": [WINDOW, {**WINDOW, "timezone": "x"}]}}, "spec.renewal.windows[1].timezone"),
        ({"renewal": {"windows": [{**WINDOW, "windowDuration": "0s"}]}}, "spec.renewal.windows[0].windowDuration"),
        ({"renewal": {"windows": [{**WINDOW, "windowDuration": "x"}]}}, "spec.renewal.windows[0].windowDuration"),
        ({"privateKey": {"algorithm": "RSA", "size": 1024}}, "spec.privateKey.size"),
        ({"privateKey": {"algorithm": "ECDSA", "size": 255}}, "spec.privateKey.size"),
        ({"signatureAlgorithm": "SHA256WithRSA"}, "spec.signatureAlgorithm"),
        ({"secretTemplate": {"labels": {"bad key": "x"}}}, "spec.secretTemplate.labels[bad key]"),
        ({"secretTemplate": {"labels": {"a": "not a value!"}}}, "spec.secretTemplate.labels[a]"),
        (
            {"secretTemplate": {"annotations": {"cert-manager.io/alt-names": "x"}}},
            "spec.secretTemplate.annotations[cert-manager.io/alt-names]",
        ),
        ({"keystores": {"jks": {"create": False}}}, "spec.keystores.jks"),
        ({"keystores": {"jks": {"create": True, "password": ""}}}, "spec.keystores.jks.password"),
        (
            {"keystores": {"pkcs12": {"create": True, "password": "x", "passwordSecretRef": {"name": "y"}}}},
            "spec.keystores.pkcs12",
        ),
        ({"additionalOutputFormats": [{"type": "DER"}, {"type": "DER"}]}, "spec.additionalOutputFormats"),
        ({"nameConstraints": {"permitted": {"dnsDomains": ["x"]}}}, "spec.nameConstraints"),
        ({"isCA": True, "nameConstraints": {}}, "spec.nameConstraints"),
        (
            {"isCA": True, "nameConstraints": {"excluded": {"ipRanges": ["10.0.0.0/8", "x"]}}},
            "spec.nameConstraints.excluded.ipRanges[1]",
        ),
        ({"dnsNames": [f"{number}.example.test" for number in range(1000)]}, "spec.dnsNames"),
        ({"otherNames": [{"oid": "1.2.3", "utf8Value": "x" * 30_000}]}, "spec.otherNames"),
        ({"subject": {"organizations": ["ü" * 15_000]}}, "spec.subject"),
        ({"secretTemplate": {"annotations": {"a": "x" * 256 * 1024}}}, "spec.secretTemplate.annotations"),
        ({"revisionHistoryLimit": 0}, "spec.revisionHistoryLimit"),
        ({"revisionHistoryLimit": -1}, "spec.revisionHistoryLimit"),
    ],
)
def test_specs_that_cannot(wanted: dict[str, Any], field: str) -> None:
    assert field in fields(**wanted)


def test_each_problem_is_a_sentence_with_a_next_step() -> None:
    for problem in certificate_problems(spec(issuerRef={"name": ""}, dnsNames=None, duration="x", secretName="_")):
        assert problem.message.endswith(".")
        assert problem.message[0].isupper()


def test_only_what_keeps_a_request_from_being_made_stops_an_issuance() -> None:
    assert request_problem(spec(commonName="a" * 65, renewBefore="1m", secretTemplate={"labels": {"?": ""}})) is None
    assert request_problem(spec(literalSubject="nonsense")) is not None
    assert request_problem(spec(duration="long")) is not None
    assert request_problem(spec(privateKey={"algorithm": "RSA", "size": 1024})) is not None
