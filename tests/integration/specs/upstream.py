"""What cert-manager 1.21 refuses in a Certificate's spec, in plain words of our own: nothing of the product is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from ipaddress import ip_address
from typing import Any
from zoneinfo import available_timezones

from tests.integration.specs.drawing import USAGES

Plain = dict[str, Any]  # JSON of a spec

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@({_ATOM}(\.{_ATOM})*|\[[!-Z^-~]*\])")
_SUBDOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(rf"((?=[^/]{{1,253}}/){_SUBDOMAIN}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?")
_INJECTION = "cert-manager.io/allow-direct-injection"
_MOST_ANNOTATIONS = 256 * 1024
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_LENGTH = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_HOUR, _MINUTE = 3600 * 10**9, 60 * 10**9
_TYPES = {"C", "O", "OU", "CN", "SERIALNUMBER", "L", "ST", "STREET", "DC", "UID"}
_ENUMS = {
    "privateKey.algorithm": {"RSA", "ECDSA", "Ed25519"},
    "privateKey.encoding": {"PKCS1", "PKCS8"},
    "privateKey.rotationPolicy": {"Always", "Never"},
    "renewal.policy": {"RenewBefore", "Disabled"},
    "keystores.pkcs12.profile": {"LegacyRC2", "LegacyDES", "Modern2023", "Modern2026"},
}
_SIGNATURES = {
    "RSA": {"SHA256WithRSA", "SHA384WithRSA", "SHA512WithRSA"},
    "ECDSA": {"ECDSAWithSHA256", "ECDSAWithSHA384", "ECDSAWithSHA512"},
    "Ed25519": {"PureEd25519"},
}


def refused_by_definition(spec: Plain) -> set[str]:
    """The paths, without indexes, of what its CustomResourceDefinition refuses; types apart."""
    return set(_definition(spec))


def refused_by_webhook(spec: Plain) -> set[str]:
    """The paths, without indexes, of what its webhook refuses in a spec whose durations can be read."""
    checks = (_subject, _names, _times, _renewal, _key, _template, _secret, _rest)
    return {f"spec.{path}".rstrip(".") for check in checks for path in check(spec)}


def unreadable_durations(spec: Plain) -> set[str]:
    """The paths of durations that its decoder refuses, before anything else is looked at."""
    found = {f"spec.{name}" for name in ("duration", "renewBefore") if name in spec and length(spec[name]) is None}
    windows = spec.get("renewal", {}).get("windows", ())
    if any(length(window["windowDuration"]) is None for window in windows):
        found.add("spec.renewal.windows.windowDuration")
    return found


def length(text: str) -> int | None:
    """Nanoseconds of a duration as Go writes it; None for what is none, or too long for Go."""
    sign, rest = (-1 if text[:1] == "-" else 1), text[text[:1] in {"-", "+"} :]
    if rest == "0":
        return 0
    parts = list(_LENGTH.finditer(rest))
    if not rest or "".join(part[0] for part in parts) != rest:
        return None
    total = sum(int(Fraction(part[1].rstrip(".")) * _NANOSECONDS[part[2]]) for part in parts)
    return sign * total if total < 2**63 else None


def _definition(spec: Plain) -> Iterator[str]:
    for path, words in _ENUMS.items():
        found: Any = spec
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None and found not in words:
            yield f"spec.{path}"
    if not set(spec.get("usages", ())) <= set(USAGES):
        yield "spec.usages"
    if "signatureAlgorithm" in spec and not any(spec["signatureAlgorithm"] in words for words in _SIGNATURES.values()):
        yield "spec.signatureAlgorithm"
    for each in spec.get("additionalOutputFormats", ()):
        if each.get("type") not in {"DER", "CombinedPEM"}:
            yield "spec.additionalOutputFormats.type"
    yield from _renewal_definition(spec)


def _renewal_definition(spec: Plain) -> Iterator[str]:
    if "policy" not in spec.get("renewal", {"policy": ""}):
        yield "spec.renewal.policy"
    for window in spec.get("renewal", {}).get("windows", ()):
        if not window["cron"]:
            yield "spec.renewal.windows.cron"
        if not re.fullmatch(r"([0-9]+(\.[0-9]+)?(s|m|h))+", window["windowDuration"], re.ASCII):
            yield "spec.renewal.windows.windowDuration"
        if window.get("timezone") == "":
            yield "spec.renewal.windows.timezone"


def _subject(spec: Plain) -> Iterator[str]:
    literal, common_name = spec.get("literalSubject", ""), spec.get("commonName", "")
    if literal:
        if common_name:
            yield "commonName"
        if any(spec.get("subject", {}).values()):
            yield "subject"
        try:
            pairs = list(_pairs(literal))
        except ValueError:
            pairs = []
            yield "literalSubject"
        if not all(kind in _TYPES or _is_oid(kind) for kind, _ in pairs):
            yield "literalSubject"
        common_name = next((text for kind, text in pairs if kind in {"CN", "2.5.4.3"}), common_name)
    kinds = ("dnsNames", "uris", "emailAddresses", "ipAddresses", "otherNames")
    if not common_name and not any(spec.get(kind) for kind in kinds):
        yield ""
    if len(common_name.encode()) > 64:
        yield "commonName"


def _pairs(literal: str) -> Iterator[tuple[str, str]]:
    """Type and value of each attribute of an RFC 4514 text, from its beginning."""
    if not literal.strip():
        return
    for part in re.split(r"(?<!\\)(?:\\\\)*[,;+]", _kept(literal)):
        kind, equals, given = part.partition("=")
        if not equals or not kind.strip(" "):
            raise ValueError(part)
        yield kind.strip(" "), _value(given)


def _kept(literal: str) -> str:
    """Pairs of backslashes as hex, so that a backslash before a separator escapes it."""
    return literal.replace("\\\\", "\\5c")


def _value(given: str) -> str:
    stripped = given.strip(" ")
    if stripped.startswith("#"):
        octets = bytes.fromhex(stripped[1:])
        if len(octets) < 2 or len(octets) != octets[1] + 2:
            raise ValueError(given)
        return octets[2:].decode("utf-8", "strict" if octets[0] == 0x0C else "replace")
    if stripped.endswith("\\") and given.endswith(" "):
        stripped += " "
    found = b""
    at = 0
    for match in re.finditer(r'\\([ "#+,;<=>\\])|\\([0-9a-fA-F]{2})|([^\\])', stripped, re.DOTALL):
        if match.start() != at:
            raise ValueError(given)
        at = match.end()
        found += bytes.fromhex(match[2]) if match[2] else (match[1] or match[3]).encode()
    if at != len(stripped):
        raise ValueError(given)
    return found.decode("utf-8", "replace")


def _is_oid(text: str) -> bool:
    """Numbers as Go reads them."""
    parts = text.split(".")
    return all(re.fullmatch(r"[+-]?[0-9]+", part, re.ASCII) and abs(int(part)) < 2**63 for part in parts)


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
        if not _is_oid(other["oid"]):
            yield "otherNames.oid"
        if not other["utf8Value"]:
            yield "otherNames.utf8Value"


def _times(spec: Plain) -> Iterator[str]:
    if not spec.keys() & {"duration", "renewBefore"}:
        return
    life, before = length(spec.get("duration", "2160h")), length(spec.get("renewBefore", "1h"))
    percentage = spec.get("renewBeforePercentage")
    if life is None or before is None:
        return
    if life < _HOUR:
        yield "duration"
    if "renewBefore" in spec:
        if before < 5 * _MINUTE or before >= life or percentage is not None:
            yield "renewBefore"
        if percentage is not None:
            yield "renewBeforePercentage"
    if percentage is not None and not 5 * _MINUTE <= Fraction(life * (100 - percentage), 100) < life:
        yield "renewBeforePercentage"


def _renewal(spec: Plain) -> Iterator[str]:
    renewal = spec.get("renewal")
    if renewal is None:
        return
    if renewal.get("policy") == "Disabled":
        if renewal.get("windows"):
            yield "renewal.windows"
        return
    if renewal.get("policy") != "RenewBefore":
        yield "renewal.policy"
    for window in renewal.get("windows", ()):
        zone = window.get("timezone", "")
        is_zone = not zone or zone in available_timezones()
        if not is_zone:
            yield "renewal.windows.timezone"
        if not is_zone or not _is_cron(window["cron"]):
            yield "renewal.windows.cron"


def _is_cron(text: str) -> bool:
    """As far as the texts that are drawn go."""
    if text.startswith("@"):
        return text == "@daily"
    names = r"(?:MON-FRI|[0-9]{1,2}|\*|\?)(?:-[0-9]{1,2})?(?:/[0-9]{1,2})?"
    fields = text.split()
    return len(fields) == 5 and "99" not in fields and all(re.fullmatch(f"{names}(,{names})*", each) for each in fields)


def _key(spec: Plain) -> Iterator[str]:
    key = spec.get("privateKey", {})
    algorithm, size = key.get("algorithm") or "RSA", key.get("size", 0)
    if algorithm not in _SIGNATURES:
        yield "privateKey.algorithm"
    if size > 0 and (
        (algorithm == "RSA" and not 2048 <= size <= 8192) or (algorithm == "ECDSA" and size not in {256, 384, 521})
    ):
        yield "privateKey.size"
    wanted = spec.get("signatureAlgorithm")
    if wanted and algorithm in _SIGNATURES and wanted not in _SIGNATURES[algorithm]:
        yield "signatureAlgorithm"


def _template(spec: Plain) -> Iterator[str]:
    template = spec.get("secretTemplate", {})
    for key, value in template.get("labels", {}).items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            yield "secretTemplate.labels"
    annotations = template.get("annotations", {})
    for key in annotations:
        if not _LABEL_KEY.fullmatch(key.lower()) or (key.startswith("cert-manager.io/") and key != _INJECTION):
            yield "secretTemplate.annotations"
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _MOST_ANNOTATIONS:
        yield "secretTemplate.annotations"


def _secret(spec: Plain) -> Iterator[str]:
    secret_name = spec["secretName"]
    if len(secret_name) > 253 or not re.fullmatch(_SUBDOMAIN, secret_name):
        yield "secretName"
    for name, store in spec.get("keystores", {}).items():
        if ("password" in store) == bool(store.get("passwordSecretRef", {}).get("name")):
            yield f"keystores.{name}"
        if store.get("password") == "":
            yield f"keystores.{name}.password"
    formats = [each.get("type") for each in spec.get("additionalOutputFormats", ())]
    if len(formats) != len(set(formats)):
        yield "additionalOutputFormats"


def _rest(spec: Plain) -> Iterator[str]:
    ref = spec["issuerRef"]
    if not ref.get("name"):
        yield "issuerRef.name"
    if ref.get("group", "") in {"", "cert-manager.io"} and ref.get("kind", "") not in {"", "Issuer", "ClusterIssuer"}:
        yield "issuerRef.kind"
    if not set(spec.get("usages", ())) <= set(USAGES):
        yield "usages"
    constraints = spec.get("nameConstraints")
    if constraints is not None and not (spec.get("isCA") and constraints.keys() & {"permitted", "excluded"}):
        yield "nameConstraints"
    if spec.get("revisionHistoryLimit", 1) < 1:
        yield "revisionHistoryLimit"
