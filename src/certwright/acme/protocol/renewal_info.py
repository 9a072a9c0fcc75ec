"""ACME renewal information (RFC 9773)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from certwright.acme.protocol import base64url
from certwright.acme.protocol.messages import Window

if TYPE_CHECKING:
    from cryptography import x509


def certificate_id(certificate: x509.Certificate) -> str | None:
    """The CA's name for a certificate (section 4.1): key identifier and serial; None without an AKI extension."""
    from cryptography import x509

    try:
        authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    if not authority.key_identifier:
        return None
    return certificate_name(authority.key_identifier, serial_bytes(certificate.serial_number))


def certificate_name(authority_key: bytes, serial: bytes) -> str:
    """The same, of the key identifier and the octets of the serial."""
    return f"{base64url.encode(authority_key)}.{base64url.encode(serial)}"


def serial_bytes(serial: int) -> bytes:
    """The content octets of the DER INTEGER: a leading zero keeps a high first bit positive."""
    return serial.to_bytes(serial.bit_length() // 8 + 1, "big")


def renewal_moment(window: Window, fraction: float) -> datetime:
    """The moment at `fraction` (0 to 1, random per certificate) of the window (section 4.2)."""
    return window.start + (window.end - window.start) * fraction
