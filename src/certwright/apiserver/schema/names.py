"""Which names the API server accepts, with its sentences for those that it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable

NameRule = Callable[[str, bool], list[str]]

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = rf"({_QUALIFIED})?"
_KEY = r"[-._a-zA-Z0-9]+"


def _regex_error(message: str, form: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{form}')"


def _characters(most: int) -> str:
    return f"must be no more than {most} characters"


def _bytes(most: int) -> str:
    return f"must be no more than {most} bytes"


_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
_KEY_TEXT = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"


def dns_label(text: str) -> list[str]:
    """What is wrong with `text` as an RFC 1123 label."""
    found = [] if len(text.encode()) <= LABEL_LENGTH else [_bytes(LABEL_LENGTH)]
    if re.fullmatch(_LABEL, text) is None:
        is_dotted = re.fullmatch(_SUBDOMAIN, text) is not None
        found.append("must not contain dots" if is_dotted else _regex_error(_LABEL_TEXT, _LABEL, "my-name", "123-abc"))
    return found


def dns_subdomain(text: str) -> list[str]:
    """What is wrong with `text` as an RFC 1123 subdomain."""
    found = [] if len(text.encode()) <= SUBDOMAIN_LENGTH else [_bytes(SUBDOMAIN_LENGTH)]
    if re.fullmatch(_SUBDOMAIN, text) is None:
        found.append(_regex_error(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return found


def dns_1035_label(text: str) -> list[str]:
    """What is wrong with `text` as an RFC 1035 label (the name of a Service before 1.34)."""
    found = [] if len(text.encode()) <= LABEL_LENGTH else [_characters(LABEL_LENGTH)]
    if re.fullmatch(_LABEL_1035, text) is None:
        found.append(_regex_error(_LABEL_1035_TEXT, _LABEL_1035, "my-name", "abc-123"))
    return found


def qualified_name(text: str) -> list[str]:
    """What is wrong with `text` as a name with an optional DNS prefix (label keys, annotation keys, finalizers)."""
    parts = text.split("/")
    found: list[str] = []
    if len(parts) > 2:
        message = f"a valid label key {_regex_error(_QUALIFIED_TEXT, _QUALIFIED, 'MyName', 'my.name', '123-abc')}"
        return [message + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    name = parts[-1]
    if len(parts) == 2:
        faults = dns_subdomain(parts[0]) if parts[0] else ["must be non-empty"]
        found += [f"prefix part {fault}" for fault in faults]
    if not name:
        found.append("name part must be non-empty")
    elif len(name.encode()) > LABEL_LENGTH:
        found.append(f"name part {_bytes(LABEL_LENGTH)}")
    if re.fullmatch(_QUALIFIED, name) is None:
        found.append("name part " + _regex_error(_QUALIFIED_TEXT, _QUALIFIED, "MyName", "my.name", "123-abc"))
    return found


def label_value(text: str) -> list[str]:
    """What is wrong with `text` as the value of a label."""
    found = [] if len(text.encode()) <= LABEL_LENGTH else [_bytes(LABEL_LENGTH)]
    if re.fullmatch(_VALUE, text) is None:
        found.append(_regex_error(_VALUE_TEXT, _VALUE, "MyValue", "my_value", "12345"))
    return found


def config_key(text: str) -> list[str]:
    """What is wrong with `text` as a key of a Secret or ConfigMap."""
    found = [] if len(text.encode()) <= SUBDOMAIN_LENGTH else [_characters(SUBDOMAIN_LENGTH)]
    if re.fullmatch(_KEY, text) is None:
        found.append(_regex_error(_KEY_TEXT, _KEY, "key.name", "KEY_NAME", "key-name"))
    if text == ".":
        found.append("must not be '.'")
    elif text == "..":
        found.append("must not be '..'")
    elif text.startswith(".."):
        found.append("must not start with '..'")
    return found


def path_segment(text: str) -> list[str]:
    """What is wrong with `text` as one segment of a path (the names of RBAC objects)."""
    if text in {".", ".."}:
        return [f"may not be '{text}'"]
    return [f"may not contain '{bad}'" for bad in ("/", "%") if bad in text]


def _masked(text: str, is_prefix: bool) -> str:
    # A generated name goes on behind the dash that ends a prefix.
    return text[:-2] + "a" if is_prefix and len(text) > 1 and text.endswith("-") else text


def subdomain_name(text: str, is_prefix: bool) -> list[str]:
    """The rule for names of most objects."""
    return dns_subdomain(_masked(text, is_prefix))


def label_name(text: str, is_prefix: bool) -> list[str]:
    """The rule for names of Namespaces and Services."""
    return dns_label(_masked(text, is_prefix))


def label_1035_name(text: str, is_prefix: bool) -> list[str]:
    """The rule for names of Services."""
    return dns_1035_label(_masked(text, is_prefix))


def segment_name(text: str, _is_prefix: bool) -> list[str]:
    """The rule for names of RBAC objects."""
    return path_segment(text)
