"""Certificate signing requests (RFC 2986): built from what a spec asks for, and read as facts."""

from __future__ import annotations

from msgspec import Struct

from certwright.pki import der, extensions, pem
from certwright.pki.alternative_names import AlternativeNames, decode_alternative_names, encode_alternative_names
from certwright.pki.errors import PkiError
from certwright.pki.extensions import BasicConstraints, Extension, NameConstraints
from certwright.pki.keys import PrivateKey, ml_dsa_algorithm, public_key_info
from certwright.pki.names import EMPTY_NAME, Subject, subject_of
from certwright.pki.pem import DEFAULT_LIMITS
from certwright.pki.signing import (
    SignatureAlgorithm,
    algorithm_name,
    default_algorithm,
    load_public_key,
    signed,
    verifies,
)
from certwright.pki.usages import (
    Usages,
    decode_extended_key_usage,
    decode_key_usage,
    encode_extended_key_usage,
    encode_key_usage,
    usages_from,
)

_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"


class RequestContent(Struct, frozen=True, kw_only=True):
    """What a request asks for: `subject` is a DER Name, empty `usages` mean the default ones."""

    subject: bytes = EMPTY_NAME
    names: AlternativeNames = AlternativeNames()
    usages: tuple[str, ...] = ()
    is_ca: bool = False
    encode_usages: bool = True
    encode_basic_constraints: bool = False
    name_constraints: NameConstraints | None = None
    signature_algorithm: SignatureAlgorithm | None = None


class Request(Struct, frozen=True, kw_only=True):
    """The facts of a request; `subject` and `public_key_info` are DER as they stood in it."""

    subject: bytes
    public_key_info: bytes
    extensions: dict[str, Extension]
    names: AlternativeNames
    usages: Usages
    basic_constraints: BasicConstraints | None
    body: bytes
    algorithm: bytes
    signature: bytes

    @property
    def subject_parts(self) -> Subject:
        """The parts of the subject that the Certificate API knows."""
        return subject_of(self.subject)

    @property
    def encodes_usages(self) -> bool:
        """Whether the request itself says what the certificate may be used for."""
        return bool({extensions.KEY_USAGE, extensions.EXTENDED_KEY_USAGE} & self.extensions.keys())

    @property
    def signs_only(self) -> bool:
        """Whether it is for a key that cannot encipher, as ML-DSA keys are."""
        return ml_dsa_algorithm(self.public_key_info) is not None

    @property
    def signature_algorithm(self) -> str:
        """The word of the API for the algorithm that signed the request, or its OID."""
        return algorithm_name(self.algorithm)


class Applicant(Struct, frozen=True):
    """Who a request is for: a DER Name, DER GeneralNames (no bytes where it has none), and the public key."""

    subject: bytes
    general_names: bytes
    public_key_info: bytes


class _Fields(Struct, frozen=True):
    subject: bytes
    public_key_info: bytes
    extensions: dict[str, Extension]
    body: bytes
    algorithm: bytes
    signature: bytes


def build_request(content: RequestContent, key: PrivateKey) -> bytes:
    """The request as PEM, signed by `key`; raises `PkiError` for a value that cannot be encoded."""
    info = public_key_info(key)
    usages = usages_from(content.usages, is_ca=content.is_ca, signs_only=ml_dsa_algorithm(info) is not None)
    wanted = extensions.encode_extensions(_wanted_extensions(content, usages))
    attribute = der.sequence(der.oid(_EXTENSION_REQUEST), der.set_of([wanted]))
    attributes = der.explicit(0, attribute if wanted != der.sequence() else b"")
    body = der.sequence(der.integer(0), content.subject, info, attributes)
    return pem.write(pem.CERTIFICATE_REQUEST, signed(key, content.signature_algorithm or default_algorithm(key), body))


def parse_request(
    text: bytes, what: str = "the certificate signing request", limit: int = DEFAULT_LIMITS.certificate
) -> Request:
    """The facts of the first PEM block, which must be a request; raises `PkiError`. Does not check the signature."""
    fields = _first_request(text, what, limit)
    try:
        return _facts(fields)
    except PkiError as error:
        raise PkiError(f"{what} cannot be decoded: {error}") from error


def applicant_of(text: bytes, what: str, limit: int = DEFAULT_LIMITS.certificate) -> Applicant:
    """Who the first PEM block is for, at a third of the cost of `parse_request`; raises `PkiError`."""
    fields = _first_request(text, what, limit)
    names = fields.extensions.get(extensions.ALTERNATIVE_NAMES)
    return Applicant(fields.subject, names.value if names else b"", fields.public_key_info)


