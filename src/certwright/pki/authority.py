"""A small certificate authority of our own, for the TLS of local servers and the client certificates of their users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from msgspec import Struct

from certwright.pki.errors import PkiError
from certwright.pki.keys import KeyAlgorithm, KeyEncoding, KeySpec, encode_private_key, generate, parse_private_key

IPAddress = IPv4Address | IPv6Address

# A peer whose clock is a little behind still accepts what was made this minute.
SET_BACK = timedelta(minutes=5)
AUTHORITY_LIFETIME = timedelta(days=3650)
ISSUED_LIFETIME = timedelta(days=365)


class KeyPair(Struct, frozen=True):
    """A certificate with its chain, and its private key (P-256, PKCS #8), both as PEM."""

    cert_pem: bytes
    key_pem: bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(cert_pem={self.cert_pem!r}, key_pem=…)"


class Authority(KeyPair, frozen=True):
    """A self-signed CA certificate and its key."""


def new_authority(common_name: str, now: datetime, lifetime: timedelta = AUTHORITY_LIFETIME) -> Authority:
    """A root named `common_name`, valid for `lifetime` from `now`."""
    key = _new_key()
    subject = _name(common_name, ())
    builder = _dated(subject, subject, key, now, lifetime)
    usage = _key_usage(cert_sign=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return Authority(certificate.public_bytes(Encoding.PEM), encode_private_key(key, KeyEncoding.PKCS8))


def issue_server(
    authority: Authority,
    names: Sequence[str],
    ips: Sequence[IPAddress],
    now: datetime,
    lifetime: timedelta = ISSUED_LIFETIME,
) -> KeyPair:
    """A certificate for a TLS server that is reached under `names` and `ips`, at least one of them."""
    general: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    general += [x509.IPAddress(ip) for ip in ips]
    if not general:
        raise PkiError("a server certificate needs at least one DNS name or IP address")
    subject = _name(names[0] if names else str(ips[0]), ())
    usage = (x509.SubjectAlternativeName(general), ExtendedKeyUsageOID.SERVER_AUTH)
    return _issue(authority, subject, usage, now, lifetime)


def issue_client(
    authority: Authority,
    common_name: str,
    organizations: Sequence[str],
    now: datetime,
    lifetime: timedelta = ISSUED_LIFETIME,
) -> KeyPair:
    """A client certificate; Kubernetes takes the common name for the user and the organizations for its groups."""
    usage = (None, ExtendedKeyUsageOID.CLIENT_AUTH)
    return _issue(authority, _name(common_name, organizations), usage, now, lifetime)


def _issue(
    authority: Authority,
    subject: x509.Name,
    usage: tuple[x509.SubjectAlternativeName | None, ObjectIdentifier],
    now: datetime,
    lifetime: timedelta,
) -> KeyPair:
    root = x509.load_pem_x509_certificate(authority.cert_pem)
    signer = parse_private_key(authority.key_pem, "the key of the authority")
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = _new_key()
    builder = _dated(subject, root.subject, key, now, lifetime)
    names, purpose = usage
    identifier = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    above = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(cert_sign=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(above, critical=False)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    return KeyPair(certificate.public_bytes(Encoding.PEM), encode_private_key(key, KeyEncoding.PKCS8))


def _new_key() -> ec.EllipticCurvePrivateKey:
    key = generate(KeySpec(KeyAlgorithm.ECDSA, 256))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _name(common_name: str, organizations: Sequence[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    # RFC 5280 ends a common name at 64 characters; the names that count are in the SAN extension.
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _dated(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SET_BACK)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=cert_sign,
        crl_sign=cert_sign,
        encipher_only=False,
        decipher_only=False,
    )
