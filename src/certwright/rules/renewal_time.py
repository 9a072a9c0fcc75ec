"""When a certificate is renewed: a share of its life before its end, or in a window that the spec names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import parse_duration
from certwright.rules.facts import LeafFacts
from certwright.rules.hub import HubCertificate

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DISABLED = "Disabled"
LONGEST_CRON = 256
USUAL_SPREAD = 0.05
"""Which share of its lead a renewal may come early."""
LONGEST_SPREAD = timedelta(hours=1)
LONGEST_EXACT_LIFE = timedelta(hours=1)
"""Certificates that live no longer are renewed to the second."""

# Five fields of standard cron; cronsim alone would also take six fields, L, W and #.
_NAMES = r"(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT|[0-9]{1,2})"
_TERM = rf"(?:\*|\?|{_NAMES}(?:-{_NAMES})?)(?:/[0-9]{{1,2}})?"
_FIELD = rf"{_TERM}(?:,{_TERM})*"
_CRON = re.compile(rf"{_FIELD}(?:[ \t]+{_FIELD}){{4}}", re.IGNORECASE)
# As cert-manager's library of cron has them; its @every has no place in a window that opens at certain times.
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_STARTS_LOOKED_AT = 10_000


class Renewal(Struct, frozen=True):
    """When to renew (None: never by itself), and why no window could be kept (empty: one was, or none is asked for)."""

    when: datetime | None
    window_problem: str = ""


def planned_renewal(certificate: HubCertificate, leaf: LeafFacts, share: float) -> Renewal:
    """When the certificate of a Certificate is renewed: a part of `share` early, unless the exact time was told before.

    So what was told of a certificate, also by a predecessor of ours, holds until it is issued anew.
    """
    spec, status = certificate.spec, certificate.status
    exact = renewal_of(spec, leaf.not_before, leaf.not_after)
    dates = (status.not_before, status.not_after, status.renewal_time)
    if exact.when is None or dates == (leaf.not_before, leaf.not_after, exact.when):
        return exact
    return renewal_of(spec, leaf.not_before, leaf.not_after, early=head_start(spec, leaf, share))


def head_start(spec: cm.CertificateSpec, leaf: LeafFacts, share: float) -> timedelta:
    """How much earlier than it has to be this certificate is renewed, so that those of one second do not come at once.

    It follows from the certificate alone. It is less than `share` of the time that is left at the renewal, and of the
    time that has gone by until then: a certificate with a long `renewBefore` is not renewed again at once.
    """
    if leaf.not_after - leaf.not_before <= LONGEST_EXACT_LIFE:
        return timedelta(0)
    desired = desired_time(spec, leaf.not_before, leaf.not_after)
    room = max(min(leaf.not_after - desired, desired - leaf.not_before), timedelta(0))
    return timedelta(seconds=int(fraction(leaf.digest) * min(share * room, LONGEST_SPREAD).total_seconds()))


def fraction(digest: bytes) -> float:
    """A number from 0 to below 1 that is spread as evenly as digests are."""
    return int.from_bytes(digest[:4]) / 2**32


def renewal_of(
    spec: cm.CertificateSpec, not_before: datetime, not_after: datetime, *, early: timedelta = timedelta(0)
) -> Renewal:
    """When the certificate with those dates is renewed, `early` before the time that is asked for; windows hold."""
    rules = spec.renewal
    if rules is not None and rules.policy == DISABLED:
        return Renewal(None)
    return in_windows(spec, desired_time(spec, not_before, not_after) - early, not_after)


def in_windows(spec: cm.CertificateSpec, desired: datetime, not_after: datetime) -> Renewal:
    """The desired time where a window of the spec is open then, or no window is asked for, else the next opening."""
    rules = spec.renewal
    if rules is None or not rules.windows:
        return Renewal(desired)
    try:
        found = min(_next_opening(window, desired, not_after) for window in rules.windows)
    except ValueError as error:
        return Renewal(desired, str(error))
    if found > not_after:
        # Appendix of choices: upstream would renew after the end; what is late for its window is better than expired.
        return Renewal(
            desired,
            f"No renewal window opens between {_text(desired)} and the end of the certificate at {_text(not_after)}; "
            "it is renewed without a window. Open a window more often, or renew earlier with renewBefore.",
        )
    return Renewal(found)


def desired_time(spec: cm.CertificateSpec, not_before: datetime, not_after: datetime) -> datetime:
    """When to renew whatever the windows: `renewBefore` before the end, else a share of the life, else a third."""
    life = not_after - not_before
    before = life / 3
    if (percentage := spec.renew_before_percentage) is not None and 0 < percentage < 100:
        before = life * percentage / 100
    if spec.renew_before is not None:
        try:
            asked = parse_duration(spec.renew_before)
        except ValueError:
            asked = timedelta(0)
        before = asked if timedelta(0) < asked < life else before
    when = not_after - before
    return when.replace(microsecond=0) if when.microsecond else when


class BadWindow(ValueError):
    """Why a window cannot be used, as a sentence, and which field of it is to blame."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def window_problem(window: cm.RenewalWindow) -> BadWindow | None:
    """Why a window cannot be used; None where it can."""
    try:
        _parts(window)
    except BadWindow as problem:
        return problem
    return None


def _next_opening(window: cm.RenewalWindow, desired: datetime, not_after: datetime) -> datetime:
    """The desired time where the window is open then, else the next time at which it opens."""
    cron, zone, length = _parts(window)
    for start in _starts(cron, zone, desired - length):
        if start <= desired < start + length:
            return desired
        if start > desired:
            return start
    return not_after + timedelta(days=1)


def _parts(window: cm.RenewalWindow) -> tuple[str, ZoneInfo, timedelta]:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from cronsim import CronSim, CronSimError

    cron = window.cron.strip()
    cron = _DESCRIPTORS.get(cron, cron)
    if len(cron) > LONGEST_CRON or not _CRON.fullmatch(cron):
        raise BadWindow("cron", f"The renewal window's cron {cron[:80]!r} is not five cron fields, such as 0 2 * * 6.")
    cron = cron.replace("?", "*")
    try:
        CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise BadWindow("cron", f"The renewal window's cron {cron[:80]!r} names no time: {error}.") from None
    name = window.timezone or "UTC"
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"{name[:80]!r} is not a time zone; use an IANA name such as Europe/Berlin."
        raise BadWindow("timezone", text) from None
    return cron, zone, _window_length(window.window_duration)


def _window_length(text: str) -> timedelta:
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise BadWindow("windowDuration", str(error)) from None
    if length <= timedelta(0):
        raise BadWindow("windowDuration", "A renewal window must stay open for some time; write windowDuration as 4h.")
    return length


def _starts(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """When the window opens, from `after` on (itself included), in UTC."""
    from cronsim import CronSim

    ticks = CronSim(cron, (after - timedelta(minutes=1)).astimezone(zone))
    for _, tick in zip(range(_STARTS_LOOKED_AT), ticks, strict=False):
        yield tick.astimezone(UTC)


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
