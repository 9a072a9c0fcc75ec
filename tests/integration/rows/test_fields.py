"""What a Certificate's spec comes to in the signing request and in the certificate, as another library reads them."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, controllers
from tests.kubernetes.eventually import eventually

from certwright.api.meta import JSONObject

UPN = "1.3.6.1.4.1.311.20.2.3"
SUBJECT: JSONObject = {
    "countries": ["DE"],
    "provinces": ["Berlin"],
    "localities": ["City"],
    "streetAddresses": ["Street 1"],
    "postalCodes": ["12345"],
    "organizations": ["Org, Inc", "Second"],
    "organizationalUnits": ["Unit"],
    "serialNumber": "77",
}
NAMES: JSONObject = {
    "dnsNames": ["b.example.test", "*.example.test"],
    "emailAddresses": ["ops@example.test"],
    "ipAddresses": ["10.1.2.3", "2001:db8::1"],
    "uris": ["spiffe://example.test/x"],
    "otherNames": [{"oid": UPN, "utf8Value": "upn@example.test"}],
}
ATTRIBUTES = {
    NameOID.COUNTRY_NAME: {"DE"},
    NameOID.STATE_OR_PROVINCE_NAME: {"Berlin"},
    NameOID.LOCALITY_NAME: {"City"},
    NameOID.STREET_ADDRESS: {"Street 1"},
    NameOID.POSTAL_CODE: {"12345"},
    NameOID.ORGANIZATION_NAME: {"Org, Inc", "Second"},
    NameOID.ORGANIZATIONAL_UNIT_NAME: {"Unit"},
    NameOID.SERIAL_NUMBER: {"77"},
    NameOID.COMMON_NAME: {"every.example.test"},
}
ALTERNATIVE = x509.SubjectAlternativeName(
    [
        x509.DNSName("b.example.test"),
        x509.DNSName("*.example.test"),
        x509.RFC822Name("ops@example.test"),
        x509.IPAddress(ip_address("10.1.2.3")),
        x509.IPAddress(ip_address("2001:db8::1")),
        x509.UniformResourceIdentifier("spiffe://example.test/x"),
        x509.OtherName(x509.ObjectIdentifier(UPN), b"\x0c\x10upn@example.test"),
    ]
)


async def with_ca(user: User) -> None:
    """An Issuer `ca` whose root is P-256."""
    await user.self_signed_issuer()
    await user.certificate("root", {"isCA": True, "commonName": "root", "dnsNames": [], "duration": "87600h"})
    await user.until("root")
    await user.ca_issuer("ca", "root")


async def issued(user: User, name: str) -> tuple[x509.CertificateSigningRequest, x509.Certificate]:
    """The signing request and the certificate in the Secret, once it is there."""
    await user.until(name)
    (request,) = [each for each in await user.requests() if each.metadata.name.startswith(f"{name}-")]
    secret = await user.secret(name)
    return x509.load_pem_x509_csr(request.spec.request), x509.load_pem_x509_certificate(secret.data["tls.crt"])


async def test_every_subject_field_and_every_kind_of_name(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await with_ca(user)
        spec: JSONObject = {
            "issuerRef": {"name": "ca"},
            "commonName": "every.example.test",
            "subject": SUBJECT,
            **NAMES,
        }
        await user.certificate("every", spec)
        csr, leaf = await issued(user, "every")

    for found in (csr, leaf):
        values = {oid: {a.value for a in found.subject.get_attributes_for_oid(oid)} for oid in ATTRIBUTES}
        assert values == ATTRIBUTES
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert alternative.value == ALTERNATIVE
        assert not alternative.critical
    assert leaf.subject.public_bytes() == csr.subject.public_bytes()
    assert [len(rdn) for rdn in leaf.subject.rdns] == [1, 1, 1, 1, 1, 2, 1, 1, 1]


async def test_names_are_critical_without_a_subject_and_usages_are_the_default_ones(
    cluster: Cluster, user: User
) -> None:
    async with controllers(cluster):
        await with_ca(user)
        await user.certificate("bare", {"issuerRef": {"name": "ca"}})
        csr, leaf = await issued(user, "bare")

    for found in (csr, leaf):
        assert found.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
        assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, True, False)
        with pytest.raises(x509.ExtensionNotFound):
            found.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=90)


async def test_a_literal_subject_keeps_its_bytes(cluster: Cluster, user: User) -> None:
    text = "CN=lit.example.test,OU=Alpha+ST=Beta,O=Gamma,DC=example,DC=test"
    async with controllers(cluster):
        await with_ca(user)
        await user.certificate("literal", {"issuerRef": {"name": "ca"}, "literalSubject": text})
        csr, leaf = await issued(user, "literal")
        assert (await user.get("literal")).status.revision == 1

    assert leaf.subject.public_bytes() == csr.subject.public_bytes()
    kinds = [[attribute.oid for attribute in rdn] for rdn in leaf.subject.rdns]
    assert [kind[0] for kind in kinds[:3]] == [
        NameOID.DOMAIN_COMPONENT,
        NameOID.DOMAIN_COMPONENT,
        NameOID.ORGANIZATION_NAME,
    ]
    assert len(kinds[3]) == 2
    assert kinds[4] == [NameOID.COMMON_NAME]
    assert [a.value for a in leaf.subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)] == ["test", "example"]


async def test_usages_can_be_left_out_of_the_request_and_are_in_the_certificate(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await with_ca(user)
        spec: JSONObject = {
            "issuerRef": {"name": "ca"},
            "usages": ["server auth", "any"],
            "encodeUsagesInRequest": False,
        }
        await user.certificate("quiet", spec)
        csr, leaf = await issued(user, "quiet")

    assert [each.oid for each in csr.extensions] == [x509.SubjectAlternativeName.oid]
    wanted = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == wanted


@pytest.mark.parametrize("issuer", ["selfsigned", "ca"])
async def test_a_ca_with_name_constraints(cluster: Cluster, user: User, issuer: str) -> None:
    constraints: JSONObject = {
        "critical": True,
        "permitted": {"dnsDomains": ["example.test"], "ipRanges": ["10.0.0.0/8"]},
        "excluded": {"emailAddresses": ["x@example.test"], "uriDomains": ["evil.test"]},
    }
    async with controllers(cluster):
        await with_ca(user)
        spec: JSONObject = {
            "isCA": True,
            "commonName": "sub",
            "dnsNames": [],
            "nameConstraints": constraints,
            "duration": "48h",
        }
        await user.certificate("sub", {"issuerRef": {"name": issuer}, **spec})
        csr, sub = await issued(user, "sub")

    for found in (csr, sub):
        extension = found.extensions.get_extension_for_class(x509.NameConstraints)
        assert extension.critical
        assert extension.value == x509.NameConstraints(
            [x509.DNSName("example.test"), x509.IPAddress(ip_network("10.0.0.0/8"))],
            [x509.RFC822Name("x@example.test"), x509.UniformResourceIdentifier("evil.test")],
        )
        assert found.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    basic = sub.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca) == (True, True)
    assert len(sub.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest) == 20
    assert sub.not_valid_after_utc - sub.not_valid_before_utc == timedelta(hours=48)


RSA, EC = "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----"
PKCS8 = "-----BEGIN PRIVATE KEY-----"
KEYS: list[object] = [
    pytest.param({}, rsa.RSAPrivateKey, 2048, "sha256", RSA, id="default"),
    pytest.param({"algorithm": "RSA", "size": 3072}, rsa.RSAPrivateKey, 3072, "sha384", RSA, id="rsa-3072"),
    pytest.param({"size": 4096, "encoding": "PKCS8"}, rsa.RSAPrivateKey, 4096, "sha512", PKCS8, id="rsa-4096-pkcs8"),
    pytest.param({"size": 8192}, rsa.RSAPrivateKey, 8192, "sha512", RSA, id="rsa-8192", marks=pytest.mark.long),
    pytest.param({"algorithm": "ECDSA"}, ec.EllipticCurvePrivateKey, 256, "sha256", EC, id="ecdsa"),
    pytest.param({"algorithm": "ECDSA", "size": 384}, ec.EllipticCurvePrivateKey, 384, "sha384", EC, id="p-384"),
    pytest.param({"algorithm": "ECDSA", "size": 521}, ec.EllipticCurvePrivateKey, 521, "sha512", EC, id="p-521"),
    pytest.param(
        {"algorithm": "ECDSA", "encoding": "PKCS8"}, ec.EllipticCurvePrivateKey, 256, "sha256", PKCS8, id="ecdsa-pkcs8"
    ),
    pytest.param({"algorithm": "Ed25519"}, ed25519.Ed25519PrivateKey, 0, "", PKCS8, id="ed25519"),
]


@pytest.mark.parametrize(("wanted", "kind", "size", "digest", "head"), KEYS)
async def test_private_keys(
    cluster: Cluster, user: User, wanted: JSONObject, kind: type, size: int, digest: str, head: str
) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("key", {"privateKey": wanted})

        async def is_there() -> bool:
            return await user.secret("key") is not None

        await eventually(is_there, timedelta(minutes=4 if size == 8192 else 1))
        csr, _ = await issued(user, "key")

    pem = (await user.secret("key")).data["tls.key"]
    key = load_pem_private_key(pem, None)
    assert isinstance(key, kind)
    assert getattr(key, "key_size", 0) == size
    assert pem.decode().startswith(head + "\n")
    assert (csr.signature_hash_algorithm.name if csr.signature_hash_algorithm else "") == digest


async def test_the_signature_algorithm_is_that_of_the_request_alone(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await with_ca(user)
        spec: JSONObject = {"issuerRef": {"name": "ca"}, "signatureAlgorithm": "ECDSAWithSHA512"}
        await user.certificate("hashed", spec)
        csr, leaf = await issued(user, "hashed")
        await user.certificate(
            "larger", {"issuerRef": {"name": "ca"}, "privateKey": {"algorithm": "ECDSA", "size": 384}}
        )
        _, larger = await issued(user, "larger")

    assert csr.signature_hash_algorithm is not None
    assert csr.signature_hash_algorithm.name == "sha512"
    for found in (leaf, larger):
        assert found.signature_hash_algorithm is not None
        assert found.signature_hash_algorithm.name == "sha256"
