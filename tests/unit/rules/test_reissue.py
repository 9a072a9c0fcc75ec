"""When a certificate is issued again: one row for each check, in the order in which they count."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import (
    ISSUER,
    NOW,
    certificate,
    chain,
    csr,
    key,
    ready,
    request,
    secret,
    secret_of,
    spec,
    temporary_chain,
)

from certwright.api.certmanager_v1 import (
    CertificateRequest,
    CertificateRequestSpec,
    CertificateRequestStatus,
    CertificateStatus,
)
from certwright.api.meta import Condition, ObjectMeta
from certwright.api.wellknown import Annotation, LegacyKey
from certwright.cluster.facts import request_facts
from certwright.pki import pem
from certwright.rules.facts import RequestFacts, SecretFacts
from certwright.rules.hub import HubCertificate
from certwright.rules.reissue import (
    Subjects,
    Violation,
    expired,
    key_fits,
    renewing,
    request_differences,
    violation,
)


def judged(wanted: HubCertificate, found: SecretFacts | None, current: RequestFacts | None = None) -> Violation | None:
    return violation(Subjects(certificate=wanted, secret=found, current=current))


def reason(wanted: HubCertificate, found: SecretFacts | None, current: RequestFacts | None = None) -> str:
    failed = judged(wanted, found, current)
    return failed.reason if failed else ""


def test_what_was_issued_for_a_spec_fulfils_it() -> None:
    wanted = certificate()

    assert judged(wanted, secret(wanted), request(wanted)) is None
    assert judged(wanted, secret(wanted)) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"data": {"tls.key": None}}, "MissingData"),
        ({"data": {"tls.crt": b""}}, "MissingData"),
        ({"data": {"tls.key": b"x"}}, "InvalidKeyPair"),
        ({"data": {"tls.crt": b"x"}}, "InvalidCertificate"),
        ({"annotations": {Annotation.ISSUER_NAME: "other"}}, "IncorrectIssuer"),
        ({"annotations": {Annotation.ISSUER_KIND: "ClusterIssuer"}}, "IncorrectIssuer"),
        ({"annotations": {Annotation.ISSUER_GROUP: "example.test"}}, "IncorrectIssuer"),
        ({"annotations": {Annotation.CERTIFICATE_NAME: "other"}}, "IncorrectCertificate"),
        ({"signer": key("ECDSA", 384)}, "SecretMismatch"),
        ({"signer": key(number=1)}, "SecretMismatch"),
    ],
)
def test_a_secret_that_is_not_as_wanted(changes: dict[str, Any], expected: str) -> None:
    wanted = certificate()

    assert reason(wanted, secret(wanted, **changes), request(wanted)) == expected


def garbled(text: bytes) -> bytes:
    """The PEM block with a name in it that is no text."""
    [block] = pem.split(text, "the block")
    assert b"web.example.test" in block.der
    return pem.write(block.label, block.der.replace(b"web.example.test", b"web.ex\xffmple.test"))


def test_a_certificate_whose_names_cannot_be_read() -> None:
    wanted = certificate()
    failed = judged(wanted, secret(wanted, data={"tls.crt": garbled(chain(wanted.spec))}), request(wanted))

    assert failed is not None
    assert failed.reason == "InvalidCertificate"
    assert "ASCII" in failed.message


def test_an_issued_request_whose_names_cannot_be_read() -> None:
    wanted = certificate()
    asked = CertificateRequest(
        metadata=ObjectMeta(name="web-1"),
        spec=CertificateRequestSpec(issuer_ref=ISSUER, request=garbled(csr(wanted.spec))),
        status=CertificateRequestStatus(conditions=(Condition(type="Ready", status="True", reason="Issued"),)),
    )
    found = request_facts(asked)
    failed = judged(wanted, secret(wanted), found)

    assert "ASCII" in found.unreadable
    assert request_differences(found, wanted.spec) == ()
    assert failed is not None
    assert failed.reason == "InvalidCertificateRequest"


def test_no_secret_and_an_empty_one() -> None:
    wanted = certificate()

    assert reason(wanted, None) == "DoesNotExist"
    assert reason(wanted, secret_of(wanted, {}, {}, {})) == "MissingData"


def test_a_key_of_another_certificate() -> None:
    wanted = certificate()
    other = secret(wanted, signer=key(number=1))
    assert other.key is not None

    assert reason(wanted, replace(secret(wanted), key=other.key)) == "InvalidKeyPair"


def test_a_temporary_certificate_is_not_what_is_wanted() -> None:
    wanted = certificate()

    assert reason(wanted, secret(wanted, chain=temporary_chain(wanted.spec))) == "TemporaryCertificate"


@pytest.mark.parametrize(
    "annotations",
    [
        {Annotation.ISSUER_KIND: "Issuer", Annotation.ISSUER_GROUP: "cert-manager.io"},
        {Annotation.ISSUER_NAME: None, Annotation.ISSUER_KIND: None, Annotation.ISSUER_GROUP: None},
        {
            Annotation.ISSUER_NAME: None,
            Annotation.ISSUER_KIND: None,
            Annotation.ISSUER_GROUP: None,
            LegacyKey.ISSUER_NAME: "ca",
            LegacyKey.ISSUER_KIND: "Issuer",
        },
    ],
)
def test_provenance_that_counts_as_equal(annotations: dict[str, str | None]) -> None:
    wanted = certificate()

    assert judged(wanted, secret(wanted, annotations=annotations), request(wanted)) is None


FIELDS: list[tuple[str, Any]] = [
    ("dnsNames", ["other.example.test"]),
    ("ipAddresses", ["10.0.0.1"]),
    ("uris", ["spiffe://example.test/x"]),
    ("emailAddresses", ["ops@example.test"]),
    ("commonName", "web"),
    ("literalSubject", "CN=web"),
    ("isCA", True),
    ("usages", ["server auth"]),
    ("otherNames", [{"oid": "1.2.3.4", "utf8Value": "x"}]),
    *(
        (f"subject.{part}", {part: ["x"]})
        for part in (
            "organizations",
            "countries",
            "localities",
            "organizationalUnits",
            "postalCodes",
            "provinces",
            "streetAddresses",
        )
    ),
    ("subject.serialNumber", {"serialNumber": "7"}),
]


@pytest.mark.parametrize(("field", "value"), FIELDS, ids=[field for field, _ in FIELDS])
def test_each_compared_field_is_named(field: str, value: Any) -> None:
    old = certificate()
    new = certificate(**{field.split(".", maxsplit=1)[0]: value})

    assert request_differences(request(old), new.spec) == (f"spec.{field}",)
    assert reason(new, secret(old), request(old)) == "RequestChanged"


def test_the_issuer_and_the_duration_are_compared_by_what_they_mean() -> None:
    old = request(certificate(duration="48h"))

    assert request_differences(old, spec(duration="48h0m0s")) == ()
    assert request_differences(old, spec()) == ()
    assert request_differences(old, spec(duration="49h")) == ("spec.duration",)
    assert request_differences(old, spec(issuerRef={"name": "ca", "kind": "Issuer", "group": "cert-manager.io"})) == ()
    assert request_differences(old, spec(issuerRef={"name": "x"})) == ("spec.issuerRef",)


@pytest.mark.parametrize(
    "fields",
    [
        {"dnsNames": ["b.example.test", "a.example.test"]},
        {"usages": ["server auth", "digital signature"]},
        {"privateKey": {"algorithm": "ECDSA", "encoding": "PKCS8", "rotationPolicy": "Never"}},
        {"signatureAlgorithm": "ECDSAWithSHA384"},
        {"encodeUsagesInRequest": False},
        {"nameConstraints": {"permitted": {"dnsDomains": ["example.test"]}}},
        {"renewBefore": "10m", "secretTemplate": {"labels": {"a": "b"}}, "revisionHistoryLimit": 4},
    ],
)
def test_what_is_no_reason(fields: dict[str, Any]) -> None:
    base: dict[str, Any] = {
        "dnsNames": ["a.example.test", "b.example.test"],
        "usages": ["digital signature", "server auth"],
    }
    old, new = certificate(**base), certificate(**{**base, **fields})

    assert judged(new, secret(old), request(old)) is None


def test_the_default_usages_may_be_written_out() -> None:
    assert request_differences(request(certificate()), spec(usages=["key encipherment", "digital signature"])) == ()


def test_removed_other_names_count_unless_they_were_accepted_before() -> None:
    old = certificate(otherNames=[{"oid": "1.2.3.4", "utf8Value": "x"}])
    new = certificate()
    generation = new.metadata.generation
    later = Condition(type="Ready", status="True", observed_generation=generation + 1)
    changed = replace(new, status=CertificateStatus(conditions=(later,)))

    assert reason(new, secret(old), request(old)) == "RequestChanged"
    assert reason(changed, secret(old), request(old)) == "RequestChanged"
    assert judged(accepted(new), secret(old), request(old)) is None


def accepted(wanted: HubCertificate) -> HubCertificate:
    """The Certificate after its spec was found to be fulfilled."""
    ready = Condition(type="Ready", status="True", observed_generation=wanted.metadata.generation)
    return replace(wanted, status=CertificateStatus(conditions=(ready,)))


def test_what_was_accepted_is_not_compared_again() -> None:
    old, new = certificate(dnsNames=["old.example.test"]), accepted(certificate())
    text = chain(old.spec)
    answer = base64.b64encode(text).decode()
    issued = request(old, conditions=[ready("True", "Issued")], certificate=answer)

    assert judged(new, secret(new, chain=text), issued) is None
    assert reason(new, None, issued) == "DoesNotExist"
    assert reason(new, secret(new, signer=key(number=1)), issued) == "SecretMismatch"
    assert reason(new, secret(new, chain=chain(old.spec, key(number=1))), issued) == "InvalidKeyPair"


def test_a_request_of_another_key_or_beyond_reading() -> None:
    wanted = certificate()
    torn = replace(request(wanted), text=b"cut")

    assert reason(wanted, secret(wanted), request(wanted, signer=key(number=1))) == "SecretMismatch"
    assert reason(wanted, secret(wanted), torn) == "InvalidCertificateRequest"


@pytest.mark.parametrize(
    ("issued", "wanted", "fits"),
    [
        ({"commonName": "web.example.test"}, {}, True),
        ({}, {"commonName": "web.example.test"}, True),
        ({"commonName": "a.example.test", "dnsNames": None}, {"dnsNames": ["a.example.test"]}, True),
        ({}, {"commonName": "elsewhere.example.test"}, False),
        ({}, {"dnsNames": ["web.example.test", "more.example.test"]}, False),
        ({"dnsNames": ["web.example.test", "more.example.test"]}, {}, False),
        ({}, {"ipAddresses": ["10.0.0.1"]}, False),
        ({"uris": ["spiffe://a/b"]}, {}, False),
    ],
)
def test_without_a_request_names_are_compared_loosely(
    issued: dict[str, Any], wanted: dict[str, Any], fits: bool
) -> None:
    new = certificate(**wanted)

    assert reason(new, secret(certificate(**issued))) == ("" if fits else "SecretMismatch")


def test_the_first_failed_check_gives_the_reason() -> None:
    wanted = certificate()
    found = secret(wanted, signer=key("ECDSA", 384), annotations={Annotation.ISSUER_NAME: "other"})

    assert reason(wanted, found) == "IncorrectIssuer"


def test_expiry_and_renewal_begin_at_their_second() -> None:
    found = secret(certificate())
    assert found.leaf is not None
    end = found.leaf.not_after

    assert expired(found, end - timedelta(seconds=1)) is None
    assert expired(found, end) is not None
    assert expired(None, end) is None
    assert renewing(NOW, NOW - timedelta(seconds=1)) is None
    assert renewing(NOW, NOW) is not None
    assert renewing(None, NOW) is None


def test_a_key_fits_by_algorithm_and_size() -> None:
    found = secret(certificate()).key
    assert found is not None

    assert key_fits(found, spec())
    assert not key_fits(found, spec(privateKey={"algorithm": "ECDSA", "size": 384}))
    assert not key_fits(found, spec(privateKey=None))
