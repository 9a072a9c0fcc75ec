"""What a target Secret holds, and what counts as drift."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import ISSUER, NOW, certificate, chain, key, secret, spec

from certwright.api.meta import ObjectReference
from certwright.api.wellknown import Annotation, Label, LegacyKey
from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyEncoding, encode_private_key
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile
from certwright.rules.facts import SecretFacts
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate
from certwright.rules.request_content import owner_reference
from certwright.rules.secret_contents import (
    Material,
    Passwords,
    csv_record,
    drift,
    issuer_to_record,
    key_der,
    secret_data,
    secret_metadata,
    secret_object,
)

PEM = encode_private_key(key())
CHAIN = chain(spec())
ALWAYS = {Annotation.COMMON_NAME: "", Annotation.IP_SANS: "", Annotation.URI_SANS: ""}


def material(ca: bytes = b"") -> Material:
    return Material(key=key(), key_pem=PEM, chain=CHAIN, ca=ca)


def described(wanted: HubCertificate, issuer: ObjectReference = ISSUER) -> dict[str, str]:
    leaf = secret(wanted).leaf
    assert leaf is not None
    return dict(secret_metadata(wanted, leaf.identity, issuer).annotations)


def test_data_of_a_plain_certificate() -> None:
    found = secret_data(spec(), material(), Passwords(), NOW)

    assert found == {"tls.key": PEM, "tls.crt": CHAIN}


def test_the_ca_and_the_further_formats() -> None:
    formats = [{"type": "DER"}, {"type": "CombinedPEM"}]
    found = secret_data(spec(additionalOutputFormats=formats), material(b"ca"), Passwords(), NOW)

    assert found["ca.crt"] == b"ca"
    assert found["tls-combined.pem"] == PEM + b"\n" + CHAIN
    assert b"BEGIN" not in found["key.der"]
    assert (
        found["key.der"]
        != secret_data(
            spec(additionalOutputFormats=formats),
            replace(material(), key_pem=encode_private_key(key(), KeyEncoding.PKCS8)),
            Passwords(),
            NOW,
        )["key.der"]
    )


def test_key_stores_and_trust_stores() -> None:
    stores = {"jks": {"create": True, "password": "pw"}, "pkcs12": {"create": True, "password": "pw"}}
    wanted, passwords = spec(keystores=stores), Passwords(jks=b"pw", pkcs12=b"pw")

    with_ca = secret_data(wanted, material(chain(spec(isCA=True))), passwords, NOW)
    without_ca = secret_data(wanted, material(), passwords, NOW)

    assert {"keystore.jks", "truststore.jks", "keystore.p12", "truststore.p12"} <= with_ca.keys()
    assert not {"truststore.jks", "truststore.p12"} & without_ca.keys()
    assert opens_jks(with_ca["keystore.jks"], b"pw", "certificate")
    assert opens_pkcs12(with_ca["keystore.p12"], b"pw", Profile.LEGACY_RC2)
    assert "pw" not in repr(passwords)


def test_an_alias_that_the_ca_has_is_refused() -> None:
    stores = {"jks": {"create": True, "password": "pw", "alias": "ca"}}

    with pytest.raises(PkiError):
        secret_data(spec(keystores=stores), material(chain(spec(isCA=True))), Passwords(jks=b"pw"), NOW)


def test_annotations_of_a_plain_certificate() -> None:
    assert described(certificate()) == ALWAYS | {
        Annotation.ALT_NAMES: "web.example.test",
        Annotation.CERTIFICATE_NAME: "web",
        Annotation.ISSUER_NAME: "ca",
        Annotation.ISSUER_KIND: "",
        Annotation.ISSUER_GROUP: "",
    }


def test_annotations_describe_the_certificate_and_win_over_the_template() -> None:
    subject = {"organizations": ["Org, Inc", "Second"], "serialNumber": "7"}
    template = {"annotations": {"team": "red", Annotation.ALT_NAMES: "lies"}, "labels": {"app": "web"}}
    wanted = certificate(subject=subject, secretTemplate=template, emailAddresses=["ops@example.test"])

    found = described(wanted)

    assert found["team"] == "red"
    assert found[Annotation.ALT_NAMES] == "web.example.test"
    assert found[Annotation.SUBJECT_ORGANIZATIONS] == 'Second,"Org, Inc"'
    assert found[Annotation.SUBJECT_SERIAL_NUMBER] == "7"
    assert found[Annotation.EMAIL_SANS] == "ops@example.test"
    assert Annotation.SUBJECT_COUNTRIES not in found


def test_a_legacy_secret_speaks_both_dialects_without_the_modern_owner() -> None:
    wanted = certificate()
    legacy = replace(wanted, key=CertificateKey(Dialect.LEGACY, "here", "web"))
    leaf = secret(wanted).leaf
    assert leaf is not None

    found = secret_metadata(legacy, leaf.identity, ISSUER)

    assert found.labels == {LegacyKey.CERTIFICATE_NAME: "web", Label.FILTERED: "true"}
    assert found.annotations[LegacyKey.ISSUER_KIND] == "Issuer"
    assert found.annotations[Annotation.ISSUER_NAME] == "ca"
    assert Annotation.CERTIFICATE_NAME not in found.annotations
    assert Annotation.ISSUER_GROUP not in found.annotations


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((), ""),
        (("a", "b"), "a,b"),
        (("a,b", 'c"d'), '"a,b","c""d"'),
        ((" Two", "x\ny"), '" Two","x\ny"'),
        (("end ",), "end "),
        ((r"\.",), r'"\."'),
    ],
)
def test_csv_as_go_writes_it(values: tuple[str, ...], text: str) -> None:
    assert csv_record(values) == text


def test_what_is_as_written_has_not_drifted() -> None:
    wanted = certificate(secretTemplate={"labels": {"app": "web"}, "annotations": {"team": "red"}})

    assert drift(wanted, secret(wanted), owned=False) == ()


@pytest.mark.parametrize(
    ("fields", "changes", "names"),
    [
        ({}, {"annotations": {Annotation.ALT_NAMES: "lies"}}, ("annotations",)),
        ({}, {"annotations": {"stale": "x"}}, ("annotations",)),
        ({"secretTemplate": {"labels": {"app": "web"}}}, {"labels": {"app": None}}, ("labels",)),
        ({"additionalOutputFormats": [{"type": "DER"}]}, {}, ("additional output formats",)),
        ({"additionalOutputFormats": [{"type": "DER"}]}, {"data": {"key.der": b"x"}}, ("additional output formats",)),
        ({}, {"data": {"tls-combined.pem": b"x"}}, ("additional output formats",)),
        ({"keystores": {"jks": {"create": True, "password": "pw"}}}, {}, ("keystores",)),
        ({"keystores": {"jks": {"create": False, "password": "pw"}}}, {}, ()),
        ({}, {"data": {"keystore.p12": b"x"}}, ("keystores",)),
    ],
)
def test_drift(fields: dict[str, Any], changes: dict[str, Any], names: tuple[str, ...]) -> None:
    wanted = certificate(**fields)

    assert drift(wanted, secret(wanted, **changes), owned=False) == names


def test_what_another_manager_owns_is_not_ours() -> None:
    """A value that a person has changed is not owned by us any more, so it shows; what they have added does not."""
    wanted = certificate()
    found = secret(wanted)
    foreign = replace(
        found,
        metadata=replace(found.metadata, annotations={**found.metadata.annotations, "mine": "x"}),
        data=(*found.data, "extra"),
    )

    assert drift(wanted, foreign, owned=False) == ()


def test_the_owner_reference_follows_the_flag() -> None:
    wanted = certificate()
    owned = secret(wanted, owners=(owner_reference(wanted),))

    assert drift(wanted, owned, owned=True) == ()
    assert drift(wanted, owned, owned=False) == ("owner reference",)
    assert drift(wanted, secret(wanted), owned=True) == ("owner reference",)
    former = replace(wanted, metadata=replace(wanted.metadata, uid="of another life"))
    assert drift(former, owned, owned=False) == drift(former, owned, owned=True) == ("owner reference",)
    foreign = replace(owned, owned=replace(owned.owned, owner_reference=False))
    assert drift(wanted, foreign, owned=False) == ()
    assert drift(wanted, foreign, owned=True) == ("owner reference",)


def test_a_ca_that_others_have_put_there_makes_no_trust_store() -> None:
    wanted = certificate(keystores={"jks": {"create": True, "password": "pw"}})
    found = secret(wanted, data={"keystore.jks": b"x"})
    foreign = replace(found, data=(*found.data, "ca.crt"))

    assert drift(wanted, foreign, owned=False) == ()


def test_the_parameters_of_a_curve_are_no_key() -> None:
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"

    assert key_der(parameters + PEM) == key_der(PEM)


def test_the_recorded_issuer_stays_where_it_means_the_same() -> None:
    written_out = certificate(issuerRef={"name": "ca", "kind": "Issuer", "group": "cert-manager.io"})
    found = secret(certificate())

    assert issuer_to_record(found, written_out.spec) == ISSUER
    assert issuer_to_record(None, written_out.spec) == written_out.spec.issuer_ref
    assert issuer_to_record(found, spec(issuerRef={"name": "x"})).name == "x"


def test_the_object_that_is_applied() -> None:
    wanted = certificate()
    leaf = secret(wanted).leaf
    assert leaf is not None
    metadata = secret_metadata(wanted, leaf.identity, ISSUER)

    body = secret_object(wanted, metadata, {"tls.key": b"k"}, kind="", owned=True)

    assert body["type"] == "kubernetes.io/tls"
    assert body["data"] == {"tls.key": "aw=="}
    assert isinstance(body["metadata"], dict)
    assert body["metadata"]["name"] == "web"
    assert body["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "name": "web",
            "uid": wanted.metadata.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert secret_object(wanted, metadata, {}, kind="Opaque", owned=False)["type"] == "Opaque"


def test_facts_never_show_the_key() -> None:
    found: SecretFacts = secret(certificate())

    assert "PRIVATE KEY" not in repr(found)
    assert "PRIVATE" not in repr(material())
