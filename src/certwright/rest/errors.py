"""What a request can end in, and what a server says about trying again."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# No server means more than a month; what is longer is a mistake, and would overflow timers.
LONGEST_RETRY = timedelta(days=31)


class RestError(Exception):
    """The other side did not do what was asked: `status` is its HTTP status, 0 where it gave no answer.

    `message` is a sentence with the other side's own words and no secret; `body` is its answer, cut at the
    client's limit, for callers that know the error shape of their API.
    """

    def __init__(self, status: int, message: str, retry_after: timedelta | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.body = body

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later: no answer, a time-out, a rate limit or a server fault."""
        return self.status in {0, 408, 425, 429} or self.status >= 500


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """RFC 9110 10.2.3: seconds or a date, at least zero, at most `LONGEST_RETRY`; None where it says nothing."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,12}", value):
        return min(timedelta(seconds=int(value)), LONGEST_RETRY)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max(aware - now, timedelta(0)), LONGEST_RETRY)
