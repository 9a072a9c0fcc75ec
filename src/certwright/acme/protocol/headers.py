"""The HTTP headers that carry protocol: Retry-After (RFC 9110 section 10.2.3) and Link (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

# No CA means more than a month; what is longer is a mistake, and would overflow timers.
LONGEST_RETRY = timedelta(days=31)

_DIGITS = re.compile(r"[0-9]{1,12}")
_LINK = re.compile(r'\s*<([^>]*)>((?:\s*;\s*[^=;,\s]+(?:\s*=\s*(?:"[^"]*"|[^;,"\s]*))?)*)\s*(?:,|$)')
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^;,\s"]+))', re.IGNORECASE)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """How long to wait: from seconds or an HTTP date, never negative, at most `LONGEST_RETRY`; None if unreadable."""
    value = value.strip()
    if _DIGITS.fullmatch(value):
        return min(timedelta(seconds=int(value)), LONGEST_RETRY)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max(when - now, timedelta(0)), LONGEST_RETRY)


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
