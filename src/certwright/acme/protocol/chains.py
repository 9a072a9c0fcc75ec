"""Certificate chains as the CA serves them (RFC 8555 section 7.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certwright.pki import pem
from certwright.pki.pem import DEFAULT_LIMITS, PemLimits

if TYPE_CHECKING:
    from cryptography import x509

WHAT = "the certificate chain from the ACME server"


def read_chain(text: bytes, limits: PemLimits = DEFAULT_LIMITS) -> tuple[x509.Certificate, ...]:
    """The certificates, leaf first; raises `ValueError` for what is too large or is no chain."""
    pem.refuse_larger(text, limits.chain, WHAT)
    return tuple(_parse(der) for der in pem.split_certificates(text, WHAT))


def top_issuer_name(chain: tuple[x509.Certificate, ...]) -> str:
    """The issuer's common name of the last certificate: what `preferredChain` is compared with; empty without one."""
    from cryptography.x509.oid import NameOID

    names = chain[-1].issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _parse(der: bytes) -> x509.Certificate:
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise ValueError(f"{WHAT} holds a block that is no certificate") from None
