"""What every object shares: the base Struct, metadata, conditions, references, and the JSON codec."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Literal, TypeVar, cast

import msgspec
from msgspec import Meta, Struct

JSON = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None
JSONObject = dict[str, JSON]

T = TypeVar("T")

# Words that Kubernetes writes otherwise than plain camel case would.
_IRREGULAR = {
    "access_key_id": "accessKeyID",
    "access_key_id_secret_ref": "accessKeyIDSecretRef",
    "acme_dns": "acmeDNS",
    "authorization_url": "authorizationURL",
    "azure_dns": "azureDNS",
    "client_id": "clientID",
    "cloud_dns": "cloudDNS",
    "cluster_ip": "clusterIP",
    "explanation_url": "explanationURL",
    "finalize_url": "finalizeURL",
    "gateway_http_route": "gatewayHTTPRoute",
    "hosted_zone_id": "hostedZoneID",
    "is_ca": "isCA",
    "issuing_certificate_urls": "issuingCertificateURLs",
    "key_id": "keyID",
    "pod_ip": "podIP",
    "resource_id": "resourceID",
    "skip_tls_verify": "skipTLSVerify",
    "subscription_id": "subscriptionID",
    "tenant_id": "tenantID",
    "tsg_id": "tsgID",
}


def json_name(python_name: str) -> str:
    """The JSON key of a field: `dns_names` → `dnsNames`, `is_ca` → `isCA`."""
    first, *rest = python_name.split("_")
    return _IRREGULAR.get(python_name) or first + "".join(word.capitalize() for word in rest)


def doc(description: str, **schema: JSON) -> Meta:
    """The field's text for `kubectl explain`, and what its schema says beyond the type.

    The schema words are for the API server: decoding does not check them, so that one odd stored object stays readable.
    """
    return Meta(description=description, extra_json_schema=schema or None)


def always(value: T) -> T:
    """A default that is written too, where others are left out."""
    default: T = msgspec.field(default_factory=lambda: value)
    return default


class ApiStruct(Struct, frozen=True, rename=json_name, omit_defaults=True, gc=False):
    """Base of everything in API objects: immutable, camel case outside, defaults left out, unknown fields ignored."""


class MicroTime(datetime):
    """A time written with exactly six digits of a second (metav1.MicroTime); all other times have whole seconds."""

    @classmethod
    def of(cls, when: datetime) -> MicroTime:
        """The same moment."""
        return cls.fromtimestamp(when.timestamp(), UTC)


Int32 = Annotated[int, Meta(extra_json_schema={"format": "int32"})]
Int64 = Annotated[int, Meta(extra_json_schema={"format": "int64"})]

ConditionStatus = Literal["True", "False", "Unknown"]


class OwnerReference(ApiStruct, frozen=True, kw_only=True):
    """An object that owns this one."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(ApiStruct, frozen=True, kw_only=True):
    """Metadata of an object; managedFields is left out on purpose (large, and nothing here reads it)."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()


class ListMeta(ApiStruct, frozen=True, kw_only=True):
    """Metadata of a list."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class Condition(ApiStruct, frozen=True, kw_only=True):
    """One fact about an object, named by its type."""

    type: Annotated[str, doc("What the condition is about, e.g. Ready.")]
    status: Annotated[ConditionStatus, doc("Whether it holds: True, False or Unknown.")]
    last_transition_time: Annotated[datetime | None, doc("When the status last changed.")] = None
    reason: Annotated[str, doc("A word for machines that says why.")] = ""
    message: Annotated[str, doc("A sentence for people that says why.")] = ""
    observed_generation: Annotated[Int64, doc("The metadata.generation that was judged.")] = 0


class ObjectReference(ApiStruct, frozen=True, kw_only=True):
    """Names an issuer."""

    name: Annotated[str, doc("Name of the issuer.")]
    kind: Annotated[str, doc("Kind of the issuer; Issuer if left out. A ClusterIssuer serves all namespaces.")] = ""
    group: Annotated[str, doc("API group of the issuer; cert-manager.io if left out.")] = ""


class LocalObjectReference(ApiStruct, frozen=True, kw_only=True):
    """Names an object in a namespace that the context gives."""

    name: Annotated[str, doc("Name of the object.")]


class SecretKeySelector(ApiStruct, frozen=True, kw_only=True):
    """Names a Secret and one key in its data."""

    name: Annotated[str, doc("Name of the Secret.")]
    key: Annotated[str, doc("Key in the Secret's data; some uses have a default.")] = ""


class LabelSelectorRequirement(ApiStruct, frozen=True, kw_only=True):
    """One condition on a label."""

    key: Annotated[str, doc("Label key.")]
    operator: Annotated[str, doc("In, NotIn, Exists or DoesNotExist.")]
    values: Annotated[tuple[str, ...], doc("Values for In and NotIn; empty otherwise.")] = ()


class LabelSelector(ApiStruct, frozen=True, kw_only=True):
    """Selects objects by label; all parts must hold."""

    match_labels: Annotated[Mapping[str, str], doc("Labels that must be there with these values.")] = msgspec.field(
        default_factory=dict
    )
    match_expressions: Annotated[tuple[LabelSelectorRequirement, ...], doc("Conditions that must all hold.")] = ()


