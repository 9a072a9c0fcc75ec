"""Names of CertificateRequests, Orders and Challenges, equal to those that cert-manager gives.

Order and Challenge names end in a hash of the spec as Go's encoding/json writes it: compact, fields in the order of the
Go struct (which is that of our Structs), maps sorted, `<`, `>` and `&` escaped.
"""

from __future__ import annotations

import hashlib

import msgspec

from certwright.api.acme_dns01 import RFC2136, Route53
from certwright.api.acme_v1 import ChallengeSpec, OrderSpec, Solver
from certwright.api.meta import JSON, JSONObject, SecretKeySelector, format_duration, parse_duration
from certwright.api.pod_template import Quantities, ResourceRequirements
from certwright.api.quantity import canonical_quantity

_PREFIX_LENGTH = 52
_LONGEST_REQUEST_PREFIX = 233  # leaves room for "-" and a revision below 10^19 in 253 characters
_SHA256_HEX_LENGTH = 64
_GO_ESCAPES = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    "\u2028".encode(): b"\\u2028",
    "\u2029".encode(): b"\\u2029",
}
_NO_SECRET = SecretKeySelector(name="")


def certificate_request_name(certificate: str, revision: int) -> str:
    """`<certificate>-<revision>`; of a long name the start and a SHA-256."""
    if len(certificate) > _LONGEST_REQUEST_PREFIX:
        digest = hashlib.sha256(certificate.encode()).hexdigest()
        certificate = f"{shorten(certificate, _LONGEST_REQUEST_PREFIX - _SHA256_HEX_LENGTH - 1)}-{digest}"
    return f"{certificate}-{revision}"


def certificate_request_generate_name(certificate: str) -> str:
    """The generateName where the gate StableCertificateRequestName is off."""
    return f"{shorten(certificate, _PREFIX_LENGTH)}-"


def order_name(certificate_request: str, spec: OrderSpec) -> str:
    """The Order of a CertificateRequest; `spec.request` does not count."""
    plain = hashed_order(spec)
    if len(certificate_request) >= _PREFIX_LENGTH:
        plain = {"certificateRequestName": certificate_request, "spec": plain}
    return f"{shorten(certificate_request, _PREFIX_LENGTH)}-{fnv1_32(go_json(plain))}"


def challenge_name(order: str, spec: ChallengeSpec) -> str:
    """The Challenge of an Order; `spec.key` does not count."""
    return f"{shorten(order, _PREFIX_LENGTH)}-{fnv1_32(go_json(hashed_challenge(spec)))}"


def shorten(name: str, length: int) -> str:
    """The name itself below `length` characters, else its start, ending in a letter or digit."""
    if len(name) < length:
        return name
    return name[:length].rstrip("-._")


def hashed_order(spec: OrderSpec) -> JSONObject:
    """What is hashed of an Order, in Go's field order."""
    return _plain(spec) | {"request": None}


def hashed_challenge(spec: ChallengeSpec) -> JSONObject:
    """What is hashed of a Challenge, in Go's field order."""
    return _plain(msgspec.structs.replace(spec, key=""))


def go_json(value: JSON) -> bytes:
    """JSON bytes as Go's encoding/json writes them, mappings in the order given."""
    encoded = msgspec.json.encode(value)
    for plain, escaped in _GO_ESCAPES.items():
        encoded = encoded.replace(plain, escaped)
    return encoded


def fnv1_32(data: bytes) -> int:
    """32-bit FNV-1 (multiply, then xor)."""
    value = 0x811C9DC5
    for byte in data:
        value = (value * 0x01000193 & 0xFFFFFFFF) ^ byte
    return value


def _plain(spec: OrderSpec | ChallengeSpec) -> JSONObject:
    plain: JSONObject = msgspec.to_builtins(_as_go(spec), order="deterministic")
    return plain


def _as_go(value: object) -> object:
    """The value with what Go writes otherwise: canonical durations and quantities, unset but obligatory references."""
    if isinstance(value, tuple):
        return tuple(_as_go(item) for item in value)
    if isinstance(value, msgspec.Struct):
        fields = {name: _as_go(getattr(value, name)) for name in value.__struct_fields__}
        return _with_go_forms(msgspec.structs.replace(value, **fields))
    return value


def _with_go_forms(value: msgspec.Struct) -> msgspec.Struct:
    match value:
        case Route53(secret_access_key_secret_ref=None):
            return msgspec.structs.replace(value, secret_access_key_secret_ref=_NO_SECRET)
        case RFC2136(tsig_secret_secret_ref=None):
            return msgspec.structs.replace(value, tsig_secret_secret_ref=_NO_SECRET)
        case Solver(wait_instead_of_self_check=str(text)):
            return msgspec.structs.replace(value, wait_instead_of_self_check=_go_duration(text))
        case OrderSpec(duration=str(text)):
            return msgspec.structs.replace(value, duration=_go_duration(text))
        case ResourceRequirements(limits=limits, requests=requests):
            return msgspec.structs.replace(value, limits=_go_quantities(limits), requests=_go_quantities(requests))
    return value


def _go_duration(text: str) -> str:
    return format_duration(parse_duration(text))


def _go_quantities(amounts: Quantities) -> dict[str, str]:
    return {name: canonical_quantity(str(amount)) for name, amount in amounts.items()}
