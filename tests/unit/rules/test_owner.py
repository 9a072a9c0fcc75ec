"""Which of several Certificates may write a Secret."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import NOW, certificate, secret

from certwright.api.meta import ObjectMeta, ObjectReference
from certwright.api.wellknown import Annotation, LegacyKey
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate
from certwright.rules.owner import owner_among, recorded_issuer, recorded_owners, superseding

OLD = NOW - timedelta(days=1)


def legacy(name: str = "web", created: timedelta = timedelta(0)) -> HubCertificate:
    found = certificate(name, NOW + created)
    return replace(found, key=CertificateKey(Dialect.LEGACY, "here", name))


def marked(**annotations: str) -> ObjectMeta:
    return ObjectMeta(namespace="here", annotations=annotations)


def test_the_only_one_owns_whatever_the_secret_says() -> None:
    only = certificate()

    assert owner_among([only], marked(**{Annotation.CERTIFICATE_NAME: "gone"})) == only
    assert owner_among([], None) is None


def test_the_one_that_the_secret_names_then_the_oldest_then_by_name() -> None:
    a, b, old = certificate("a"), certificate("b"), certificate("z", OLD)

    assert owner_among([a, b, old], marked(**{Annotation.CERTIFICATE_NAME: "b"})) == b
    assert owner_among([a, b, old], None) == old
    assert owner_among([b, a], None) == a


def test_across_the_groups() -> None:
    modern, other = certificate("a"), legacy("b", -timedelta(hours=1))

    assert owner_among([modern, other], marked(**{LegacyKey.CERTIFICATE_NAME: "b"})) == other
    assert owner_among([modern, other], marked(**{Annotation.CERTIFICATE_NAME: "a"})) == modern
    assert owner_among([modern, other], None) == other
    assert owner_among([certificate("z"), legacy("a")], None) == certificate("z")


def test_of_two_with_one_name_the_modern_one_owns() -> None:
    modern, old = certificate(), legacy(created=-timedelta(days=9))

    assert owner_among([old, modern], marked(**{LegacyKey.CERTIFICATE_NAME: "web"})) == modern
    assert superseding(old, [old, modern]) == modern
    assert superseding(modern, [old, modern]) is None
    assert superseding(old, [old, certificate("else")]) is None


def test_a_label_names_the_owner_as_well_as_an_annotation() -> None:
    found = ObjectMeta(namespace="here", labels={LegacyKey.CERTIFICATE_NAME: "b"})

    assert recorded_owners(found) == (CertificateKey(Dialect.LEGACY, "here", "b"),)
    assert recorded_owners(None) == ()


@pytest.mark.parametrize(
    ("annotations", "issuer"),
    [
        ({}, None),
        ({Annotation.ISSUER_NAME: "ca"}, ObjectReference(name="ca")),
        ({Annotation.ISSUER_KIND: ""}, ObjectReference(name="")),
        ({LegacyKey.ISSUER_NAME: "ca", LegacyKey.ISSUER_KIND: "Issuer"}, ObjectReference(name="ca", kind="Issuer")),
        ({LegacyKey.ISSUER_NAME: "old", Annotation.ISSUER_NAME: "new"}, ObjectReference(name="new")),
    ],
)
def test_the_recorded_issuer(annotations: dict[str, str], issuer: ObjectReference | None) -> None:
    assert recorded_issuer(marked(**annotations)) == issuer


def test_what_we_write_names_its_certificate() -> None:
    assert recorded_owners(secret(certificate()).metadata) == (CertificateKey(Dialect.MODERN, "here", "web"),)
