"""Events of a legacy Certificate: v0.5's words, in an order that survives one second."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api import certmanager_v1alpha1 as legacy
from certwright.api.meta import JSON, Condition, ObjectMeta, ObjectReference
from certwright.rules.facts import RequestFacts
from certwright.rules.hub import Dialect, HubIssuer, IssuerKey
from certwright.rules.legacy_events import (
    AcmeStory,
    ToldEvent,
    failure_event,
    identity_of,
    issue_event,
    issuer_event,
    kept_key_event,
    milestone_event,
    order_events,
    stored_event,
    superseded_event,
)
from certwright.rules.milestones import IssuanceStarted, KeyCannotChange, Milestone, RequestNotMade, SecretNotWritable

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
REF = ObjectReference(name="i")
REQUEST = RequestFacts(
    metadata=ObjectMeta(name="c.legacy-1", uid="u", creation_timestamp=BEGAN),
    spec=cm.CertificateRequestSpec(issuer_ref=REF, request=b""),
    status=cm.CertificateRequestStatus(),
)


def authorization(
    identifier: str, initial: acme.State = "pending", *, wildcard: bool = False, offered: str = "http-01"
) -> acme.Authorization:
    return acme.Authorization(
        url=f"https://acme/authz/{identifier}/{wildcard}",
        identifier=identifier,
        initial_state=initial,
        wildcard=wildcard,
        challenges=(acme.OfferedChallenge(url="c", token="t", type=offered),),
    )


def challenge(of: acme.Authorization, kind: acme.ChallengeType, state: acme.State) -> acme.Challenge:
    spec = acme.ChallengeSpec(
        url="c",
        authorization_url=of.url,
        dns_name=of.identifier,
        type=kind,
        token="t",
        key="k",
        solver=acme.Solver(),
        issuer_ref=REF,
    )
    return acme.Challenge(spec=spec, status=acme.ChallengeStatus(state=state))


def story(
    state: acme.State | None,
    *authorizations: acme.Authorization,
    challenges: tuple[acme.Challenge, ...] = (),
    plan: tuple[legacy.DomainSolver, ...] = (),
    renewal: bool = False,
) -> AcmeStory:
    status = acme.OrderStatus(url="https://acme/order/1", authorizations=authorizations, state=state)
    order = acme.Order(spec=acme.OrderSpec(request=b"", issuer_ref=REF), status=status)
    return AcmeStory(request=REQUEST, order=order, challenges=challenges, plan=plan, renewal=renewal)


def told(events: tuple[ToldEvent, ...]) -> list[tuple[str, str]]:
    return [(event.reason, event.message) for event in events]


A = authorization("a.example.com")
CREATED = ("CreateOrder", "Created new ACME order, attempting validation...")
ISSUING = ("IssueCert", "Issuing certificate...")
OBTAINED = ("CertObtained", "Obtained certificate from ACME server")


def test_the_post_of_2018_whose_authorization_was_valid_already() -> None:
    events = order_events(story("valid", authorization("a.example.com", "valid")))

    assert told(events) == [CREATED, ISSUING, OBTAINED]


def test_an_order_without_an_url_is_no_event() -> None:
    found = story("pending")
    fresh = acme.Order(spec=found.order.spec)

    assert order_events(AcmeStory(request=REQUEST, order=fresh, challenges=(), plan=(), renewal=False)) == ()


def test_a_domain_is_told_as_soon_as_its_challenge_is_valid() -> None:
    other = authorization("b.example.com")
    challenges = (challenge(A, "DNS-01", "valid"), challenge(other, "HTTP-01", "pending"))

    events = order_events(story("pending", A, other, challenges=challenges))

    assert told(events) == [CREATED, ("DomainVerified", 'Domain "a.example.com" verified with "dns-01" validation')]


def test_wildcard_and_apex_are_two_events_with_one_text() -> None:
    wild = authorization("a.example.com", wildcard=True)

    verified = [event for event in order_events(story("ready", A, wild)) if event.reason == "DomainVerified"]

    assert len({event.identity for event in verified}) == 2
    assert {event.message.partition('" verified')[0] for event in verified} == {'Domain "a.example.com'}


@pytest.mark.parametrize(
    ("plan", "offered", "wildcard", "way"),
    [
        ((), "http-01", False, "http-01"),
        ((), "http-01", True, "dns-01"),
        ((legacy.DomainSolver(domains=("a",), dns01=legacy.DNS01Choice(provider="p")),), "http-01", False, "dns-01"),
        ((legacy.DomainSolver(domains=("a",), http01=legacy.HTTP01Choice()),), "dns-01", False, "http-01"),
    ],
)
def test_where_the_challenge_is_gone_its_type_is_told_nevertheless(
    plan: tuple[legacy.DomainSolver, ...], offered: str, wildcard: bool, way: str
) -> None:
    found = story("ready", authorization("a", wildcard=wildcard, offered=offered), plan=plan)

    assert f'verified with "{way}" validation' in order_events(found)[1].message


def test_a_renewal_is_told_as_one() -> None:
    events = order_events(story("processing", A, renewal=True))

    assert told(events)[-1] == ("RenewCert", "Renewing certificate...")


def test_completed_says_all_whatever_the_view_says() -> None:
    assert told(order_events(story("pending", A).completed()))[-1] == OBTAINED


def test_identities_sort_as_the_events_are_to_be_read() -> None:
    events = [*order_events(story("valid", A)), stored_event(REQUEST.metadata, renewal=False)]
    later = identity_of(datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC), 0, "x")

    identities = [event.identity for event in events]

    assert [event.reason for event in events] == [
        "CreateOrder",
        "DomainVerified",
        "IssueCert",
        "CertObtained",
        "CertIssued",
    ]
    assert identities == sorted(identities)
    assert identities[-1] < later


def test_two_issuances_of_one_second_are_told_one_after_the_other() -> None:
    revision = "cert-manager.io/certificate-revision"
    first, second = (ObjectMeta(uid=n, creation_timestamp=BEGAN, annotations={revision: n}) for n in ("9", "10"))

    last = stored_event(first, renewal=False).identity

    assert last < issue_event(second, renewal=True).identity


def test_signing_begins_once_whoever_tells_it() -> None:
    from_order = next(event for event in order_events(story("ready", A)) if event.reason == "IssueCert")

    assert issue_event(REQUEST.metadata, renewal=False) == from_order


@pytest.mark.parametrize(
    ("ref", "found", "reason", "message"),
    [
        (
            ObjectReference(name="n", kind="ClusterIssuer", group="certmanager.k8s.io"),
            None,
            "IssuerNotFound",
            'Issuer clusterissuer.certmanager.k8s.io "n" not found',
        ),
        (ObjectReference(name="n", kind="Issuer"), False, "IssuerNotReady", "Issuer n not ready"),
    ],
)
def test_a_missing_or_unready_issuer_is_warned_of(
    ref: ObjectReference, found: bool | None, reason: str, message: str
) -> None:
    event = issuer_event(ref, None if found is None else issuer(ready=found))

    assert event == ToldEvent(type="Warning", reason=reason, message=message)


def test_a_ready_issuer_is_silent() -> None:
    assert issuer_event(ObjectReference(name="n"), issuer(ready=True)) is None


def issuer(*, ready: bool) -> HubIssuer:
    condition = Condition(type="Ready", status="True" if ready else "False")
    return HubIssuer(
        key=IssuerKey(Dialect.LEGACY, "Issuer", "ns", "n"),
        metadata=ObjectMeta(name="n", namespace="ns"),
        spec=cm.IssuerSpec(),
        status=cm.IssuerStatus(conditions=(condition,)),
    )


@pytest.mark.parametrize(
    ("url", "state", "reason", "message"),
    [
        ("", "errored", "ErrCreateOrder", "Error creating order: why"),
        ("https://acme/order/1", "errored", "IssueError", "Failed to finalize order: why"),
        ("https://acme/order/1", "invalid", None, None),
        ("https://acme/order/1", "pending", None, None),
    ],
)
def test_failures_of_orders(url: str, state: acme.State, reason: str | None, message: str | None) -> None:
    status = acme.OrderStatus(url=url, state=state, reason="why")
    event = failure_event(acme.Order(spec=acme.OrderSpec(request=b"", issuer_ref=REF), status=status))

    assert (event.reason if event else None, event.message if event else None) == (reason, message)


@pytest.mark.parametrize(
    ("milestone", "reason"),
    [
        (SecretNotWritable("Forbidden", "no"), "SaveCertError"),
        (SecretNotWritable("IncorrectCertificate", "no"), "DuplicateSecretName"),
        (RequestNotMade("no"), "IssueError"),
        (KeyCannotChange("no"), "KeyKept"),
        (IssuanceStarted("DoesNotExist", "why"), None),
    ],
)
def test_what_else_is_worth_a_warning(milestone: Milestone, reason: str | None) -> None:
    event = milestone_event(milestone)

    assert (event.reason if event else None) == reason


@pytest.mark.parametrize(
    ("asked", "used", "text"),
    [
        (
            {"keyAlgorithm": "ecdsa"},
            cm.PrivateKey(algorithm="RSA", size=2048),
            "is RSA 2048 where the spec asks for ECDSA",
        ),
        ({"keySize": 4096}, cm.PrivateKey(algorithm="RSA", size=4096), None),
        ({}, cm.PrivateKey(), None),
    ],
)
def test_a_key_that_was_kept_against_the_spec_is_told(
    asked: dict[str, JSON], used: cm.PrivateKey, text: str | None
) -> None:
    spec = legacy.decode_certificate({"spec": asked}).spec
    event = kept_key_event(
        REQUEST.metadata, spec, cm.CertificateSpec(secret_name="s", issuer_ref=REF, private_key=used)
    )

    assert (event is None) == (text is None)
    assert event is None or (text or "") in event.message


def test_a_hand_over_is_the_last_word_of_its_second_and_told_once_of_a_successor() -> None:
    # The twin was made before the request, and has become the successor.
    twin = ObjectMeta(name="c", uid="twin", creation_timestamp=BEGAN)

    event = superseded_event(twin, "c-tls")

    assert event.identity > stored_event(REQUEST.metadata, renewal=False).identity
    assert event.identity == superseded_event(twin, "c-tls").identity
    assert event.identity != superseded_event(ObjectMeta(name="c", uid="another"), "c-tls").identity
    assert (event.type, event.reason) == ("Normal", "Superseded")
    assert 'Certificate "c" renews Secret "c-tls"' in event.message
