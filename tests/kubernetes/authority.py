"""A certificate authority of the test rig, made with `cryptography` alone: it must not lean on what is tested."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certwright.clock import SystemClock

LIFE = timedelta(days=1)


class KeyPair(NamedTuple):
    """Files in PEM form."""

    certificate: Path
    key: Path


class Authority:
    """Signs server and client certificates into one folder."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._folder = folder
        self._key = key
        self._name = certificate.subject
        self.certificate = folder / "ca.crt"
        self.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))

    @classmethod
    def new(cls, folder: Path, name: str = "Test CA") -> Authority:
        """A self-signed one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return cls(folder, builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def of_file(cls, folder: Path, pem: Path) -> Authority:
        """One whose certificate and key are in a file already."""
        content = pem.read_bytes()
        key = load_pem_private_key(content[content.index(b"-----BEGIN PRIVATE KEY") :], None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return cls(folder, x509.load_pem_x509_certificate(content), key)

    def server(self, file: str, names: Sequence[str]) -> KeyPair:
        """A serving certificate for DNS names and addresses."""
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        return self._issue(file, subject, ExtendedKeyUsageOID.SERVER_AUTH, alternatives)

    def client(self, file: str, user: str, groups: Sequence[str] = ()) -> KeyPair:
        """A client certificate as Kubernetes reads it: the common name is the user, organizations are groups."""
        organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])
        return self._issue(file, subject, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _issue(
        self, file: str, subject: x509.Name, usage: x509.ObjectIdentifier, names: x509.SubjectAlternativeName | None
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._name, key.public_key()).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pair = KeyPair(self._folder / f"{file}.crt", self._folder / f"{file}.key")
        pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        pair.key.write_bytes(key_pem(key))
        return pair


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key in PKCS#8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing_pair(folder: Path, file: str) -> KeyPair:
    """A bare key pair (public key, private key), as service account tokens are signed with."""
    key = ec.generate_private_key(ec.SECP256R1())
    pair = KeyPair(folder / f"{file}.pub", folder / f"{file}.key")
    pair.certificate.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    pair.key.write_bytes(key_pem(key))
    return pair


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = SystemClock().now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
