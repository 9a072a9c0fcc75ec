"""Our bytes against those of real objects, where a checkout of the specification lies beside the repository."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from certwright.pki import der, pem
from certwright.pki.alternative_names import AlternativeNames, OtherName
from certwright.pki.certificate import first_certificate_der, is_issued_by, parse_certificate, parse_certificate_der
from certwright.pki.chain import complete, order_chain, parse_chain
from certwright.pki.csr import RequestContent, build_request, is_signed_by_its_key, parse_request
from certwright.pki.extensions import NameConstraints
from certwright.pki.issuance import Terms, sign, signer_from
from certwright.pki.keys import (
    KeyAlgorithm,
    KeyEncoding,
    KeySpec,
    encode_private_key,
    fits,
    generate,
    parse_private_key,
    private_key_der,
    public_key_digest,
)
from certwright.pki.names import Subject, encode_subject, name_from_text
from certwright.pki.signing import SignatureAlgorithm

SETTLED = Path(__file__).parents[4] / "shared" / "golden" / "settled.json"
pytestmark = pytest.mark.skipif(not SETTLED.exists(), reason="the golden objects are not beside this checkout")

CASES = {
    "ca": ("golden", "root"),
    "intermediate": ("golden", "intermediate"),
    "cluster-ca": ("cert-manager", "cluster-root"),
}
POINTERS = Terms(
    ocsp_servers=("http://ocsp.example.test",),
    issuing_certificate_urls=("http://ca.example.test/ca.crt",),
    crl_distribution_points=("http://crl.example.test/a.crl",),
)


class Metadata(msgspec.Struct):
    name: str
    namespace: str = ""
    annotations: dict[str, str] = {}


class OtherNameSpec(msgspec.Struct, rename="camel"):
    oid: str
    utf8_value: str = msgspec.field(name="utf8Value")


class SubjectSpec(msgspec.Struct, rename="camel"):
    countries: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    localities: tuple[str, ...] = ()
    street_addresses: tuple[str, ...] = ()
    postal_codes: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    serial_number: str = ""


class SubtreesSpec(msgspec.Struct, rename="camel"):
    dns_domains: tuple[str, ...] = ()
    ip_ranges: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    uri_domains: tuple[str, ...] = ()


class ConstraintsSpec(msgspec.Struct, rename="camel"):
    critical: bool = False
    permitted: SubtreesSpec = msgspec.field(default_factory=SubtreesSpec)
    excluded: SubtreesSpec = msgspec.field(default_factory=SubtreesSpec)


class KeySection(msgspec.Struct, rename="camel"):
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    size: int = 0
    encoding: KeyEncoding = KeyEncoding.PKCS1


class Named(msgspec.Struct):
    name: str = ""


class Spec(msgspec.Struct, rename="camel"):
    secret_name: str = ""
    common_name: str = ""
    literal_subject: str = ""
    subject: SubjectSpec = msgspec.field(default_factory=SubjectSpec)
    dns_names: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    other_names: tuple[OtherNameSpec, ...] = ()
    usages: tuple[str, ...] = ()
    is_ca: bool = msgspec.field(name="isCA", default=False)
    name_constraints: ConstraintsSpec | None = None
    signature_algorithm: SignatureAlgorithm | None = None
    private_key: KeySection = msgspec.field(default_factory=KeySection)
    request: str = ""
    issuer_ref: Named = msgspec.field(default_factory=Named)


class Status(msgspec.Struct):
    certificate: str = ""
    ca: str = ""


class Item(msgspec.Struct):
    kind: str
    metadata: Metadata
    spec: Spec = msgspec.field(default_factory=Spec)
    status: Status = msgspec.field(default_factory=Status)
    data: dict[str, str] = {}


class Kind(msgspec.Struct):
    kind: str


class RawList(msgspec.Struct):
    items: list[msgspec.Raw]


def load() -> Mapping[str, list[Item]]:
    found: dict[str, list[Item]] = {"Certificate": [], "CertificateRequest": [], "Secret": []}
    for raw in msgspec.json.decode(SETTLED.read_bytes(), type=RawList).items:
        kind = msgspec.json.decode(raw, type=Kind).kind
        if kind in found:
            found[kind].append(msgspec.json.decode(raw, type=Item))
    return found


@pytest.fixture(scope="module")
def golden() -> Mapping[str, list[Item]]:
    return load()


def decoded(text: str) -> bytes:
    return base64.b64decode(text)


def content_of(spec: Spec) -> RequestContent:
    subject = Subject(common_name=spec.common_name, **msgspec.structs.asdict(spec.subject))
    constraints = msgspec.convert(spec.name_constraints, NameConstraints | None, from_attributes=True)
    return RequestContent(
        subject=name_from_text(spec.literal_subject) if spec.literal_subject else encode_subject(subject),
        names=AlternativeNames(
            dns_names=spec.dns_names,
            email_addresses=spec.email_addresses,
            ip_addresses=spec.ip_addresses,
            uris=spec.uris,
            other_names=tuple(OtherName(name.oid, name.utf8_value) for name in spec.other_names),
        ),
        usages=spec.usages,
        is_ca=spec.is_ca,
        signature_algorithm=spec.signature_algorithm,
        name_constraints=constraints,
    )


def body_of(certificate: bytes) -> bytes:
    return der.children(der.read(certificate).content)[0].raw


def test_a_request_built_from_its_certificate_has_the_same_bytes(golden: Mapping[str, list[Item]]) -> None:
    specs = {item.metadata.name: item.spec for item in golden["Certificate"]}
    keys = {item.private_key.algorithm: generate(KeySpec(item.private_key.algorithm)) for item in specs.values()}

    compared = 0
    for item in golden["CertificateRequest"]:
        theirs = parse_request(decoded(item.spec.request))
        assert is_signed_by_its_key(theirs)
        spec = specs.get(item.metadata.annotations.get("cert-manager.io/certificate-name", ""))
        if spec is None:
            continue
        key = keys[spec.private_key.algorithm]
        if not fits(key, KeySpec(spec.private_key.algorithm, spec.private_key.size)):
            key = generate(KeySpec(spec.private_key.algorithm, spec.private_key.size))
        ours = parse_request(build_request(content_of(spec), key))
        assert ours.body == theirs.body.replace(theirs.public_key_info, ours.public_key_info), item.metadata.name
        assert ours.algorithm == theirs.algorithm
        compared += 1

    assert compared > 30


def test_a_certificate_signed_again_has_the_same_bytes(golden: Mapping[str, list[Item]]) -> None:
    secrets = {(item.metadata.namespace, item.metadata.name): item.data for item in golden["Secret"]}

    compared = 0
    for item in golden["CertificateRequest"]:
        issuer = item.spec.issuer_ref.name
        if issuer not in CASES or not item.status.certificate:
            continue
        data = secrets[CASES[issuer]]
        above = first_certificate_der(decoded(data["tls.crt"]))
        theirs = first_certificate_der(decoded(item.status.certificate))
        facts = parse_certificate_der(theirs)
        terms = msgspec.structs.replace(
            POINTERS if issuer == "ca" else Terms(),
            usages=item.spec.usages,
            is_ca=item.spec.is_ca,
            lifetime=facts.not_after - facts.not_before,
        )
        signer = signer_from(above, parse_private_key(decoded(data["tls.key"])))
        request = parse_request(decoded(item.spec.request))
        ours = sign(
            request,
            signer,
            terms,
            facts.not_before + timedelta(milliseconds=1),
            functools.partial(facts.serial.to_bytes, byteorder="big"),
        )
        assert body_of(ours) == body_of(theirs), item.metadata.name
        assert is_issued_by(ours, above)
        assert is_issued_by(theirs, above)
        chain = complete(theirs, parse_chain(decoded(data["tls.crt"]) + decoded(data["ca.crt"])))
        assert chain.chain_pem == decoded(item.status.certificate)
        assert chain.ca_pem == decoded(item.status.ca)
        compared += 1

    assert compared > 25


def test_keys_and_certificates_of_secrets_read_and_write_back(golden: Mapping[str, list[Item]]) -> None:
    encodings = {item.spec.secret_name: item.spec.private_key.encoding for item in golden["Certificate"]}

    compared = 0
    for item in golden["Secret"]:
        text = decoded(item.data.get("tls.key", ""))
        if not text or item.metadata.name not in encodings:
            continue
        encoding = encodings[item.metadata.name]
        key = parse_private_key(text)
        assert encode_private_key(key, encoding) == text
        if "key.der" in item.data:
            assert private_key_der(key, encoding) == decoded(item.data["key.der"])
        if "tls.crt" in item.data:
            facts = parse_certificate(decoded(item.data["tls.crt"]))
            assert facts.public_key_digest == public_key_digest(key)
            certificates = pem.split_certificates(decoded(item.data["tls.crt"]), "tls.crt")
            assert order_chain(certificates).chain_pem == decoded(item.data["tls.crt"])
        compared += 1

    assert compared > 20
