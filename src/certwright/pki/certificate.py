"""Certificates (RFC 5280), read as facts."""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec import Struct

from certwright.pki import der, extensions, pem
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import names_in, usages_in
from certwright.pki.errors import PkiError
from certwright.pki.extensions import BasicConstraints, Extension
from certwright.pki.keys import PublicKey
from certwright.pki.names import Subject, name_to_text, subject_of
from certwright.pki.pem import DEFAULT_LIMITS
from certwright.pki.signing import algorithm_name, load_public_key, verifies
from certwright.pki.usages import Usages

NO_CA = BasicConstraints()
_VERSION_TAG, _EXTENSIONS_TAG = 0xA0, 0xA3


class Certificate(Struct, frozen=True, kw_only=True):
    """The facts of a certificate; names are DER as they stood in it, digests are SHA-256, dates are aware UTC."""

    serial: int
    issuer: bytes
    not_before: datetime
    not_after: datetime
    subject: bytes
    subject_parts: Subject
    names: AlternativeNames
    usages: Usages
    basic_constraints: BasicConstraints
    subject_key_id: bytes
    authority_key_id: bytes
    public_key_digest: bytes
    fingerprint: bytes
    signature_algorithm: str

    @property
    def is_ca(self) -> bool:
        """Whether the certificate may sign others."""
        return self.basic_constraints.is_ca

    @property
    def issuer_parts(self) -> Subject:
        """The parts of the issuer's name."""
        return subject_of(self.issuer)

    @property
    def issuer_text(self) -> str:
        """The issuer's name as RFC 4514 text."""
        return name_to_text(self.issuer)

    @property
    def subject_text(self) -> str:
        """The subject's name as RFC 4514 text."""
        return name_to_text(self.subject)


class Leaf(Struct, frozen=True, kw_only=True):
    """What is kept of a certificate that lies in a Secret: names are DER, `serial` the content of its INTEGER."""

    serial: bytes
    issuer: bytes
    subject: bytes
    general_names: bytes
    not_before: datetime
    not_after: datetime
    authority_key_id: bytes
    public_key_digest: bytes
    fingerprint: bytes


class _Fields(Struct, frozen=True):
    serial: bytes
    issuer: bytes
    validity: bytes
    subject: bytes
    public_key_info: bytes
    extensions: dict[str, Extension]
    body: bytes
    algorithm: bytes
    signature: bytes


def parse_certificate(text: bytes, what: str = "the certificate", limit: int = DEFAULT_LIMITS.chain) -> Certificate:
    """The facts of the first certificate of a PEM text, a chain or one alone; raises `PkiError`."""
    return parse_certificate_der(first_certificate_der(text, what, limit), what)


def first_certificate_der(text: bytes, what: str = "the certificate", limit: int = DEFAULT_LIMITS.chain) -> bytes:
    """The DER of the first block of a PEM text in which all blocks must be certificates."""
    pem.refuse_larger(text, limit, what)
    return pem.split_certificates(text, what)[0]


def parse_certificate_der(data: bytes, what: str = "the certificate") -> Certificate:
    """The facts of one certificate; raises `PkiError`, whose text starts with `what`."""
    try:
        return _facts(_take_apart(data), data)
    except PkiError as error:
        raise PkiError(f"{what} cannot be decoded: {error}") from error


def parse_leaf(text: bytes, what: str) -> Leaf:
    """The first certificate of a PEM text, a third of the work of `parse_certificate`; raises `PkiError`."""
    data = first_certificate_der(text, what)
    try:
        return _leaf(_take_apart(data), data)
    except PkiError as error:
        raise PkiError(f"{what} cannot be decoded: {error}") from error


def public_key_of(data: bytes, what: str = "the certificate") -> PublicKey:
    """The public key of a DER certificate; raises `PkiError` for kinds that are not supported."""
    try:
        return load_public_key(_take_apart(data).public_key_info)
    except PkiError as error:
        raise PkiError(f"{what}: {error}") from error


def key_identifier(info: bytes) -> bytes:
    """The first 20 octets of SHA-256 over the public key bits of a SubjectPublicKeyInfo (RFC 7093 method 1)."""
    match der.children(der.read(info, der.SEQUENCE).content):
        case [_, key]:
            return hashlib.sha256(der.whole_octets(key)).digest()[:20]
    raise PkiError("the public key is not an algorithm with a bit string")


