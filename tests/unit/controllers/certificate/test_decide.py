"""The one next step for each state that a Certificate can be in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.rules.sample import NOW, certificate, key, ready, request, secret, temporary_chain

from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition
from certwright.api.wellknown import Annotation, Label
from certwright.controllers.certificate import decide as steps
from certwright.controllers.certificate.asking import Advice
from certwright.controllers.certificate.decide import Step, decide
from certwright.controllers.certificate.gather import CertificateView
from certwright.controllers.certificate.readiness import look_again, report
from certwright.pki.keys import PrivateKey, public_key_digest
from certwright.rules.facts import RequestFacts, SecretFacts
from certwright.rules.hub import HubCertificate
from certwright.rules.private_key import NewKey, NoKey, PresentKey

HOUR = timedelta(hours=1)
APPROVED = {"type": "Approved", "status": "True", "reason": "x"}
ISSUED: dict[str, Any] = {"conditions": [APPROVED, ready("True", "Issued")]}
PENDING: dict[str, Any] = {"conditions": [APPROVED, ready("False", "Pending", message="soon")]}
FAILED: dict[str, Any] = {"conditions": [APPROVED, ready("False", "Failed", message="no")]}


def view(wanted: HubCertificate | None = None, **changes: Any) -> CertificateView:
    """A Certificate with nothing but itself, before its first issuance, whose issuer signs here."""
    wanted = wanted or certificate()
    plain = CertificateView(
        certificate=wanted,
        now=NOW,
        owner=wanted,
        is_superseded=False,
        secret=None,
        requests=(),
        key_secrets=(),
        issuer=None,
        signs_here=True,
        held_key=None,
        stores_unchecked=False,
        backoff=(HOUR, 32 * HOUR),
        owner_reference=False,
    )
    return replace(plain, **changes)


def issuing(status: str = "True", reason: str = "DoesNotExist", since: datetime = NOW) -> cm.CertificateStatus:
    """A status with the condition Issuing."""
    said = Condition(
        type="Issuing", status="True" if status == "True" else "False", reason=reason, last_transition_time=since
    )
    return cm.CertificateStatus(conditions=(said,))


def with_status(status: cm.CertificateStatus, **fields: Any) -> HubCertificate:
    """A Certificate with that status."""
    return replace(certificate(**fields), status=status)


def settled(**fields: Any) -> CertificateView:
    """A Certificate that was issued once, with all that belongs to it."""
    wanted = with_status(cm.CertificateStatus(revision=1), **fields)
    return view(wanted, secret=secret(wanted), requests=(request(wanted, **ISSUED),))


def held(private_key: PrivateKey | None = None) -> bytes:
    """The digest of a key in this process."""
    return public_key_digest(private_key or key())


def key_secret(name: str = "web-abcde", private_key: PrivateKey | None = None) -> SecretFacts:
    """A temporary Secret."""
    found = secret(certificate(), signer=private_key or key())
    labels = {Label.NEXT_PRIVATE_KEY: "true"}
    return replace(found, metadata=replace(found.metadata, name=name, labels=labels))


def stored(found: RequestFacts, by: SecretFacts) -> RequestFacts:
    """The request whose certificate lies in that Secret."""
    assert by.leaf is not None
    return replace(found, leaf_digest=by.leaf.digest)


def test_a_new_certificate_begins_in_memory_or_with_a_stored_key() -> None:
    assert decide(view()) == steps.Begin(steps.due_for_issuance(view()), NewKey(), in_memory=True)
    assert decide(view(signs_here=False)) == steps.Begin(steps.due_for_issuance(view()), NewKey(), in_memory=False)


def test_a_stored_key_is_used_though_the_issuer_signs_here_now() -> None:
    step = decide(view(key_secrets=(key_secret(),)))

    assert isinstance(step, steps.Begin)
    assert not step.in_memory


def test_all_is_well() -> None:
    assert decide(settled()) == steps.Rest()


def test_a_request_just_made_here_is_given_a_moment() -> None:
    asked = request(certificate())
    asked = replace(asked, metadata=replace(asked.metadata, creation_timestamp=NOW))

    assert decide(view(requests=(asked,), held_key=held())) == steps.Linger(NOW + steps.QUICK)
    assert isinstance(decide(view(requests=(asked,), held_key=held(), now=NOW + steps.QUICK)), steps.Await)
    assert isinstance(decide(view(requests=(asked,), held_key=held(), signs_here=False)), steps.Await)


def test_an_answered_request_is_stored() -> None:
    asked = request(certificate(), **ISSUED)

    assert isinstance(decide(view(requests=(asked,), held_key=held())), steps.Store)
    assert isinstance(decide(view(requests=(asked,), key_secrets=(key_secret(),), signs_here=False)), steps.Store)


def test_a_request_whose_key_is_gone_is_made_anew() -> None:
    for status in ({}, PENDING, ISSUED):
        step = decide(view(requests=(request(certificate(), **status),)))
        assert isinstance(step, steps.Discard), status
    other = decide(view(requests=(request(certificate()),), key_secrets=(key_secret(private_key=key(number=1)),)))
    assert isinstance(other, steps.Discard)


def test_a_request_that_does_not_fit_or_cannot_be_read_is_made_anew() -> None:
    old = request(certificate(dnsNames=["old.example.test"]))
    torn = replace(request(certificate()), text=b"cut")

    assert isinstance(decide(view(requests=(old,), held_key=held())), steps.Discard)
    assert isinstance(decide(view(requests=(torn,), held_key=held())), steps.Discard)


def test_a_stored_key_that_does_not_fit_any_more_goes_with_its_request() -> None:
    wanted = certificate(privateKey={"algorithm": "ECDSA", "size": 384})
    asked = request(wanted, signer=key())

    assert isinstance(decide(view(wanted, requests=(asked,), key_secrets=(key_secret(),))), steps.Discard)
    assert isinstance(decide(view(wanted, key_secrets=(key_secret(),))), steps.DiscardKey)


def test_what_was_stored_before_we_were_ended_is_finished() -> None:
    wanted = certificate()
    written = secret(wanted)
    asked = stored(request(wanted, **ISSUED), written)

    assert decide(view(secret=written, requests=(asked,))) == steps.Finish(asked)
    renewed = settled()
    assert renewed.secret is not None
    following = stored(request(wanted, revision=2, **ISSUED), renewed.secret)
    assert decide(replace(renewed, requests=(*renewed.requests, following))) == steps.Finish(following)


def test_strays_go_first() -> None:
    stray = request(certificate())
    stray = replace(stray, metadata=replace(stray.metadata, name="stray", annotations={}))
    extra = key_secret("web-zzzzz")

    assert decide(view(requests=(stray,))) == steps.Tidy(requests=(stray,))
    assert decide(view(key_secrets=(key_secret(), extra))) == steps.Tidy(key_secrets=(extra,))


def test_a_failure_is_counted_once() -> None:
    failed = request(certificate(), **FAILED)
    counted = with_status(replace(issuing("False"), last_failure_time=NOW, failed_issuance_attempts=1))

    assert decide(view(requests=(failed,), held_key=held(), signs_here=False)) == steps.Fail("Failed", "no")
    assert decide(view(with_status(issuing()), requests=(failed,))) == steps.Fail("Failed", "no")
    assert isinstance(decide(view(counted, requests=(failed,))), steps.Rest)


def test_the_next_try_after_a_failure() -> None:
    failed = request(certificate(), **FAILED)
    counted = with_status(replace(issuing("False"), last_failure_time=NOW, failed_issuance_attempts=2))

    assert isinstance(decide(view(counted, requests=(failed,), now=NOW + 2 * HOUR - timedelta(seconds=1))), steps.Rest)
    assert isinstance(decide(view(counted, requests=(failed,), now=NOW + 2 * HOUR)), steps.Discard)
    assert isinstance(decide(view(counted, now=NOW + 2 * HOUR)), steps.Announce)
    assert isinstance(decide(view(counted, now=NOW)), steps.Rest)


def test_an_edit_ends_the_wait() -> None:
    failed = request(certificate(dnsNames=["old.example.test"]), **FAILED)
    counted = with_status(replace(issuing("False"), last_failure_time=NOW, failed_issuance_attempts=2))

    assert isinstance(decide(view(counted, requests=(failed,))), steps.Announce)


def test_a_manual_trigger_looks_past_an_old_failure() -> None:
    old = request(certificate(), **FAILED, failureTime="2026-06-01T11:00:00Z")
    new = request(certificate(), **FAILED, failureTime="2026-06-01T12:00:00Z")
    triggered = with_status(issuing(reason="ManuallyTriggered"))

    assert isinstance(decide(view(triggered, requests=(old,))), steps.Discard)
    assert isinstance(decide(view(triggered, requests=(new,))), steps.Fail)


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ([{"type": "Denied", "status": "True", "reason": "policy"}, ready("True", "Issued")], "policy"),
        ([{"type": "InvalidRequest", "status": "True", "reason": "bad"}, ready("False", "Failed")], "bad"),
        ([ready("False", "Failed")], "Failed"),
        ([ready("False", "Denied")], "Denied"),
    ],
)
def test_a_denial_beats_an_invalid_request_and_that_beats_ready(conditions: list[Any], reason: str) -> None:
    step = decide(view(requests=(request(certificate(), conditions=conditions),)))

    assert isinstance(step, steps.Fail)
    assert step.reason == reason


def test_renewal_begins_when_it_is_due() -> None:
    found = settled()
    due = NOW + timedelta(days=60)

    assert decide(replace(found, now=due - timedelta(seconds=1))) == steps.Rest()
    step = decide(replace(found, now=due))
    assert isinstance(step, steps.Begin)
    assert step.due is not None
    assert step.due.reason == "Renewing"


def test_a_manual_trigger_begins_though_nothing_is_due() -> None:
    found = settled()
    status = replace(issuing(reason="ManuallyTriggered"), revision=1)
    triggered = replace(found.certificate, status=status)

    step = decide(replace(found, certificate=triggered, owner=triggered))

    assert isinstance(step, steps.Begin)
    assert step.due is None


def test_a_key_that_stays_or_cannot() -> None:
    never = {"algorithm": "ECDSA", "rotationPolicy": "Never"}
    due = replace(settled(privateKey=never), now=NOW + timedelta(days=60))
    grown = with_status(cm.CertificateStatus(revision=1), privateKey={**never, "size": 384})
    stuck = replace(due, certificate=grown, owner=grown)

    step, other = decide(due), decide(stuck)

    assert isinstance(step, steps.Begin)
    assert step.key == PresentKey("web")
    assert isinstance(other, steps.Stuck)
    assert isinstance(other.problem, NoKey)


def test_a_spec_that_cannot_be_asked_for_is_stuck() -> None:
    step = decide(view(certificate(literalSubject="nonsense")))

    assert isinstance(step, steps.Stuck)
    assert "spec.literalSubject" in str(step.problem)


def test_what_may_not_be_issued_now_is_stuck_only_once_it_is_due() -> None:
    found = settled()
    wanted = replace(found.certificate, unissuable="It is switched off.")
    fresh, there = view(wanted), replace(found, certificate=wanted, owner=wanted)

    begun = decide(fresh)

    assert isinstance(begun, steps.Stuck)
    assert begun.problem == "It is switched off."
    assert decide(there) == steps.Rest()


def test_what_is_left_over_goes_when_all_is_well() -> None:
    found = settled()
    old = request(found.certificate, revision=1)
    newer = with_status(cm.CertificateStatus(revision=2))
    current = request(newer, revision=2, **ISSUED)

    left = key_secret()
    assert decide(replace(found, key_secrets=(left,))) == steps.Tidy(key_secrets=(left,))
    pruned = decide(view(newer, secret=secret(newer), requests=(old, current)))
    assert pruned == steps.Tidy(requests=(old,))


def test_drift_and_key_stores_are_put_right_when_all_is_well() -> None:
    found = settled()
    template = with_status(cm.CertificateStatus(revision=1), secretTemplate={"labels": {"a": "b"}})

    assert decide(replace(found, certificate=template, owner=template)) == steps.Refresh(("labels",))
    assert decide(replace(found, stores_unchecked=True)) == steps.CheckStores()


def test_one_that_does_not_own_its_secret_does_nothing() -> None:
    other = certificate("other")
    triggered = with_status(issuing())

    assert decide(view(owner=other)) == steps.Rest()
    assert decide(view(triggered, owner=other)) == steps.Rest()
    assert decide(view(is_superseded=True)) == steps.Passive()
    assert decide(view(replace(certificate(), problem="cannot be"))) == steps.Rest()


def test_a_temporary_certificate_only_while_it_is_wanted() -> None:
    wanted = certificate()
    asked = replace(
        wanted, metadata=replace(wanted.metadata, annotations={Annotation.ISSUE_TEMPORARY_CERTIFICATE: "true"})
    )
    pending = (request(asked, **PENDING),)

    def temporary(step: Step) -> bool:
        assert isinstance(step, steps.Await)
        return step.temporary

    assert temporary(decide(view(asked, requests=pending, key_secrets=(key_secret(),))))
    assert not temporary(decide(view(wanted, requests=pending, key_secrets=(key_secret(),))))
    there = secret(asked, chain=temporary_chain(asked.spec))
    assert not temporary(decide(view(asked, requests=pending, key_secrets=(key_secret(),), secret=there)))


def test_a_status_that_was_lost_is_found_again() -> None:
    """A backup restores objects without their status: nothing is issued anew for that."""
    wanted = certificate()
    written = secret(wanted)
    restored = stored(request(wanted, **ISSUED), written)

    assert decide(view(secret=written, requests=(restored,))) == steps.Finish(restored)
    assert decide(view(secret=written)) == steps.Rest()


def test_a_new_key_of_the_ca_replaces_a_certificate_that_stays_good_until_then() -> None:
    found = replace(settled(), ca_reissue=NOW + HOUR)
    assert decide(found) == steps.Rest()
    assert look_again(found, found.status) == NOW + HOUR

    step = decide(replace(found, now=NOW + HOUR))
    assert isinstance(step, steps.Begin)
    assert step.due is not None
    assert step.due.reason == "CAChanged"
    (is_ready,) = report(replace(found, now=NOW + HOUR)).status.conditions
    assert (is_ready.type, is_ready.status) == ("Ready", "True")


def test_a_failed_issuance_under_a_new_ca_is_held_back_and_the_secret_is_kept_right() -> None:
    failed = replace(issuing("False", "Failed"), revision=1, failed_issuance_attempts=1, last_failure_time=NOW)
    wanted = with_status(failed)
    drifted = secret(wanted, labels={Label.FILTERED: "false"})
    requests = (request(wanted, **ISSUED),)

    step = decide(view(wanted, secret=drifted, requests=requests, ca_reissue=NOW))
    assert isinstance(step, steps.Refresh)
    step = decide(view(wanted, secret=secret(wanted), requests=requests, ca_reissue=NOW))
    assert isinstance(step, steps.Rest)
    assert step.due is not None


def test_no_temporary_certificate_replaces_one_of_the_former_ca() -> None:
    annotations = {Annotation.ISSUE_TEMPORARY_CERTIFICATE: "true"}
    wanted = with_status(replace(issuing(reason="CAChanged"), revision=1))
    wanted = replace(wanted, metadata=replace(wanted.metadata, annotations=annotations))
    new_key = key(number=2)
    requests = (request(wanted, **ISSUED), request(wanted, revision=2, signer=new_key, **PENDING))
    waiting = (key_secret(private_key=new_key),)

    step = decide(view(wanted, secret=secret(wanted), requests=requests, key_secrets=waiting, ca_reissue=NOW))

    assert isinstance(step, steps.Await)
    assert not step.temporary


def test_what_the_ca_has_said_is_told_before_it_is_acted_on() -> None:
    issued, later = settled(), NOW + 2 * HOUR
    window = cm.SuggestedWindow(start=NOW + HOUR, end=NOW + 1.5 * HOUR)
    said = cm.RenewalInformation(suggested_window=window, last_checked=NOW)
    heard = replace(issued, now=later, advice=Advice(said, None))
    told = replace(issued, now=later, advice=Advice(said, said))

    status = report(heard).status
    assert decide(heard) == steps.Rest()
    assert status.acme == cm.CertificateAcmeStatus(ari=said)
    assert status.renewal_time is not None
    assert status.renewal_time < NOW + 1.5 * HOUR
    assert isinstance(decide(told), steps.Begin)
    assert decide(replace(told, now=status.renewal_time - timedelta(seconds=1))) == steps.Rest()


def test_with_nobody_to_ask_what_was_said_is_taken_back() -> None:
    said = cm.CertificateAcmeStatus(ari=cm.RenewalInformation(last_error="no answer"))
    wanted = replace(certificate(), status=cm.CertificateStatus(revision=1, acme=said))

    assert report(view(wanted, secret=secret(wanted), advice=Advice())).status.acme is None
    assert report(view(wanted, secret=secret(wanted))).status.acme == said
