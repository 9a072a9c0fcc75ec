"""Signing certificates from requests, as the CA and SelfSigned issuers do."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from certwright.pki import der, extensions
from certwright.pki.certificate import key_identifier, name_and_key_id
from certwright.pki.csr import Request, usage_extensions
from certwright.pki.errors import PkiError
from certwright.pki.extensions import BasicConstraints, Extension
from certwright.pki.keys import PrivateKey, public_key_info
from certwright.pki.names import EMPTY_NAME
from certwright.pki.signing import algorithm_identifier, default_algorithm, signed
from certwright.pki.usages import usages_from

DEFAULT_LIFETIME = timedelta(days=90)
SERIAL_BITS = 159  # RFC 5280 section 4.1.2.2: positive, and no more than 20 octets


class Signer(Struct, frozen=True, kw_only=True):
    """Who signs: the DER Name for the issuer field, the identifier for AKI (no bytes: no AKI), and the key."""

    name: bytes
    key_id: bytes
    key: PrivateKey


class Terms(Struct, frozen=True, kw_only=True):
    """What the issuer decides: it comes from the CertificateRequest and the issuer's spec, not from the request."""

    usages: tuple[str, ...] = ()
    is_ca: bool = False
    lifetime: timedelta = DEFAULT_LIFETIME
    ocsp_servers: tuple[str, ...] = ()
    issuing_certificate_urls: tuple[str, ...] = ()
    crl_distribution_points: tuple[str, ...] = ()


def signer_from(data: bytes, key: PrivateKey) -> Signer:
    """The signer that a CA's DER certificate and private key make; whether they match is for the caller to ask."""
    name, key_id = name_and_key_id(data)
    return Signer(name=name, key_id=key_id, key=key)


def sign(
    request: Request,
    signer: Signer,
    terms: Terms,
    now: datetime,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """The DER certificate that `signer` gives for `request`, valid for `terms.lifetime` from the second of `now`."""
    not_before = now.astimezone(UTC).replace(microsecond=0)
    algorithm = default_algorithm(signer.key)
    body = der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(_serial(random)),
        algorithm_identifier(algorithm),
        signer.name,
        der.sequence(der.time(not_before), der.time(not_before + terms.lifetime)),
        request.subject,
        request.public_key_info,
        der.explicit(3, extensions.encode_extensions(_extensions_for(request, signer, terms))),
    )
    return signed(signer.key, algorithm, body)


def sign_with_own_key(
    request: Request,
    key: PrivateKey,
    terms: Terms,
    now: datetime,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """The self-signed DER certificate; raises `PkiError` when the request is for another key."""
    if request.public_key_info != public_key_info(key):
        raise PkiError("the private key is not the one that the request is for")
    return sign(request, Signer(name=request.subject, key_id=b"", key=key), terms, now, random)


def _serial(random: Callable[[int], bytes]) -> int:
    value = int.from_bytes(random(20), "big") & (1 << SERIAL_BITS) - 1
    return value or 1


def _extensions_for(request: Request, signer: Signer, terms: Terms) -> list[Extension]:
    asked, path = request.extensions, request.basic_constraints
    constraints = BasicConstraints(terms.is_ca, path.path_length if path and terms.is_ca else None)
    found = usage_extensions(usages_from(terms.usages, is_ca=terms.is_ca, signs_only=request.signs_only))
    value = extensions.encode_basic_constraints(constraints)
    found.append(Extension(extensions.BASIC_CONSTRAINTS, critical=True, value=value))
    if terms.is_ca:
        value = der.octets(key_identifier(request.public_key_info))
        found.append(Extension(extensions.SUBJECT_KEY_ID, critical=False, value=value))
    if signer.key_id:
        value = extensions.encode_authority_key_id(signer.key_id)
        found.append(Extension(extensions.AUTHORITY_KEY_ID, critical=False, value=value))
    if terms.ocsp_servers or terms.issuing_certificate_urls:
        value = extensions.encode_authority_access(terms.ocsp_servers, terms.issuing_certificate_urls)
        found.append(Extension(extensions.AUTHORITY_ACCESS, critical=False, value=value))
    if extensions.NAME_CONSTRAINTS in asked:
        found.append(asked[extensions.NAME_CONSTRAINTS])
    if terms.crl_distribution_points:
        value = extensions.encode_crl_points(terms.crl_distribution_points)
        found.append(Extension(extensions.CRL_POINTS, critical=False, value=value))
    if extensions.ALTERNATIVE_NAMES in asked:
        value = asked[extensions.ALTERNATIVE_NAMES].value
        found.append(Extension(extensions.ALTERNATIVE_NAMES, request.subject == EMPTY_NAME, value))
    return found