def is_issued_by(data: bytes, above: bytes) -> bool:
    """Whether the DER certificate names the subject of `above` as its issuer and carries its signature."""
    below, issuer = _take_apart(data), _take_apart(above)
    if below.issuer != issuer.subject:
        return False
    try:
        key = load_public_key(issuer.public_key_info)
    except PkiError:
        return False
    return verifies(key, below.algorithm, below.body, below.signature)


def issuer_and_subject(data: bytes) -> tuple[bytes, bytes]:
    """The two DER Names of a DER certificate."""
    fields = _take_apart(data)
    return fields.issuer, fields.subject


def name_and_key_id(data: bytes) -> tuple[bytes, bytes]:
    """The DER Name of a certificate's subject, and its subject key identifier (no bytes where it has none)."""
    fields = _take_apart(data)
    return fields.subject, _key_id(fields.extensions)


def _leaf(fields: _Fields, data: bytes) -> Leaf:
    found = fields.extensions
    names = found.get(extensions.ALTERNATIVE_NAMES)
    not_before, not_after = _dates(fields.validity)
    return Leaf(
        serial=fields.serial,
        issuer=fields.issuer,
        subject=fields.subject,
        general_names=names.value if names else b"",
        not_before=not_before,
        not_after=not_after,
        authority_key_id=_authority_key_id(found),
        public_key_digest=hashlib.sha256(fields.public_key_info).digest(),
        fingerprint=hashlib.sha256(data).digest(),
    )


def _facts(fields: _Fields, data: bytes) -> Certificate:
    found = fields.extensions
    constraints = found.get(extensions.BASIC_CONSTRAINTS)
    not_before, not_after = _dates(fields.validity)
    return Certificate(
        serial=int.from_bytes(fields.serial, "big", signed=True),
        issuer=fields.issuer,
        not_before=not_before,
        not_after=not_after,
        subject=fields.subject,
        subject_parts=subject_of(fields.subject),
        names=names_in(found),
        usages=usages_in(found),
        basic_constraints=extensions.decode_basic_constraints(constraints.value) if constraints else NO_CA,
        subject_key_id=_key_id(found),
        authority_key_id=_authority_key_id(found),
        public_key_digest=hashlib.sha256(fields.public_key_info).digest(),
        fingerprint=hashlib.sha256(data).digest(),
        signature_algorithm=algorithm_name(fields.algorithm),
    )


def _take_apart(data: bytes) -> _Fields:
    match der.children(der.read(data, der.SEQUENCE).content):
        case [der.Element(tag=der.SEQUENCE) as body, algorithm, signature]:
            pass
        case _:
            raise PkiError("it is not a body with an algorithm and a signature")
    parts = der.children(body.content)
    if parts and parts[0].tag == _VERSION_TAG:
        parts = parts[1:]
    match parts:
        case [serial, inner, issuer, validity, subject, key_info, *rest]:
            pass
        case _:
            raise PkiError("its body lacks fields")
    if serial.tag != der.INTEGER or inner.raw != algorithm.raw:
        raise PkiError("its serial is no number, or its body and its signature name different algorithms")
    found = next((element.content for element in rest if element.tag == _EXTENSIONS_TAG), None)
    return _Fields(
        serial=serial.content,
        issuer=issuer.raw,
        validity=validity.content,
        subject=subject.raw,
        public_key_info=key_info.raw,
        extensions=extensions.decode_extensions(found) if found is not None else {},
        body=body.raw,
        algorithm=algorithm.raw,
        signature=der.whole_octets(signature),
    )


def _dates(validity: bytes) -> tuple[datetime, datetime]:
    match der.children(validity):
        case [start, end]:
            return der.read_time(start), der.read_time(end)
    raise PkiError("its validity is not two dates")


def _key_id(found: dict[str, Extension]) -> bytes:
    extension = found.get(extensions.SUBJECT_KEY_ID)
    return der.read(extension.value, der.OCTET_STRING).content if extension else b""


def _authority_key_id(found: dict[str, Extension]) -> bytes:
    extension = found.get(extensions.AUTHORITY_KEY_ID)
    return extensions.decode_authority_key_id(extension.value) if extension else b""
