"""Whose advice is asked for, what becomes of an answer, and when a certificate of an advised CA is renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.rules.sample import certificate, secret

from certwright.acme.protocol.messages import RenewalInfo, Window
from certwright.api import certmanager_v1 as cm
from certwright.api.acme_v1 import AcmeIssuer
from certwright.api.meta import ObjectMeta, ObjectReference, SecretKeySelector
from certwright.api.wellknown import Annotation
from certwright.rules.facts import Identity, LeafFacts, SecretFacts
from certwright.rules.hub import Dialect, HubCertificate, HubIssuer, IssuerKey
from certwright.rules.renewal_information import (
    JITTER,
    LATEST_CHECK,
    SOONEST_CHECK,
    USUAL_CHECK,
    YOUNGEST,
    Unanswered,
    advised_renewal,
    answered,
    is_due,
    leaf_to_ask_about,
    name_of,
    replaced_certificate,
    told_before,
    unanswered,
)
from certwright.rules.renewal_time import USUAL_SPREAD, Renewal, planned_renewal

START = datetime(2026, 6, 1, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
LIFE = 90 * DAY
USUAL = START + 60 * DAY
# RFC 9773 section 4.1
AUTHORITY_KEY, SERIAL = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4"), bytes.fromhex("0087654321")
NAME = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"

spans = st.tuples(st.integers(0, 89 * 86400), st.integers(1, 10 * 86400)).map(
    lambda found: (START + found[0] * SECOND, START + (found[0] + found[1]) * SECOND)
)
waits = st.timedeltas(timedelta(0), timedelta(days=400))
cron = {"cron": "0 2 * * 6", "windowDuration": "4h"}
"""Saturdays; 6 June 2026 is one."""


def leaf(number: int = 0, life: timedelta = LIFE) -> LeafFacts:
    """A certificate with a name at its CA."""
    digest = sha256(str(number).encode()).digest()
    return LeafFacts(Identity(b"", b"", b""), START, START + life, False, digest, AUTHORITY_KEY, SERIAL)


def said(start: datetime, end: datetime, **more: Any) -> cm.RenewalInformation:
    """What a status says."""
    return cm.RenewalInformation(suggested_window=cm.SuggestedWindow(start=start, end=end), last_checked=START, **more)


def advised(
    found: cm.RenewalInformation, number: int = 0, wanted: HubCertificate | None = None, **more: Any
) -> Renewal:
    """When it is renewed."""
    return advised_renewal(wanted or certificate(), leaf(number), USUAL_SPREAD, found, **more)


def when(found: cm.RenewalInformation, number: int = 0, wanted: HubCertificate | None = None, **more: Any) -> datetime:
    renewal = advised(found, number, wanted, **more)
    assert renewal.when is not None
    return renewal.when


def with_status(found: cm.RenewalInformation, renewal_time: datetime, **fields: Any) -> HubCertificate:
    """A Certificate whose status says so of `leaf()`."""
    status = cm.CertificateStatus(
        not_before=START,
        not_after=START + LIFE,
        renewal_time=renewal_time,
        acme=cm.CertificateAcmeStatus(ari=found),
    )
    return replace(certificate(**fields), status=status)


def issuer(**fields: Any) -> HubIssuer:
    """An ACME issuer."""
    spec = AcmeIssuer(server="https://ca.test/dir", private_key_secret_ref=SecretKeySelector(name="account"), **fields)
    key = IssuerKey(Dialect.MODERN, "Issuer", "here", "ca")
    return HubIssuer(key=key, metadata=ObjectMeta(name="ca"), spec=cm.IssuerSpec(acme=spec))


def held(**changes: Any) -> SecretFacts:
    """The target Secret with `leaf()` in it."""
    return replace(secret(certificate(), **changes), leaf=leaf())


def test_the_name_of_rfc_9773() -> None:
    assert name_of(leaf()) == NAME


@pytest.mark.parametrize("changes", [{"authority_key": b""}, {"serial": b""}, {"is_temporary": True}])
def test_a_certificate_without_a_name_is_not_asked_about(changes: dict[str, Any]) -> None:
    unnamed = replace(leaf(), **changes)

    assert name_of(unnamed) == ""
    assert leaf_to_ask_about(certificate(), replace(held(), leaf=unnamed), issuer()) is None


def test_the_issuers_own_certificate_is_asked_about_and_replaced() -> None:
    assert leaf_to_ask_about(certificate(), held(), issuer()) == leaf()
    assert replaced_certificate(certificate(), held(), ObjectReference(name="ca", kind="Issuer")) == NAME


@pytest.mark.parametrize(
    "annotations",
    [
        {Annotation.ISSUER_NAME: "other"},
        {Annotation.ISSUER_KIND: "ClusterIssuer"},
        {Annotation.CERTIFICATE_NAME: "another"},
        {Annotation.ISSUER_NAME: None, Annotation.ISSUER_KIND: None, Annotation.ISSUER_GROUP: None},
    ],
    ids=["issuer", "kind", "certificate", "nothing said"],
)
def test_a_certificate_of_another_issuer_is_neither_asked_about_nor_replaced(annotations: dict[str, Any]) -> None:
    found = held(annotations=annotations)

    assert leaf_to_ask_about(certificate(), found, issuer()) is None
    assert replaced_certificate(certificate(), found, ObjectReference(name="ca")) == ""


def test_who_is_not_asked() -> None:
    legacy = replace(certificate(), key=certificate().key._replace(dialect=Dialect.LEGACY))
    plain = replace(issuer(), spec=cm.IssuerSpec())

    assert leaf_to_ask_about(certificate(), held(), issuer(renewal_information_source="None")) is None
    assert leaf_to_ask_about(certificate(renewal={"policy": "Disabled"}), held(), issuer()) is None
    assert leaf_to_ask_about(legacy, held(), issuer()) is None
    assert leaf_to_ask_about(certificate(), held(), plain) is None
    assert leaf_to_ask_about(certificate(), None, issuer()) is None


def test_what_was_said_of_another_certificate_does_not_count() -> None:
    found, now = said(USUAL, USUAL + DAY), START + DAY
    status = with_status(found, USUAL).status

    assert told_before(status, leaf(), now) == found
    assert told_before(status, leaf(life=LIFE + SECOND), now) is None
    assert told_before(cm.CertificateStatus(), leaf(), now) is None
    early = with_status(replace(found, last_checked=START - SECOND), USUAL).status
    assert told_before(early, leaf(), now) is None
    assert told_before(early, leaf(), START - SECOND) is not None, "the clock of the CA is ahead"


def test_when_it_is_due() -> None:
    assert is_due(None, START)
    assert is_due(cm.RenewalInformation(), START)
    assert is_due(cm.RenewalInformation(next_check=START), START)
    assert not is_due(cm.RenewalInformation(next_check=START + SECOND), START)


def answer(start: datetime, end: datetime, **more: Any) -> RenewalInfo:
    return RenewalInfo(Window(start, end), **more)


def test_an_answer_is_told_in_whole_seconds_of_utc() -> None:
    zone = datetime.fromisoformat("2026-07-30T02:00:00.5+02:00")
    found = answered(answer(zone, zone + DAY, explanation_url="https://ca.test/why"), None, leaf(), START)

    assert found.suggested_window == cm.SuggestedWindow(start=USUAL - DAY, end=USUAL)
    assert found.explanation_url == "https://ca.test/why"
    assert found.last_checked == START
    assert found.last_error == ""


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://ca.test/" + "x" * 2000])
def test_what_is_no_address_of_a_page_is_not_told(url: str) -> None:
    assert answered(answer(USUAL, USUAL + DAY, explanation_url=url), None, leaf(), START).explanation_url == ""


@given(waits, st.integers(0, 1000), st.integers(0, 10**6))
def test_the_ca_is_never_asked_sooner_than_it_wants(wait: timedelta, number: int, second: int) -> None:
    now = START + second * SECOND
    found = answered(answer(USUAL, USUAL + DAY, retry_after=wait), None, leaf(number), now)

    assert found.next_check is not None
    least = min(max(wait, SOONEST_CHECK), LATEST_CHECK)
    assert least - SECOND <= found.next_check - now <= least * (1 + JITTER)


def test_without_its_wish_it_is_asked_every_six_hours_or_so() -> None:
    checks = [answered(answer(USUAL, USUAL + DAY), None, leaf(number), START).next_check for number in range(200)]
    waited = [check - START for check in checks if check is not None]

    assert min(waited) >= USUAL_CHECK * (1 - JITTER)
    assert max(waited) <= USUAL_CHECK * (1 + JITTER)
    assert max(waited) - min(waited) > USUAL_CHECK * JITTER
    assert len(set(waited)) > 150


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (USUAL, USUAL, "ends, at 2026-07-31T00:00:00Z, before"),
        (USUAL, USUAL - DAY, "before it begins"),
        (START + LIFE, START + LIFE + DAY, "the certificate ends at 2026-08-30T00:00:00Z"),
        (USUAL.replace(tzinfo=None), USUAL, "times that are none"),
        (datetime.fromisoformat("0001-01-01T00:00:00+14:00"), USUAL, "times that are none"),
        (USUAL, datetime.fromisoformat("9999-12-31T23:00:00-12:00"), "times that are none"),
    ],
)
def test_a_window_that_is_none_counts_as_no_answer(start: datetime, end: datetime, words: str) -> None:
    before = said(USUAL, USUAL + DAY)
    found = answered(answer(start, end), before, leaf(), START)

    assert words in found.last_error
    assert found.suggested_window == before.suggested_window
    assert found.last_checked == START


def test_failures_wait_longer_each_time_up_to_the_usual_time() -> None:
    now, found, waited = START, said(USUAL, USUAL + DAY), []
    for _ in range(5):
        found = unanswered(Unanswered("no answer"), found, leaf(), now)
        assert found.next_check is not None
        waited.append(found.next_check - now)
        now = found.next_check

    assert found.suggested_window is not None
    assert HOUR <= waited[0] < waited[1] < waited[2] < waited[3]
    assert waited[0] <= (1 + JITTER) * HOUR
    assert USUAL_CHECK <= waited[4] <= (1 + JITTER) * USUAL_CHECK


def test_a_refusal_voids_what_was_said_and_is_asked_again_at_the_usual_time() -> None:
    found = unanswered(Unanswered("404", is_refusal=True), said(USUAL, USUAL + DAY), leaf(), START)

    assert found.suggested_window is None
    assert found.last_error == "404"
    assert found.next_check is not None
    assert found.next_check >= START + (1 - JITTER) * USUAL_CHECK - SECOND


def test_a_failure_honours_what_the_ca_asks_for() -> None:
    found = unanswered(Unanswered("slow down", 9 * HOUR), None, leaf(), START)

    assert found.next_check is not None
    assert found.next_check >= START + 9 * HOUR


@given(spans, st.integers(0, 1000))
def test_the_renewal_lies_in_the_window_or_is_the_usual_one(span: tuple[datetime, datetime], number: int) -> None:
    start, end = span
    found = when(said(start, end), number)

    usual = planned_renewal(certificate(), leaf(number), USUAL_SPREAD).when
    assert start <= found < end or found in (usual, START + YOUNGEST)
    assert found <= START + LIFE - LIFE / 6
    assert found.microsecond == 0


@given(spans, st.integers(0, 1000))
def test_it_depends_on_certificate_and_window_alone(span: tuple[datetime, datetime], number: int) -> None:
    found = said(*span)
    first = when(found, number)

    assert when(found, number) == first
    assert when(found, number, wanted=with_status(found, first)) == first


def test_a_thousand_are_spread_over_the_window() -> None:
    found = said(USUAL - DAY, USUAL + DAY)
    hours = {(when(found, number) - USUAL) // HOUR for number in range(1000)}

    assert hours == set(range(-24, 24))


def test_a_time_that_was_picked_stays_while_it_fits() -> None:
    before, picked = said(USUAL - DAY, USUAL + DAY), USUAL - HOUR
    wanted = with_status(before, picked)

    assert when(said(USUAL - 2 * HOUR, USUAL + 2 * DAY), wanted=wanted) == picked
    moved = when(said(USUAL, USUAL + DAY), wanted=wanted)
    assert USUAL <= moved < USUAL + DAY


def test_the_usual_time_is_not_taken_for_a_pick() -> None:
    window = said(USUAL - DAY, USUAL + DAY)
    unadvised = replace(certificate(), status=replace(with_status(window, USUAL).status, acme=None))

    assert when(window, wanted=unadvised) == when(window)


def test_a_window_in_the_past_means_now_and_one_from_before_the_certificate_nothing() -> None:
    assert when(said(START + 2 * HOUR, START + 3 * HOUR)) < START + 3 * HOUR
    usual = planned_renewal(certificate(), leaf(), USUAL_SPREAD)
    assert advised(said(START - SECOND, START + HOUR)) == usual


def test_a_ca_that_always_says_now_does_not_make_an_endless_loop() -> None:
    assert when(said(START, START + SECOND)) == START + YOUNGEST
    assert when(said(START, START + SECOND), issued=START + HOUR) == START + HOUR + YOUNGEST


def test_a_ca_is_not_followed_to_the_end() -> None:
    late = START + LIFE - HOUR
    usual = planned_renewal(certificate(), leaf(), USUAL_SPREAD)

    assert advised(said(late, late + 2 * DAY)) == usual
    assert when(said(USUAL + 10 * DAY, USUAL + 11 * DAY)) > USUAL
    asked = certificate(renewBefore="720h")
    assert advised(said(USUAL + 10 * DAY, USUAL + 11 * DAY), wanted=asked) == planned_renewal(
        asked, leaf(), USUAL_SPREAD
    )
    assert when(said(USUAL - 10 * DAY, USUAL - 9 * DAY), wanted=asked) < USUAL - 9 * DAY


@pytest.mark.parametrize("life", [10 * timedelta(minutes=1), HOUR, 2 * HOUR, 6 * DAY])
def test_short_lives_keep_some_of_it_at_the_renewal(life: timedelta) -> None:
    short = leaf(life=life)
    found = said(START + life / 4, START + 2 * life)
    renewal = advised_renewal(certificate(), short, USUAL_SPREAD, found).when

    assert renewal is not None
    assert START < renewal <= short.not_after - life / 6


@pytest.mark.parametrize("number", range(10))
def test_the_specs_window_holds_inside_of_the_cas(number: int) -> None:
    """A week around the usual time, with one Saturday in it."""
    wanted = certificate(renewal={"policy": "RenewBefore", "windows": [cron]})
    opens = datetime(2026, 8, 1, 2, tzinfo=UTC)

    found = when(said(opens - 3 * DAY, opens + 3 * DAY), number, wanted)

    assert opens <= found < opens + 4 * HOUR


def test_a_ca_that_is_in_no_hurry_waits_for_the_specs_window() -> None:
    """Two days around the usual time, a Friday, and no Saturday left in it."""
    wanted = certificate(renewal={"policy": "RenewBefore", "windows": [{**cron, "cron": "0 2 * * 4"}]})

    found = when(said(USUAL - 12 * HOUR, USUAL + DAY), wanted=wanted)

    assert found == datetime(2026, 8, 6, 2, tzinfo=UTC)


def test_a_ca_in_a_hurry_outweighs_the_specs_window() -> None:
    """As when it is about to revoke."""
    wanted = certificate(renewal={"policy": "RenewBefore", "windows": [cron]})
    monday = datetime(2026, 6, 15, tzinfo=UTC)

    assert monday <= when(said(monday, monday + DAY), wanted=wanted) < monday + DAY


def test_a_window_that_never_opens_again_leaves_the_usual_time() -> None:
    """The first of August opens before the CA's window and not again before the end."""
    window = {"cron": "0 2 1 8 *", "windowDuration": "4h"}
    wanted = certificate(renewal={"policy": "RenewBefore", "windows": [window]})
    late = said(USUAL + 5 * DAY, USUAL + 6 * DAY)

    assert advised(late, wanted=wanted) == planned_renewal(wanted, leaf(), USUAL_SPREAD)


def test_disabled_means_never() -> None:
    wanted = certificate(renewal={"policy": "Disabled"})

    assert advised(said(USUAL, USUAL + DAY), wanted=wanted).when is None
