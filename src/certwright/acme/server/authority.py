"""The CA proper: roots, an intermediate below all of them, and the certificates that it signs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from certwright.acme.protocol.messages import Identifier
from certwright.acme.server.records import KeyPairRecord
from certwright.acme.server.store import Store
from certwright.pki import extensions, pem
from certwright.pki.alternative_names import AlternativeNames, encode_alternative_names
from certwright.pki.authority import AUTHORITY_LIFETIME, Authority, new_authority
from certwright.pki.certificate import first_certificate_der
from certwright.pki.csr import Request, RequestContent, build_request, parse_request
from certwright.pki.extensions import Extension
from certwright.pki.issuance import Signer, Terms, sign, signer_from
from certwright.pki.keys import KeyAlgorithm, KeyEncoding, KeySpec, encode_private_key, generate, parse_private_key
from certwright.pki.names import EMPTY_NAME, Subject, encode_subject

LEAF_USAGES = ("digital signature", "key encipherment", "server auth")
INTERMEDIATE_USAGES = ("digital signature", "cert sign", "crl sign")
# RFC 5280 upper bound of a common name.
LONGEST_COMMON_NAME = 64


class Validity(Struct, frozen=True):
    """From when on a certificate is valid, and for how long."""

    start: datetime
    lifetime: timedelta


class IssuingCa:
    """One intermediate with one certificate from each root: the first root makes the default chain."""

    def __init__(
        self, intermediate: KeyPairRecord, crosses: Sequence[KeyPairRecord], roots: Sequence[Authority]
    ) -> None:
        self.root_pems = tuple(root.cert_pem for root in roots)
        self._intermediates = tuple(first_certificate_der(one.cert_pem) for one in (intermediate, *crosses))
        self._signer = signer_from(self._intermediates[0], parse_private_key(intermediate.key_pem))

    def issue(self, request: Request, identifiers: Sequence[Identifier], validity: Validity) -> bytes:
        """The DER certificate for the request's key and these identifiers; nothing else in the request counts."""
        return sign(
            _narrowed(request, identifiers),
            self._signer,
            Terms(usages=LEAF_USAGES, lifetime=validity.lifetime),
            validity.start,
        )

    def chains(self, der: bytes) -> tuple[bytes, ...]:
        """The PEM chains of a certificate, the default one first; without roots, as CAs serve them."""
        return tuple(pem.write_certificates([der, above]) for above in self._intermediates)


def open_ca(store: Store, name: str, alternates: int, now: datetime) -> IssuingCa:
    """The CA that the store holds; what it lacks is made and stored."""
    roots = [_root(store, f"root-{number}", _numbered(f"{name} root", number), now) for number in range(alternates + 1)]
    intermediates = [
        _intermediate(store, number, f"{name} intermediate", root, now) for number, root in enumerate(roots)
    ]
    return IssuingCa(intermediates[0], intermediates[1:], roots)


def open_endpoint_authority(store: Store, name: str, now: datetime) -> Authority:
    """The authority of the CA's own HTTPS certificate, stored so that clients may keep trusting it."""
    return _root(store, "endpoint", f"{name} endpoint", now)


def _numbered(name: str, number: int) -> str:
    return f"{name} {number + 1}"


def _root(store: Store, role: str, name: str, now: datetime) -> Authority:
    kept = store.get(KeyPairRecord, role)
    if kept is None:
        made = new_authority(name, now)
        store.put(KeyPairRecord(id=role, cert_pem=made.cert_pem, key_pem=made.key_pem))
        return made
    return Authority(kept.cert_pem, kept.key_pem)


def _intermediate(store: Store, number: int, name: str, root: Authority, now: datetime) -> KeyPairRecord:
    kept = store.get(KeyPairRecord, f"intermediate-{number}")
    if kept is not None:
        return kept
    first = store.get(KeyPairRecord, "intermediate-0")
    key = parse_private_key(first.key_pem) if first else generate(KeySpec(KeyAlgorithm.ECDSA, 256))
    subject = encode_subject(Subject(common_name=name))
    content = RequestContent(subject=subject, is_ca=True, encode_usages=False, encode_basic_constraints=True)
    request = parse_request(build_request(content, key))
    terms = Terms(usages=INTERMEDIATE_USAGES, is_ca=True, lifetime=AUTHORITY_LIFETIME)
    der = sign(request, _signer_of(root), terms, now)
    key_pem = encode_private_key(key, KeyEncoding.PKCS8)
    record = KeyPairRecord(id=f"intermediate-{number}", cert_pem=pem.write_certificates([der]), key_pem=key_pem)
    store.put(record)
    return record


def _signer_of(authority: Authority) -> Signer:
    return signer_from(first_certificate_der(authority.cert_pem), parse_private_key(authority.key_pem))


def _narrowed(request: Request, identifiers: Sequence[Identifier]) -> Request:
    dns_names = tuple(one.value for one in identifiers if one.type == "dns")
    addresses = tuple(one.value for one in identifiers if one.type == "ip")
    common_name = next((name for name in dns_names if len(name) <= LONGEST_COMMON_NAME), "")
    subject = encode_subject(Subject(common_name=common_name)) if common_name else EMPTY_NAME
    value = encode_alternative_names(AlternativeNames(dns_names=dns_names, ip_addresses=addresses))
    names = Extension(extensions.ALTERNATIVE_NAMES, critical=False, value=value)
    return msgspec.structs.replace(request, subject=subject, extensions={names.oid: names})
