"""What is read off Secrets and CertificateRequests."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import NOW, certificate, chain, key, ready, request, secret, secret_of, temporary_chain

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import JSONObject, ObjectMeta, ObjectReference
from certwright.api.wellknown import Annotation, Label
from certwright.cluster.facts import TARGET_SECRET, all_secret_facts, request_facts, secret_facts
from certwright.pki import pem
from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import KeyAlgorithm, KeySpec, encode_private_key, private_key_der, public_key_digest
from certwright.rules.facts import controller_of


def test_a_pair() -> None:
    found = secret(certificate())

    assert found.key is not None
    assert found.key.spec == KeySpec(KeyAlgorithm.ECDSA, 256)
    assert found.key.public_key == public_key_digest(key())
    assert found.leaf is not None
    assert found.leaf.not_before == NOW
    assert found.leaf.identity.names.dns_names == ("web.example.test",)
    assert not found.leaf.is_temporary
    assert found.data == ("tls.crt", "tls.key")


def test_a_temporary_certificate_is_known_by_its_issuer() -> None:
    wanted = certificate()
    found = secret(wanted, chain=temporary_chain(wanted.spec))

    assert found.leaf is not None
    assert found.leaf.is_temporary


def test_values_beyond_reading_say_why_without_showing_them() -> None:
    found = secret(certificate(), data={"tls.key": b"very secret", "tls.crt": b"nonsense"})

    assert found.key is None
    assert found.leaf is None
    assert "tls.key" in found.key_problem
    assert "tls.crt" in found.leaf_problem
    assert "secret" not in found.key_problem


def test_empty_values_are_none() -> None:
    assert secret(certificate(), data={"tls.key": b""}).data == ("tls.crt",)


@pytest.mark.parametrize("torn", [b"x", b"\x30\x00"])
def test_further_formats_are_right_only_as_made_from_the_pair(torn: bytes) -> None:
    wanted, private_key = certificate(), key()
    text, pem = chain(wanted.spec), encode_private_key(private_key)
    data = {"tls.key": pem, "tls.crt": text, "key.der": private_key_der(private_key)}
    combined = {"tls-combined.pem": pem + b"\n" + text}

    assert secret_of(wanted, data | combined, {}, {}).formats == ("key.der", "tls-combined.pem")
    assert secret_of(wanted, data | combined | {"key.der": torn}, {}, {}).formats == ("tls-combined.pem",)
    assert secret_of(wanted, data | {"tls-combined.pem": text}, {}, {}).formats == ("key.der",)


def test_only_what_is_ours_is_kept_and_only_our_manager_owns() -> None:
    wanted = certificate()
    labels = {Label.FILTERED: "true", "app": "web"}
    annotations = {Annotation.ALT_NAMES: "x", "team": "red"}

    mine = secret_of(wanted, {"tls.key": b"k"}, labels, annotations)
    foreign = secret_of(wanted, {"tls.key": b"k"}, labels, annotations, manager="kubectl")

    assert mine.owned.labels == ("app", Label.FILTERED)
    assert mine.owned.data == ("tls.key",)
    assert foreign.owned.labels == ()
    assert foreign.metadata.annotations == {Annotation.ALT_NAMES: "x"}
    assert foreign.is_labelled


def test_each_of_several_secrets_has_its_own_facts() -> None:
    bodies: list[JSONObject] = [{"metadata": {"name": name, "namespace": "y"}} for name in "abc"]
    bodies[1]["data"] = {"tls.key": "bm9uc2Vuc2U=", "tls.crt": "bm9uc2Vuc2U="}
    found = [TARGET_SECRET.read(msgspec.json.encode(body)) for body in bodies]

    together = all_secret_facts(found)

    assert together == [secret_facts(each) for each in found]
    assert [bool(facts.key_problem) for facts in together] == [False, True, False]


def test_managed_fields_of_any_shape_are_read() -> None:
    entry: JSONObject = {
        "manager": "cert-manager-certificates-issuing",
        "operation": "Apply",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:a": {}}, "f:metadata": {"f:labels": {".": {}}}, "f:type": {}},
    }
    body: JSONObject = {"metadata": {"name": "x", "namespace": "y", "managedFields": [entry, {"manager": "z"}]}}

    assert secret_facts(TARGET_SECRET.read(msgspec.json.encode(body))).owned.data == ("a",)


def answered(*conditions: JSONObject) -> cm.CertificateRequest:
    asked = request(certificate())
    text = chain(certificate().spec)
    status = msgspec.convert({"conditions": conditions}, cm.CertificateRequestStatus)
    spec = replace(asked.spec, groups=("system:masters",), extra={"a": ("b",)})
    metadata = replace(asked.metadata, labels={"app": "web"}, annotations={**asked.metadata.annotations, "note": "x"})
    return cm.CertificateRequest(metadata=metadata, spec=spec, status=replace(status, certificate=text, ca=text))


def test_a_body_is_kept_until_the_request_is_answered_and_an_answer_never() -> None:
    open_one = request_facts(answered(ready("False", "Pending")))
    raw = answered(ready("True", "Issued"))
    done = request_facts(raw)

    assert open_one.spec.request
    assert open_one.metadata.labels == {"app": "web"}
    assert not done.spec.request
    assert done.metadata.labels == {}
    assert done.revision == 1
    for found in (open_one, done):
        assert not found.status.certificate
        assert not found.status.ca
        assert found.spec.groups == ()
        assert found.identity is not None
    assert done.leaf_digest == parse_certificate(raw.status.certificate).fingerprint


def test_a_request_beyond_reading() -> None:
    asked = cm.CertificateRequest(
        metadata=ObjectMeta(name="x"),
        spec=cm.CertificateRequestSpec(issuer_ref=ObjectReference(name="ca"), request=b"nonsense"),
        status=cm.CertificateRequestStatus(certificate=b"nonsense"),
    )

    found = request_facts(asked)

    assert found.identity is None
    assert found.unreadable
    assert found.leaf_digest == b""


@pytest.mark.parametrize(
    "text", [b"", b"x", pem.write("EC PRIVATE KEY", b"a"), pem.write("CERTIFICATE", b"a") + b"x" * 95_000]
)
def test_what_is_no_chain_has_no_digest(text: bytes) -> None:
    asked = answered()

    assert request_facts(replace(asked, status=replace(asked.status, certificate=text))).leaf_digest == b""


def test_who_controls_an_object() -> None:
    asked = request(certificate())

    controller = controller_of(asked.metadata)
    assert controller is not None
    assert controller.name == "web"
    assert controller_of(ObjectMeta()) is None
