"""What cert-manager 1.21.1 left behind on a real cluster is taken over: no re-issue, nothing to put right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST
from certwright.cluster.facts import TARGET_SECRET, request_facts, secret_facts
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile
from certwright.rules.conditions import find_condition
from certwright.rules.facts import RequestFacts, SecretFacts
from certwright.rules.hub import HubCertificate, modern_certificate
from certwright.rules.reissue import Subjects, violation
from certwright.rules.renewal_time import USUAL_SPREAD, planned_renewal, renewal_of
from certwright.rules.revisions import superseded
from certwright.rules.secret_contents import drift

SETTLED = Path(__file__).parents[4] / "shared" / "golden" / "settled.json"
pytestmark = pytest.mark.skipif(not SETTLED.exists(), reason="the golden objects are not beside this checkout")

# The owner says so in words of its own, and a temporary certificate does not read Ready here.
ON_PURPOSE = {"dup-b", "temporary"}


def items(kind: str) -> Iterator[Any]:
    return (each for each in json.loads(SETTLED.read_text())["items"] if each["kind"] == kind)


def certificates() -> list[HubCertificate]:
    if not SETTLED.exists():
        return []
    return [modern_certificate(CERTIFICATE.read(json.dumps(each).encode())) for each in items("Certificate")]


@pytest.fixture(scope="module")
def secrets() -> dict[tuple[str, str], SecretFacts]:
    found = (secret_facts(TARGET_SECRET.read(json.dumps(each).encode())) for each in items("Secret"))
    return {(each.metadata.namespace, each.name): each for each in found}


@pytest.fixture(scope="module")
def requests() -> list[RequestFacts]:
    return [request_facts(CERTIFICATE_REQUEST.read(json.dumps(each).encode())) for each in items("CertificateRequest")]


@pytest.mark.parametrize("found", certificates(), ids=lambda found: found.key.name)
def test_takeover(
    found: HubCertificate, secrets: dict[tuple[str, str], SecretFacts], requests: list[RequestFacts]
) -> None:
    mine = tuple(each for each in requests if any(o.uid == found.metadata.uid for o in each.metadata.owner_references))
    current = next((each for each in mine if each.revision == found.status.revision), None)
    secret = secrets.get((found.key.namespace, found.spec.secret_name))
    ready = find_condition(found.status.conditions, "Ready")
    assert ready is not None

    failed = violation(Subjects(certificate=found, secret=secret, current=current))

    if found.key.name in ON_PURPOSE:
        assert failed is not None
        return
    assert (failed.reason if failed else "Ready") == ready.reason
    assert superseded(mine, found.status.revision or 0, found.spec) == ()
    if secret is not None and secret.leaf is not None:
        assert drift(found, secret, owned=False) == ()
        assert renewal_of(found.spec, secret.leaf.not_before, secret.leaf.not_after).when == found.status.renewal_time
        assert planned_renewal(found, secret.leaf, USUAL_SPREAD).when == found.status.renewal_time
        assert secret.leaf.not_after == found.status.not_after
        assert current is not None
        assert current.leaf_digest == secret.leaf.digest


@pytest.mark.parametrize(
    ("name", "password", "alias", "profile"),
    [
        ("keystores", b"changeit", "mykey", Profile.MODERN_2023),
        ("keystores-legacy", b"literalpw", "certificate", Profile.LEGACY_DES),
    ],
)
def test_key_stores_are_recognised(name: str, password: bytes, alias: str, profile: Profile) -> None:
    (found,) = (each for each in items("Secret") if each["metadata"]["name"] == name)
    data = TARGET_SECRET.read(json.dumps(found).encode()).data

    for store in ("keystore.p12", "truststore.p12"):
        assert opens_pkcs12(data[store], password, profile)
        assert not opens_pkcs12(data[store], b"wrong", profile)
        assert not opens_pkcs12(data[store], password, Profile.MODERN_2026)
    assert opens_jks(data["keystore.jks"], password, alias)
    assert opens_jks(data["truststore.jks"], password)
    assert not opens_jks(data["keystore.jks"], password, "elsewhere")
    assert not opens_jks(data["keystore.jks"], b"wrong", alias)
