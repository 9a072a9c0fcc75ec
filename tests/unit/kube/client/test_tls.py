"""Trust and client certificates."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certwright.kube.client.connection import Trust
from certwright.kube.client.credentials import KeyPair
from certwright.kube.client.errors import BadConnection
from certwright.kube.client.tls import client_context

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pair(password: bytes = b"") -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(encoding)
    return KeyPair(certificate, key.private_bytes(encoding, form, how))


def test_a_client_certificate_is_shown_and_the_given_authority_alone_is_trusted() -> None:
    mine = pair()

    context = client_context(Trust(ca=mine.certificate), mine)

    assert context.cert_store_stats()["x509"] == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_verification_is_skipped_only_when_told() -> None:
    context = client_context(Trust(skip_verify=True), None)

    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


@pytest.mark.parametrize(
    "odd",
    [
        KeyPair(pair().certificate, pair().key),
        KeyPair(pair().certificate, b"no key"),
        KeyPair(b"no certificate", pair().key),
        pair(password=b"s3cret"),
    ],
    ids=["another key", "no key", "no certificate", "encrypted"],
)
def test_a_pair_that_cannot_be_used(odd: KeyPair) -> None:
    with pytest.raises(BadConnection, match="cannot be used"):
        client_context(Trust(), odd)


def test_an_authority_that_cannot_be_read() -> None:
    with pytest.raises(BadConnection, match="certificate authority"):
        client_context(Trust(ca=b"no certificate"), None)
