"""Renewals that would fall on one second are spread: earlier only, a little, and always the same for a certificate."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.rules.sample import certificate

from certwright.api import certmanager_v1 as cm
from certwright.rules.facts import Identity, LeafFacts
from certwright.rules.hub import HubCertificate
from certwright.rules.renewal_time import (
    LONGEST_EXACT_LIFE,
    LONGEST_SPREAD,
    USUAL_SPREAD,
    fraction,
    planned_renewal,
    renewal_of,
)

START = datetime(2026, 11, 24, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)

lives = st.timedeltas(timedelta(minutes=1), 400 * DAY).map(lambda life: timedelta(seconds=int(life.total_seconds())))
serials = st.integers(0, 2**64)
shares = st.floats(0, 0.5)
asked: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.integers(1, 400 * 24 * 3600).map(lambda seconds: {"renewBefore": f"{seconds}s"}),
    st.integers(1, 99).map(lambda percentage: {"renewBeforePercentage": percentage}),
)


def leaf(serial: int, life: timedelta) -> LeafFacts:
    return LeafFacts(Identity(b"", b"", b""), START, START + life, False, sha256(str(serial).encode()).digest())


def planned(found: LeafFacts, share: float = USUAL_SPREAD, wanted: HubCertificate | None = None) -> datetime:
    when = planned_renewal(wanted or certificate(), found, share).when
    assert when is not None
    return when


def exact(found: LeafFacts, wanted: HubCertificate | None = None) -> datetime:
    when = renewal_of((wanted or certificate()).spec, found.not_before, found.not_after).when
    assert when is not None
    return when


@given(serials, lives, shares, asked)
def test_it_is_never_late_and_little_early(serial: int, life: timedelta, share: float, fields: dict[str, Any]) -> None:
    found, wanted = leaf(serial, life), certificate(**fields)
    latest, when = exact(found, wanted), planned(found, share, wanted)
    early = latest - when

    assert timedelta(0) <= early <= LONGEST_SPREAD
    assert early <= share * (found.not_after - latest)
    assert early <= share * max(latest - found.not_before, timedelta(0))
    assert when.microsecond == 0
    if life <= LONGEST_EXACT_LIFE or share == 0:
        assert early == timedelta(0)


@given(serials, lives)
def test_it_depends_on_the_certificate_alone(serial: int, life: timedelta) -> None:
    one, other = certificate("one"), certificate("other", created=START)

    assert planned(leaf(serial, life), wanted=one) == planned(leaf(serial, life), wanted=other)


def test_a_thousand_of_one_second_come_over_an_hour() -> None:
    found = [leaf(serial, 90 * DAY) for serial in range(1000)]
    assert {exact(each) for each in found} == {START + 60 * DAY}

    times = [planned(each) for each in found]

    assert max(Counter(times).values()) <= 5
    minutes = Counter((START + 60 * DAY - each) // timedelta(minutes=6) for each in times)
    assert sorted(minutes) == list(range(10))
    assert all(60 <= count <= 140 for count in minutes.values())


def test_one_that_was_renewed_a_moment_ago_is_not_renewed_again() -> None:
    wanted = certificate(renewBefore="86399s")
    times = [planned(leaf(serial, DAY), 0.5, wanted) for serial in range(100)]

    assert set(times) == {START + SECOND}


@pytest.mark.parametrize("serial", range(20))
def test_what_was_told_before_holds_until_the_next_issuance(serial: int) -> None:
    old, new = leaf(serial, 90 * DAY), leaf(serial + 1000, 91 * DAY)
    told = cm.CertificateStatus(not_before=old.not_before, not_after=old.not_after, renewal_time=exact(old))
    taken_over = replace(certificate(), status=told)

    assert planned(old, wanted=taken_over) == exact(old)
    assert planned(new, wanted=taken_over) == planned(new)
    edited = replace(certificate(renewBefore="720h1s"), status=told)
    assert planned(old, wanted=edited) == planned(old, wanted=certificate(renewBefore="720h1s"))


@given(serials, shares)
def test_what_it_told_itself_it_tells_again(serial: int, share: float) -> None:
    found = leaf(serial, 90 * DAY)
    first = planned(found, share)
    told = cm.CertificateStatus(not_before=found.not_before, not_after=found.not_after, renewal_time=first)

    assert planned(found, share, replace(certificate(), status=told)) == first


@given(serials, st.integers(0, 23), st.integers(1, 12))
def test_it_stays_in_a_window(serial: int, hour: int, length: int) -> None:
    window = {"cron": f"0 {hour} * * *", "windowDuration": f"{length}h"}
    wanted = certificate(renewal={"policy": "RenewBefore", "windows": [window]})
    found = leaf(serial, 90 * DAY + 11 * HOUR)
    when = planned(found, wanted=wanted)

    opened = when.replace(hour=hour, minute=0, second=0)
    opened -= DAY if opened > when else timedelta(0)
    assert opened <= when < opened + length * HOUR
    assert exact(found) - LONGEST_SPREAD <= when <= exact(found, wanted)


def test_disabled_means_never() -> None:
    wanted = certificate(renewal={"policy": "Disabled"})

    assert planned_renewal(wanted, leaf(1, 90 * DAY), USUAL_SPREAD).when is None


@given(st.binary(min_size=32, max_size=32))
def test_a_fraction_is_below_one(digest: bytes) -> None:
    assert 0 <= fraction(digest) < 1
