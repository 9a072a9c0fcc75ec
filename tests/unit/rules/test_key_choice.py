"""What an annotation and the gates make of the key that a Certificate asks for, and who has to do with such keys."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import certificate, csr, key, request, secret, spec

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.issuer_types import CAIssuer, SelfSignedIssuer
from certwright.api.meta import ObjectMeta, ObjectReference, SecretKeySelector
from certwright.pki.csr import parse_request
from certwright.pki.keys import ML_DSA, KeyAlgorithm, KeySpec
from certwright.rules import defaults
from certwright.rules.approval import request_problems
from certwright.rules.gates import DEFAULTS, Gates, read_gates
from certwright.rules.hub import HubCertificate, modern_issuer
from certwright.rules.key_choice import KEY_ALGORITHM, unfit_issuer, ungated, with_key_choices
from certwright.rules.private_key import NewKey, NoKey, PresentKey, key_for_issuance
from certwright.rules.reissue import Subjects, request_differences, violation
from certwright.rules.validation import certificate_problems, request_problem

ON = read_gates(["MLDSA=true"])
STAYS = read_gates(["DefaultPrivateKeyRotationPolicyAlways=false"])


def chosen(annotation: str | None, gates: Gates = ON, **fields: Any) -> HubCertificate:
    found = certificate(**fields)
    annotations = {} if annotation is None else {KEY_ALGORITHM: annotation}
    return with_key_choices(replace(found, metadata=replace(found.metadata, annotations=annotations)), gates)


@pytest.mark.parametrize("algorithm", ML_DSA)
@pytest.mark.parametrize("private_key", [None, {"algorithm": "ECDSA", "size": 384}, {"size": 4096}])
def test_the_annotation_takes_the_place_of_the_algorithm(
    algorithm: KeyAlgorithm, private_key: dict[str, Any] | None
) -> None:
    found = chosen(algorithm, privateKey=private_key)

    assert defaults.key_spec(found.spec).resolved() == KeySpec(algorithm)
    assert (found.problem, found.unissuable) == ("", "")


def test_the_rest_of_the_key_stays_as_it_is_asked_for() -> None:
    found = chosen("ML-DSA-65", privateKey={"encoding": "PKCS8", "rotationPolicy": "Never"}).spec.private_key

    assert found is not None
    assert (found.encoding, found.rotation_policy) == ("PKCS8", "Never")


def test_without_annotation_nothing_changes() -> None:
    assert chosen(None) == chosen(None, DEFAULTS) == certificate()


def test_without_the_gate_nothing_new_is_made_and_what_is_there_stays_good() -> None:
    found = chosen("ML-DSA-65", DEFAULTS)
    held = secret(found, signer=key("ML-DSA-65", 0))

    assert "--feature-gates=MLDSA=true, or take the annotation off" in found.unissuable
    assert found.problem == ""
    assert violation(Subjects(certificate=found, secret=held, current=None)) is None


@pytest.mark.parametrize("word", ["ML-DSA-99", "mldsa65", "ml-dsa-65", "ECDSA", ""])
@pytest.mark.parametrize("gates", [ON, DEFAULTS], ids=["on", "off"])
def test_other_words_are_told_with_those_that_are_known(word: str, gates: Gates) -> None:
    found = chosen(word, gates)

    assert found.problem == (
        f"The annotation certwright.io/private-key-algorithm is {word!r}: use one of ML-DSA-44, ML-DSA-65, ML-DSA-87, "
        "or take it off and set spec.privateKey.algorithm."
    )
    assert defaults.key_spec(found.spec) == KeySpec(KeyAlgorithm.ECDSA)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (None, "ML-DSA-65", "(it is ECDSA 256, and ML-DSA-65 is wanted)"),
        ("ML-DSA-65", None, "(it is ML-DSA-65, and ECDSA of the default size is wanted)"),
        ("ML-DSA-44", "ML-DSA-65", "(it is ML-DSA-44, and ML-DSA-65 is wanted)"),
    ],
)
def test_a_key_of_another_kind_in_the_secret_is_replaced(before: str | None, after: str | None, words: str) -> None:
    held = secret(chosen(before), signer=key(before or "ECDSA", 0 if before else 256))

    found = violation(Subjects(certificate=chosen(after), secret=held, current=None))

    assert found is not None
    assert found.reason == "SecretMismatch"
    assert words in found.message


def test_a_policy_of_never_keeps_a_key_of_the_kind_and_refuses_to_change_another() -> None:
    wanted = chosen("ML-DSA-65", privateKey={"rotationPolicy": "Never"})

    assert key_for_issuance(wanted.spec, secret(wanted, signer=key("ML-DSA-65", 0))) == PresentKey("web")
    refused = key_for_issuance(wanted.spec, secret(wanted, signer=key("RSA", 2048)))
    assert isinstance(refused, NoKey)
    assert "is RSA 2048, which does not fit" in refused.message


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"usages": ["server auth", "key encipherment"]}, "spec.usages", "take 'key encipherment' out of the usages"),
        ({"signatureAlgorithm": "ECDSAWithSHA256"}, "spec.signatureAlgorithm", "an ML-DSA-65 key; leave it out"),
    ],
)
def test_what_does_not_go_with_such_a_key(fields: dict[str, Any], field: str, words: str) -> None:
    found = request_problem(chosen("ML-DSA-65", **fields).spec)

    assert found is not None
    assert found.field == field
    assert words in found.message


def test_what_goes_with_such_a_key() -> None:
    private_key = {"algorithm": "RSA", "size": 4096, "encoding": "PKCS1"}
    stores = {"jks": {"create": True, "password": "x"}, "pkcs12": {"create": True, "password": "x"}}
    usages = ["digital signature", "server auth", "content commitment", "cert sign", "crl sign"]

    found = chosen("ML-DSA-65", privateKey=private_key, keystores=stores, usages=usages)

    assert certificate_problems(found.spec) == ()


def test_an_issuer_of_another_type_certifies_no_such_key() -> None:
    spec_of = acme.AcmeIssuer(server="https://ca.test", private_key_secret_ref=SecretKeySelector(name="x"))
    metadata = ObjectMeta(name="le", namespace="here")
    public = modern_issuer(cm.Issuer(metadata=metadata, spec=cm.IssuerSpec(acme=spec_of)))
    own = cm.IssuerSpec(self_signed=SelfSignedIssuer()), cm.IssuerSpec(ca=CAIssuer(secret_name="ca"))

    text = unfit_issuer(public, KeyAlgorithm.ML_DSA_65)

    assert text.startswith('Issuer "le" is of the type acme, which certifies no ML-DSA-65 keys: name an issuer of')
    assert unfit_issuer(public, KeyAlgorithm.ECDSA) == unfit_issuer(public, None) == ""
    for each in own:
        assert unfit_issuer(modern_issuer(cm.Issuer(metadata=metadata, spec=each)), KeyAlgorithm.ML_DSA_65) == ""


def test_the_gate_is_about_keys_of_ml_dsa_alone() -> None:
    assert "feature gate MLDSA is off" in ungated(KeyAlgorithm.ML_DSA_87, DEFAULTS)
    assert ungated(KeyAlgorithm.ML_DSA_87, ON) == ungated(KeyAlgorithm.RSA, DEFAULTS) == ungated(None, DEFAULTS) == ""


def test_default_usages_of_a_foreign_request_are_those_of_its_key() -> None:
    text = csr(spec(), key("ML-DSA-65", 0))
    asked = cm.CertificateRequestSpec(issuer_ref=ObjectReference(name="x"), request=text)

    assert list(request_problems(parse_request(text), asked)) == []
    assert list(request_problems(parse_request(text), replace(asked, usages=("key agreement",)))) == [
        "The signing request cannot be used: an ML-DSA key signs and does nothing else: take 'key agreement' out of "
        "the usages."
    ]


@pytest.mark.parametrize(
    ("private_key", "gates", "stays"),
    [
        (None, STAYS, True),
        ({"algorithm": "ECDSA"}, STAYS, True),
        ({"algorithm": "ECDSA", "rotationPolicy": "Never"}, STAYS, True),
        ({"algorithm": "ECDSA", "rotationPolicy": "Always"}, STAYS, False),
        ({"algorithm": "ECDSA"}, DEFAULTS, False),
    ],
)
def test_what_no_rotation_policy_means(private_key: dict[str, Any] | None, gates: Gates, *, stays: bool) -> None:
    found = chosen(None, gates, privateKey=private_key)

    signer = key() if private_key else key("RSA", 2048)
    expected = PresentKey("web") if stays else NewKey()
    assert key_for_issuance(found.spec, secret(found, signer=signer)) == expected
    assert defaults.key_spec(found.spec) == defaults.key_spec(certificate(privateKey=private_key).spec)


def test_whether_a_request_tells_of_being_a_ca_makes_no_difference_to_its_certificate() -> None:
    for wanted in (certificate(), certificate(isCA=True, commonName="ca")):
        with_it, without = request(wanted, basic_constraints=True), request(wanted)

        assert request_differences(with_it, wanted.spec) == request_differences(without, wanted.spec) == ()
