"""What a status write says."""

from __future__ import annotations

from datetime import UTC, datetime

from certwright.api.acme_v1 import ChallengeStatus
from certwright.api.certmanager_v1 import CertificateAcmeStatus, CertificateStatus, RenewalInformation
from certwright.rules.status_changes import status_changes

WHEN = datetime(2026, 11, 24, 3, 15, 34, 500000, tzinfo=UTC)


def test_nothing_changes_nothing() -> None:
    assert status_changes(ChallengeStatus(reason="x"), ChallengeStatus(reason="x")) == {}


def test_only_what_differs_is_said_and_what_goes_is_null() -> None:
    before = ChallengeStatus(processing=True, reason="waiting", state="pending")
    after = ChallengeStatus(processing=True, presented=True, presented_at=WHEN, state="pending")

    assert status_changes(before, after) == {
        "presented": True,
        "presentedAt": "2026-11-24T03:15:34Z",
        "reason": None,
    }


def test_what_goes_from_within_an_object_is_null_too() -> None:
    failed = RenewalInformation(last_checked=WHEN, last_error="no answer")
    before = CertificateStatus(revision=1, acme=CertificateAcmeStatus(ari=failed))
    after = CertificateStatus(revision=1, acme=CertificateAcmeStatus(ari=RenewalInformation(last_checked=WHEN)))

    assert status_changes(before, after) == {"acme": {"ari": {"lastError": None}}}
    assert status_changes(after, CertificateStatus(revision=1)) == {"acme": None}
