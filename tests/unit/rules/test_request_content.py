"""The CertificateRequest of a Certificate."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import certificate, csr, key, request, spec

from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.meta import to_json
from certwright.cluster.settings import Settings
from certwright.pki.csr import parse_request
from certwright.pki.errors import PkiError
from certwright.rules.hub import CertificateKey, Dialect, HubCertificate
from certwright.rules.request_content import (
    SOLVER_PLAN,
    Asked,
    certificate_request,
    copied_annotations,
    request_content,
    request_name,
)

DEFAULT = Settings().copied_annotation_prefixes


def made(wanted: HubCertificate, revision: int = 1) -> Any:
    asked = Asked(revision=revision, key_secret_name="web-abcde", copied_prefixes=DEFAULT)
    return to_json(certificate_request(wanted, csr(wanted.spec), asked))


def test_nothing_is_defaulted() -> None:
    found = made(certificate())

    assert found["spec"].keys() == {"issuerRef", "request"}
    assert found["spec"]["issuerRef"] == {"name": "ca"}


def test_what_is_set_is_carried_over() -> None:
    found = made(certificate(duration="48h", isCA=True, usages=["server auth"]))

    assert found["spec"]["duration"] == "48h0m0s"
    assert found["spec"]["isCA"] is True
    assert found["spec"]["usages"] == ["server auth"]


def test_metadata() -> None:
    wanted = certificate()
    wanted = replace(
        wanted,
        metadata=replace(
            wanted.metadata, labels={"team": "blue"}, annotations={"note": "x", "kubectl.kubernetes.io/y": "z"}
        ),
    )

    found = made(wanted, 3)["metadata"]

    assert found["name"] == "web-3"
    assert found["labels"] == {"team": "blue"}
    assert found["annotations"] == {
        "note": "x",
        "cert-manager.io/certificate-name": "web",
        "cert-manager.io/certificate-revision": "3",
        "cert-manager.io/private-key-secret-name": "web-abcde",
    }
    assert found["ownerReferences"][0]["uid"] == wanted.metadata.uid


@pytest.mark.parametrize(
    ("prefixes", "kept"),
    [
        (DEFAULT, {"note", "team.io/x"}),
        ((), set()),
        (("team.io/",), {"team.io/x"}),
        (("-note", "*"), {"note", "team.io/x", "fluxcd.io/a"}),
        (("*", "-note", "note"), {"note", "team.io/x", "fluxcd.io/a"}),
        (("*", "-"), set()),
    ],
)
def test_copied_annotations_run_in_order(prefixes: tuple[str, ...], kept: set[str]) -> None:
    found = {"note": "1", "team.io/x": "2", "fluxcd.io/a": "3"}

    assert set(copied_annotations(found, prefixes)) == kept


def test_names() -> None:
    long = certificate("x" * 240)

    assert request_name(certificate(), 7) == "web-7"
    assert len(request_name(long, 1)) == 168 + 1 + 64 + 2
    assert request_name(replace(certificate(), key=CertificateKey(Dialect.LEGACY, "here", "web")), 7) == "web.legacy-7"


def test_a_legacy_plan_travels_along() -> None:
    plan = (legacy.DomainSolver(domains=("a.example.test",)),)
    wanted = replace(certificate(), key=CertificateKey(Dialect.LEGACY, "here", "web"), plan=plan)

    text = made(wanted)["metadata"]["annotations"][SOLVER_PLAN]

    assert msgspec.json.decode(text, type=tuple[legacy.DomainSolver, ...]) == plan


def test_the_signing_request_says_what_the_spec_says() -> None:
    wanted = spec(
        commonName="web",
        subject={"organizations": ["O"]},
        ipAddresses=["10.0.0.1"],
        uris=["spiffe://a/b"],
        emailAddresses=["ops@example.test"],
        otherNames=[{"oid": "1.2.3.4", "utf8Value": "x"}],
        usages=["server auth"],
    )

    found = parse_request(csr(wanted))

    assert found.subject_parts.common_name == "web"
    assert found.subject_parts.organizations == ("O",)
    assert found.names.ip_addresses == ("10.0.0.1",)
    assert found.names.other_names[0].value == "x"
    assert found.usages.names() == ("server auth",)


def test_usages_may_be_left_out_of_the_signing_request() -> None:
    assert not parse_request(csr(spec(encodeUsagesInRequest=False))).encodes_usages


def test_a_literal_subject_keeps_its_order() -> None:
    text = "CN=lit.example.test,OU=Alpha+ST=Beta,O=Gamma,DC=example,DC=test"

    assert parse_request(csr(spec(literalSubject=text))).subject_parts.common_name == "lit.example.test"


def test_what_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(PkiError):
        request_content(spec(literalSubject="no subject"))


def test_facts_of_a_request() -> None:
    found = request(certificate(), revision=12)

    assert found.revision == 12
    assert found.key_secret_name == "web-abcde"
    assert found.identity is not None
    assert found.identity.names.dns_names == ("web.example.test",)
    assert key is not None


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "9" * 30, "٣"])
def test_a_revision_that_is_none(text: str) -> None:
    found = request(certificate())
    annotations = {**found.metadata.annotations, "cert-manager.io/certificate-revision": text}

    assert replace(found, metadata=replace(found.metadata, annotations=annotations)).revision is None
