"""The Link header (RFC 8288), which names chains, indexes and further pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin

_LINK = re.compile(r'\s*<([^>]*)>((?:\s*;\s*[^=;,\s]+(?:\s*=\s*(?:"[^"]*"|[^;,"\s]*))?)*)\s*(?:,|$)')
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^;,\s"]+))', re.IGNORECASE)


def links(values: Iterable[str], relation: str, base: str) -> tuple[str, ...]:
    """The targets of the Link headers `values` that have `relation`, made absolute by `base`, in order."""
    found = (match for value in values for match in _LINK.finditer(value))
    return tuple(absolute(match[1], base) for match in found if relation in _relations(match[2]))


def absolute(reference: str, base: str) -> str:
    """`reference` seen from `base`."""
    return urljoin(base, reference)


def _relations(parameters: str) -> list[str]:
    match = _RELATION.search(parameters)
    return (match[1] or match[2] or "").lower().split() if match else []