def is_signed_by_its_key(request: Request) -> bool:
    """Whether the requester holds the private key, by an algorithm that is supported here."""
    key = load_public_key(request.public_key_info)
    return verifies(key, request.algorithm, request.body, request.signature)


def _wanted_extensions(content: RequestContent, usages: Usages) -> list[Extension]:
    wanted = []
    if content.names:
        value = encode_alternative_names(content.names)
        wanted.append(Extension(extensions.ALTERNATIVE_NAMES, content.subject == EMPTY_NAME, value))
    if content.encode_usages:
        wanted += usage_extensions(usages)
    if content.encode_basic_constraints:
        constraints = extensions.encode_basic_constraints(BasicConstraints(content.is_ca))
        wanted.append(Extension(extensions.BASIC_CONSTRAINTS, critical=True, value=constraints))
    if content.name_constraints is not None:
        value = extensions.encode_name_constraints(content.name_constraints)
        # RFC 5280 section 4.2.1.10: it must not be empty, and Go reads no certificate in which it is.
        if value != der.sequence():
            wanted.append(Extension(extensions.NAME_CONSTRAINTS, content.name_constraints.critical, value))
    return wanted


def usage_extensions(usages: Usages) -> list[Extension]:
    """KeyUsage (critical) and ExtendedKeyUsage, each left out when it would be empty."""
    found = []
    if usages.bits:
        found.append(Extension(extensions.KEY_USAGE, critical=True, value=encode_key_usage(usages.bits)))
    if usages.purposes:
        value = encode_extended_key_usage(usages.purposes)
        found.append(Extension(extensions.EXTENDED_KEY_USAGE, critical=False, value=value))
    return found


def names_in(found: dict[str, Extension]) -> AlternativeNames:
    """The subject alternative names among decoded extensions."""
    extension = found.get(extensions.ALTERNATIVE_NAMES)
    return decode_alternative_names(extension.value) if extension else AlternativeNames()


def usages_in(found: dict[str, Extension]) -> Usages:
    """The key usage bits and extended key usages among decoded extensions."""
    bits, purposes = found.get(extensions.KEY_USAGE), found.get(extensions.EXTENDED_KEY_USAGE)
    return Usages(
        decode_key_usage(bits.value) if bits else frozenset(),
        decode_extended_key_usage(purposes.value) if purposes else (),
    )


def _first_request(text: bytes, what: str, limit: int) -> _Fields:
    pem.refuse_larger(text, limit, what)
    first = pem.split(text, what)[0]
    if first.label not in {pem.CERTIFICATE_REQUEST, pem.NEW_CERTIFICATE_REQUEST}:
        raise PkiError(f"{what} starts with a PEM block {first.label} where CERTIFICATE REQUEST is expected")
    try:
        return _take_apart(first.der)
    except PkiError as error:
        raise PkiError(f"{what} cannot be decoded: {error}") from error


def _take_apart(data: bytes) -> _Fields:
    match der.children(der.read(data, der.SEQUENCE).content):
        case [body, algorithm, signature]:
            pass
        case _:
            raise PkiError("it is not a body with an algorithm and a signature")
    match der.children(body.content):
        case [der.Element(tag=der.INTEGER), subject, key_info, *rest]:
            pass
        case _:
            raise PkiError("its body is not a version, a subject and a public key")
    return _Fields(
        subject=subject.raw,
        public_key_info=key_info.raw,
        extensions=_requested_extensions(rest),
        body=body.raw,
        algorithm=algorithm.raw,
        signature=der.whole_octets(signature),
    )


def _facts(fields: _Fields) -> Request:
    found = fields.extensions
    subject_of(fields.subject)
    constraints = found.get(extensions.BASIC_CONSTRAINTS)
    return Request(
        subject=fields.subject,
        public_key_info=fields.public_key_info,
        extensions=found,
        names=names_in(found),
        usages=usages_in(found),
        basic_constraints=extensions.decode_basic_constraints(constraints.value) if constraints else None,
        body=fields.body,
        algorithm=fields.algorithm,
        signature=fields.signature,
    )


def _requested_extensions(rest: list[der.Element]) -> dict[str, Extension]:
    attributes = next((element.content for element in rest if element.tag == 0xA0), b"")
    for attribute in der.children(attributes):
        kind, values = _pair(attribute)
        if der.oid_text(kind.content) == _EXTENSION_REQUEST:
            return extensions.decode_extensions(der.read(values.content).raw)
    return {}


def _pair(element: der.Element) -> tuple[der.Element, der.Element]:
    match der.children(element.content):
        case [der.Element(tag=der.OID) as kind, value]:
            return kind, value
    raise PkiError("an attribute is not an OID with values")
