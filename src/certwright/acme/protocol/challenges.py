"""What proves control of an identifier (RFC 8555 section 8, RFC 8737)."""

from __future__ import annotations

import hashlib
import re
from ipaddress import ip_address

from certwright.acme.protocol import base64url

HTTP_PATH = "/.well-known/acme-challenge/"
DNS_LABEL = "_acme-challenge"
ALPN_PROTOCOL = "acme-tls/1"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,512}")


def key_authorization(token: str, thumbprint: str) -> str:
    """The token joined to the account key's thumbprint; raises `ValueError` for a token outside base64url."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("the CA sent a token that is not base64url; ask the CA's operator")
    return f"{token}.{thumbprint}"


def dns01_value(key_authorization: str) -> str:
    """The TXT value of dns-01."""
    return base64url.encode(hashlib.sha256(key_authorization.encode()).digest())


def dns01_name(domain: str) -> str:
    """The name of the TXT record, without a final dot; `domain` has no `*.`."""
    return f"{DNS_LABEL}.{domain.rstrip('.')}"


def http01_path(token: str) -> str:
    """The path under which http-01 asks on port 80."""
    return HTTP_PATH + token


def tls_alpn01_digest(key_authorization: str) -> bytes:
    """The content of the acmeIdentifier extension (1.3.6.1.5.5.7.1.31): 32 bytes, without their DER header."""
    return hashlib.sha256(key_authorization.encode()).digest()


def tls_alpn01_server_name(identifier: str) -> str:
    """The SNI of tls-alpn-01: the domain, or the reverse-mapping name of an IP address (RFC 8738 section 6)."""
    try:
        return ip_address(identifier).reverse_pointer
    except ValueError:
        return identifier
