"""Named formats in rules: `!format.dns1123Label().validate(self).hasValue()`."""

from __future__ import annotations

import re
from collections.abc import Callable

from certwright.apiserver.schema.cel_declare import Signatures
from certwright.apiserver.schema.formats import format_check
from certwright.apiserver.schema.names import (
    dns_1035_label,
    dns_label,
    dns_subdomain,
    label_value,
    qualified_name,
    subdomain_name,
)

_KIND, _FAULTS = "kubernetes.NamedFormat", "value"


def _prefixed(rule: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    return lambda text: rule(re.sub(r"-$", "a", text))


def _checked(name: str) -> Callable[[str], list[str]]:
    check = format_check(name)
    assert check is not None
    return lambda text: [] if check(text) else [f"invalid {name}"]


_FORMATS: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": dns_label,
    "dns1123Subdomain": dns_subdomain,
    "dns1035Label": dns_1035_label,
    "qualifiedName": qualified_name,
    "dns1123LabelPrefix": _prefixed(dns_label),
    "dns1123SubdomainPrefix": lambda text: subdomain_name(text, True),
    "dns1035LabelPrefix": _prefixed(dns_1035_label),
    "labelValue": label_value,
    "uri": _checked("uri"),
    "uuid": _checked("uuid"),
    "byte": _checked("byte"),
    "date": _checked("date"),
    "datetime": _checked("date-time"),
}


def _validate(form: dict[str, str], text: str) -> dict[str, list[str]]:
    """An optional list of faults, as a map: the library lets no function return an optional."""
    faults = _FORMATS[form[_KIND]](text)
    return {_FAULTS: faults} if faults else {}


def declare(found: Signatures) -> None:
    """Declare the formats, and what an optional answers, for the maps that stand for it."""
    for name in _FORMATS:
        found.function(f"format.{name}() map", lambda name=name: {_KIND: name})
    found.member("validate(map, string) map", _validate)
    found.member("hasValue(map) bool", lambda optional: _FAULTS in optional)
    found.member("value(map) dyn", lambda optional: optional[_FAULTS])
    found.member("orValue(map, list) list", lambda optional, other: optional.get(_FAULTS, other))
