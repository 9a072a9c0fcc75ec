"""When the leaves of a CA that has a new key are issued again: over a time, so that not all of them come at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from certwright.rules.facts import LeafFacts
from certwright.rules.hub import HubIssuer
from certwright.rules.renewal_time import fraction

REISSUE_ON_CA_CHANGE = "certwright.io/reissue-on-ca-change"
"""Annotation of Issuers and ClusterIssuers of the type CA."""
PACE = timedelta(seconds=1)
"""How much time there is for each Certificate."""
LONGEST = timedelta(hours=1)


class Authority(Struct, frozen=True):
    """The identifier of the key that an issuer signs with, since when it is known to, and how long re-issues take."""

    key_id: bytes
    since: datetime
    window: timedelta


def is_asked_for(issuer: HubIssuer) -> bool:
    """Whether the issuer wants its leaves to follow its key."""
    return issuer.spec.ca is not None and issuer.metadata.annotations.get(REISSUE_ON_CA_CHANGE) == "true"


def window_for(certificates: int) -> timedelta:
    """How long it takes to issue so many anew."""
    return min(certificates * PACE, LONGEST)


def reissue_time(leaf: LeafFacts, authority: Authority) -> datetime | None:
    """When a leaf that another key has signed is issued again; None where it need not be.

    What is younger than the change was signed by someone who does not ask this process: to issue that again and
    again would not end.
    """
    if leaf.authority_key in {b"", authority.key_id} or leaf.not_before > authority.since:
        return None
    return (authority.since + fraction(leaf.digest) * authority.window).replace(microsecond=0)
