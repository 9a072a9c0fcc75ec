"""The string formats that the API server checks; every other name of a format means nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from email.utils import parseaddr
from ipaddress import AddressValueError, IPv4Address, IPv6Address, NetmaskValueError, ip_interface
from urllib.parse import urlsplit

from certwright.apiserver.schema.re2 import re2_match

FormatCheck = Callable[[str], bool]

_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|[+-]\d{2}:\d{2})", re.ASCII)
# What nearly every timestamp looks like; the rest is looked at more closely.
_USUAL_TIME = re.compile(
    r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII
).fullmatch
_DURATION = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LONG_DURATION = re.compile(
    r"\s*\d+\s*(?:ns|nano|nanosecond|us|µs|micro|microsecond|ms|milli|millisecond|s|sec|second|m|min|minute"
    r"|h|hr|hour|d|day|w|wk|week)s?\s*",
    re.ASCII | re.IGNORECASE,
)
# Letters of any script, digits and symbols; of several labels the last is letters only.
_HOST_CHARACTER = r"a-zA-Z0-9\pS\pL"
_HOSTNAME = (
    rf"^(?:[{_HOST_CHARACTER}](?:-?[{_HOST_CHARACTER}]{{0,62}})?"
    rf"|(?:[{_HOST_CHARACTER}](?:[-{_HOST_CHARACTER}]{{0,61}}[{_HOST_CHARACTER}])?\.)+[a-zA-Z\pL]{{2,63}})$"
)
_BASE64 = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"
_CARD = (
    r"4\d{12}(\d{3})?|5[1-5]\d{14}|6(011|5\d\d)\d{12}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}"
    r"|(2131|1800|35\d{3})\d{11}"
)
_LAST_HOUR, _LAST_MINUTE = 23, 59
_LONGEST_HOST = 255
_LONGEST_LABEL = 63


def _matches(pattern: str, flags: re.RegexFlag = re.ASCII) -> FormatCheck:
    matcher = re.compile(pattern, flags | re.ASCII).fullmatch
    return lambda text: matcher(text) is not None


def _uuid(version: str, variant: str = "[0-9a-f]") -> FormatCheck:
    form = f"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}[0-9a-f]{{3}}-?{variant}[0-9a-f]{{3}}-?[0-9a-f]{{12}}"
    return _matches(form, re.IGNORECASE)


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("2006-01-02") and date.fromisoformat(text) is not None
    except ValueError:
        return False


def is_date_time(text: str) -> bool:
    """RFC 3339, as the API server reads it: upper or lower case, fractions of any length."""
    if _USUAL_TIME(text):
        return True
    day, separator, time = text.lower().partition("t")
    found = _TIME.fullmatch(time)
    if not separator or found is None or not _is_date(day):
        return False
    hour, minute, second = (int(part) for part in found.group(1, 2, 3))
    return hour <= _LAST_HOUR and minute <= _LAST_MINUTE and second <= _LAST_MINUTE


def _is_duration(text: str) -> bool:
    rest = text.lstrip("+-") if text[:1] in {"+", "-"} else text
    if rest == "0":
        return True
    parts = _DURATION.findall(rest)
    return (bool(parts) and "".join(parts) == rest) or _LONG_DURATION.fullmatch(text) is not None


def _is_hostname(text: str) -> bool:
    labels = text.split(".")
    fits = len(text.encode()) <= _LONGEST_HOST and all(len(label.encode()) <= _LONGEST_LABEL for label in labels)
    return fits and re2_match(_HOSTNAME, text) is True


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(re.sub(r"(?<!\d)0+(?=\d)", "", text))
    except AddressValueError:
        return _is_ipv6(text) and "." in text
    return True


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text


def _is_cidr(text: str) -> bool:
    _, slash, length = text.partition("/")
    try:
        ip_interface(re.sub(r"(?<!\d)0+(?=\d+\.)", "", text) if ":" not in text else text)
    except (ValueError, AddressValueError, NetmaskValueError):
        return False
    return bool(slash) and length.isascii() and length.isdigit() and "%" not in text


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    clean = not any(character.isspace() or not character.isprintable() for character in text)
    return clean and (text.startswith("/") or bool(parts.scheme and (parts.netloc or parts.path)))


def _is_email(text: str) -> bool:
    address = parseaddr(text)[1]
    local, at, domain = address.rpartition("@")
    return bool(local and at and domain) and " " not in address


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if re.fullmatch(r"\d{9}[\dX]", digits, re.ASCII) is None:
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum(weight * value for weight, value in enumerate(values, 1)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if re.fullmatch(r"\d{13}", digits, re.ASCII) is None:
        return False
    return sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10 == 0


def _is_isbn(text: str) -> bool:
    return _is_isbn10(text) or _is_isbn13(text)


def _is_credit_card(text: str) -> bool:
    digits = re.sub(r"\D+", "", text, flags=re.ASCII)
    form = (
        r"4\d{12}(\d{3})?|5[1-5]\d{14}|6(011|5\d\d)\d{12}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}|(2131|1800|35\d{3})\d{11}"
    )
    if re.fullmatch(form, digits, re.ASCII) is None:
        return False
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _anything(_text: str) -> bool:
    return True


_OCTET = r"\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*"
_NAME = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_FORMATS: dict[str, FormatCheck] = {
    "bsonobjectid": _matches(r"[0-9a-fA-F]{24}"),
    "uri": _is_uri,
    "email": _is_email,
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "cidr": _is_cidr,
    "mac": _matches(r"(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\1)*[0-9a-fA-F]{2}|(?:[0-9a-fA-F]{4}\.)+[0-9a-fA-F]{4}"),
    "uuid": _uuid("[0-9a-f]"),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
    "isbn": _is_isbn,
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_credit_card,
    "ssn": _matches(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _matches(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matches(rf"rgb\({_OCTET},{_OCTET},{_OCTET}\)"),
    "byte": _matches(_BASE64),
    "password": _anything,
    "date": _is_date,
    "duration": _is_duration,
    "datetime": is_date_time,
    "k8sshortname": lambda text: len(text) <= _LONGEST_LABEL and re.fullmatch(_NAME, text) is not None,
    "k8slongname": lambda text: len(text) <= 253 and re.fullmatch(rf"{_NAME}(?:\.{_NAME})*", text) is not None,
}
# Formats of numbers, with the range that they allow (none for floats: JSON carries doubles).
INTEGER_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def format_check(name: str) -> FormatCheck | None:
    """The check of a format, or None where the name means nothing to the API server; dashes do not count."""
    return _FORMATS.get(name.replace("-", ""))
