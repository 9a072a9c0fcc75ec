"""A PKI engine for the strict Vault server, made with `cryptography` alone: root, intermediate, and what they sign."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certwright.clock import SystemClock

_TTL = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


class Pki:
    """Signs with an intermediate below a root."""

    def __init__(self) -> None:
        self.root = _authority("Vault root", None)
        self.intermediate = _authority("Vault intermediate", self.root)

    def sign(self, csr: x509.CertificateSigningRequest, life: timedelta) -> str:
        """The certificate for a request, its subject and names taken over."""
        issuer = self.intermediate
        builder = _builder(csr.subject, issuer.certificate.subject, life).public_key(csr.public_key())
        for extension in csr.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def names_of(csr: x509.CertificateSigningRequest) -> dict[str, str]:
    """The parameters of Vault's sign endpoint that say again what the request says."""
    found = {"common_name": "", "alt_names": "", "ip_sans": "", "uri_sans": ""}
    for attribute in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        found["common_name"] = str(attribute.value)
    try:
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return found
    found["alt_names"] = ",".join(names.get_values_for_type(x509.DNSName))
    found["ip_sans"] = ",".join(str(address) for address in names.get_values_for_type(x509.IPAddress))
    found["uri_sans"] = ",".join(names.get_values_for_type(x509.UniformResourceIdentifier))
    return found


def read_ttl(text: str) -> timedelta | None:
    """Go's form of a duration in hours, minutes and seconds; None for another text."""
    match = _TTL.fullmatch(text)
    if match is None or not text:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _authority(name: str, above: Pair | None) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = subject if above is None else above.certificate.subject
    builder = _builder(subject, issuer, timedelta(days=3650)).public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Pair(builder.sign(key if above is None else above.key, hashes.SHA256()), key)


def _builder(subject: x509.Name, issuer: x509.Name, life: timedelta) -> x509.CertificateBuilder:
    now = SystemClock().now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(seconds=30))
        .not_valid_after(now + life)
    )
