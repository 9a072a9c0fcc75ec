"""What cert-manager 1.21 refuses in a Certificate's spec, said once more in the plainest way, to compare with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from certwright.api.meta import parse_duration
from certwright.pki.errors import PkiError
from certwright.pki.names import name_from_text, subject_of
from certwright.pki.usages import USAGE_NAMES

Plain = dict[str, Any]

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@({_ATOM}(\.{_ATOM})*|\[[!-Z^-~]*\])")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(
    r"([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)
_ENUMS = {
    "algorithm": {"RSA", "ECDSA", "Ed25519"},
    "encoding": {"PKCS1", "PKCS8"},
    "rotationPolicy": {"Always", "Never"},
}
_INJECTION = "cert-manager.io/allow-direct-injection"


def refused_fields(spec: Plain) -> set[str]:
    """The last words of the paths of the fields that upstream refuses; `spec` where nothing is named."""
    return {field for check in (_subject, _names, _times, _renewal, _key, _secret, _rest) for field in check(spec)}


def _subject(spec: Plain) -> Iterator[str]:
    literal, common_name = spec.get("literalSubject", ""), spec.get("commonName", "")
    if literal:
        if common_name or any(spec.get("subject", {}).values()):
            yield "literalSubject"
        try:
            common_name = common_name or subject_of(name_from_text(literal)).common_name
        except PkiError:
            yield "literalSubject"
            return
    kinds = ("dnsNames", "uris", "emailAddresses", "ipAddresses", "otherNames")
    if not common_name and not any(spec.get(kind) for kind in kinds):
        yield "spec"
    if len(common_name) > 64:
        yield "literalSubject" if literal else "commonName"


def _names(spec: Plain) -> Iterator[str]:
    for text in spec.get("ipAddresses", ()):
        try:
            if "%" in str(ip_address(text)):
                yield "ipAddresses"
        except ValueError:
            yield "ipAddresses"
    if not all(_EMAIL.fullmatch(text) for text in spec.get("emailAddresses", ())):
        yield "emailAddresses"
    for other in spec.get("otherNames", ()):
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)+", other["oid"], re.ASCII):
            yield "oid"
        if not other["utf8Value"]:
            yield "utf8Value"


def _times(spec: Plain) -> Iterator[str]:
    life, before = _hours(spec.get("duration"), 2160), _hours(spec.get("renewBefore"), 1)
    if life is None or life < 1:
        yield "duration"
    if before is None or before < 5 / 60 or ("renewBefore" in spec and life is not None and before >= life):
        yield "renewBefore"
    if "renewBefore" in spec and "renewBeforePercentage" in spec:
        yield "renewBeforePercentage"


def _hours(text: str | None, default: float) -> float | None:
    try:
        return default if text is None else parse_duration(text).total_seconds() / 3600
    except ValueError:
        return None


def _renewal(spec: Plain) -> Iterator[str]:
    renewal = spec.get("renewal")
    if renewal is None:
        return
    if renewal.get("policy") not in {"RenewBefore", "Disabled"}:
        yield "policy"
    if renewal.get("policy") == "Disabled" and renewal.get("windows"):
        yield "windows"
    for window in renewal.get("windows", ()):
        if not window["cron"]:
            yield "cron"
        if not re.fullmatch(r"([0-9]+(\.[0-9]+)?(s|m|h))+", window["windowDuration"]):
            yield "windowDuration"
        if window.get("timezone") == "":
            yield "timezone"


def _key(spec: Plain) -> Iterator[str]:
    key = spec.get("privateKey", {})
    yield from (field for field, words in _ENUMS.items() if field in key and key[field] not in words)
    algorithm, size = key.get("algorithm", "RSA"), key.get("size", 0)
    if size > 0 and (
        (algorithm == "RSA" and not 2048 <= size <= 8192) or (algorithm == "ECDSA" and size not in {256, 384, 521})
    ):
        yield "size"
    wanted = spec.get("signatureAlgorithm")
    fitting = {"SHA": "RSA", "ECD": "ECDSA", "Pur": "Ed25519"}
    if wanted is not None and fitting.get(wanted[:3]) != algorithm:
        yield "signatureAlgorithm"


def _secret(spec: Plain) -> Iterator[str]:
    template = spec.get("secretTemplate", {})
    for key, value in template.get("labels", {}).items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            yield "labels"
    for key in template.get("annotations", {}):
        if not _LABEL_KEY.fullmatch(key.lower()) or (key.startswith("cert-manager.io/") and key != _INJECTION):
            yield "annotations"
    for name, store in spec.get("keystores", {}).items():
        if ("password" in store) == ("passwordSecretRef" in store):
            yield name
        elif store.get("password") == "":
            yield "password"
        if store.get("profile") == "Ancient":
            yield "profile"
    formats = [each["type"] for each in spec.get("additionalOutputFormats", ())]
    if len(formats) != len(set(formats)):
        yield "additionalOutputFormats"


def _rest(spec: Plain) -> Iterator[str]:
    ref = spec["issuerRef"]
    if not ref["name"]:
        yield "name"
    if ref.get("group", "cert-manager.io") == "cert-manager.io" and ref.get("kind", "Issuer")[-6:] != "Issuer":
        yield "kind"
    if not set(spec.get("usages", ())) <= set(USAGE_NAMES):
        yield "usages"
    constraints = spec.get("nameConstraints")
    if constraints is not None and not (spec.get("isCA") and constraints.keys() & {"permitted", "excluded"}):
        yield "nameConstraints"
    if spec.get("revisionHistoryLimit", 1) < 1:
        yield "revisionHistoryLimit"