class MalformedObject(ValueError):
    """The bytes do not hold the kind of object asked for; the text names the field."""


def _read_custom(kind: type, value: object) -> object:
    if kind is MicroTime and isinstance(value, str):
        return MicroTime.fromisoformat(value)
    if kind is object:  # free JSON
        return value
    raise TypeError(f"no reader for {kind.__name__}")


def _write_custom(value: object) -> object:
    if isinstance(value, MicroTime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    raise TypeError(f"no writer for {type(value).__name__}")


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[object]:
    return msgspec.json.Decoder(cast("type[object]", kind), dec_hook=_read_custom)


@cache
def _encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(enc_hook=_write_custom)


_TIMELESS = frozenset({str, int, bool, bytes, dict, type(None)})
"""Most fields are one of these."""


def _whole_seconds(value: object) -> object:
    """The value with every plain time in UTC and without a fraction of a second; itself where nothing changes."""
    if isinstance(value, Struct):
        changes = {
            name: new
            for name in value.__struct_fields__
            if type(old := getattr(value, name)) not in _TIMELESS and (new := _whole_seconds(old)) is not old
        }
        return msgspec.structs.replace(value, **changes) if changes else value
    if isinstance(value, tuple):
        items = tuple(_whole_seconds(item) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if type(value) is datetime and (value.microsecond or value.tzinfo is not UTC):
        if value.tzinfo is None:
            raise ValueError("A time without a zone is no moment: give aware times, in UTC.")
        return value.astimezone(UTC).replace(microsecond=0)
    return value


def decode(kind: type[T], data: bytes) -> T:
    """The object in JSON `data`; MalformedObject names the first field that does not fit."""
    try:
        return cast(T, _decoder(cast(Hashable, kind)).decode(data))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise MalformedObject(f"this is not a readable {kind.__name__}: {error}") from error


def encode(value: Struct) -> bytes:
    """JSON of an object, defaults left out, times in UTC and whole seconds (MicroTime: six digits)."""
    return _encoder().encode(_whole_seconds(value))


def from_json(kind: type[T], value: JSON) -> T:
    """The object in JSON that is already decoded; MalformedObject names the first field that does not fit."""
    try:
        return msgspec.convert(value, kind, dec_hook=_read_custom)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise MalformedObject(f"this is not a readable {kind.__name__}: {error}") from error


def to_json(value: Struct) -> JSONObject:
    """The object as plain JSON values, as `encode` would write it."""
    plain: JSONObject = msgspec.json.decode(encode(value))
    return plain


_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # micro sign
    "\u03bcs": 1_000,  # Greek mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([a-z\u00b5\u03bc]+)")
_LONGEST_DURATION = 2**63 - 1  # Go counts nanoseconds in an int64
_MAX_DURATION_TEXT = 256


def parse_duration(text: str) -> timedelta:
    """The length that a Go duration (`1h30m`, `48h0m0s`, `1.5s`) says; ValueError with a sentence where it says none.

    What is finer than a microsecond is cut off.
    """
    sign, rest = (-1 if text.startswith("-") else 1), text[text.startswith(("-", "+")) :]
    if rest == "0":
        return timedelta(0)
    total = sum(_nanoseconds(part, text) for part in _duration_parts(rest, text))
    if total > _LONGEST_DURATION:
        raise ValueError(f"The duration {text} is too long; the longest is about 2562047h.")
    return sign * timedelta(microseconds=total // 1_000)


def _duration_parts(rest: str, text: str) -> list[re.Match[str]]:
    parts = list(_DURATION_PART.finditer(rest)) if len(rest) <= _MAX_DURATION_TEXT else []
    if not parts or sum(len(part.group()) for part in parts) != len(rest):
        raise ValueError(f"{text[:_MAX_DURATION_TEXT]!r} is not a duration; write numbers with units, such as 2160h.")
    return parts


def _nanoseconds(part: re.Match[str], text: str) -> int:
    whole, fraction, unit = part.group(1), part.group(2) or "", part.group(3)
    if unit not in _NANOSECONDS or not (whole or fraction):
        raise ValueError(f"{text!r} is not a duration; use the units h, m, s, ms, us and ns, as in 1h30m.")
    scale = _NANOSECONDS[unit]
    nanoseconds: int = int(whole or 0) * scale + int(fraction or 0) * scale // 10 ** len(fraction)
    return nanoseconds


def format_duration(length: timedelta) -> str:
    """The Go form: `2160h0m0s`, `1h30m0s`, `1.5s`, `0s`."""
    micros = length // timedelta(microseconds=1)
    sign, micros = ("-" if micros < 0 else ""), abs(micros)
    if micros == 0:
        return "0s"
    if micros < 1_000:
        return f"{sign}{micros}\u00b5s"
    if micros < 1_000_000:
        return f"{sign}{_decimal(micros, 1_000)}ms"
    minutes, micros = divmod(micros, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(micros, 1_000_000)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _decimal(amount: int, unit: int) -> str:
    whole, part = divmod(amount, unit)
    digits = str(part).zfill(len(str(unit)) - 1).rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
