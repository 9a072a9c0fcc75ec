"""What Orders and Challenges hold, whose they are, and the next step of an Order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from certwright.acme.protocol import messages
from certwright.api import acme_v1 as acme
from certwright.api import certmanager_v1 as cm
from certwright.api.meta import Condition, ObjectMeta, ObjectReference, OwnerReference, SecretKeySelector, from_json
from certwright.cluster.facts import request_facts
from certwright.pki.alternative_names import AlternativeNames
from certwright.pki.csr import Request, RequestContent, build_request, parse_request
from certwright.pki.keys import KeyAlgorithm, KeySpec, generate
from certwright.pki.names import Subject, encode_subject
from certwright.rules.acme_orders import (
    Advance,
    Clear,
    Describe,
    OrderStep,
    Place,
    Prove,
    Rest,
    Unorderable,
    challenge_for,
    described,
    is_order_of,
    next_step,
    order_for,
    order_spec,
    placed,
    wanted_order,
    with_key,
)
from certwright.rules.facts import RequestFacts
from certwright.rules.solver_choice import Chosen

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden" / "settled.json"
NOW = datetime(2026, 11, 24, 3, 20, 0, 123456, tzinfo=UTC)
KEY = generate(KeySpec(KeyAlgorithm.ECDSA, 256))
ISSUER = acme.AcmeIssuer(server="https://ca", private_key_secret_ref=SecretKeySelector(name="account"))


def csr(*names: str, common_name: str = "", addresses: tuple[str, ...] = ()) -> bytes:
    found = AlternativeNames(dns_names=names, ip_addresses=addresses)
    return build_request(RequestContent(subject=encode_subject(Subject(common_name=common_name)), names=found), KEY)


def asked(pem: bytes, **more: Any) -> tuple[cm.CertificateRequestSpec, Request]:
    return cm.CertificateRequestSpec(request=pem, issuer_ref=ObjectReference(name="acme"), **more), parse_request(pem)


def test_an_order_asks_for_the_names_of_the_request() -> None:
    found = order_spec(*asked(csr("a.test", "*.a.test", common_name="a.test", addresses=("192.0.2.1",))), ISSUER)

    assert isinstance(found, acme.OrderSpec)
    assert (found.common_name, found.dns_names, found.ip_addresses) == (
        "a.test",
        ("a.test", "*.a.test"),
        ("192.0.2.1",),
    )
    assert found.duration is None


def test_a_common_name_must_be_one_of_the_names() -> None:
    found = order_spec(*asked(csr("x.bench.test", common_name="other.bench.test")), ISSUER)

    assert isinstance(found, Unorderable)
    assert found.message.endswith('"other.bench.test" does not exist in [x.bench.test] or []')


def test_a_request_without_names_cannot_be_ordered() -> None:
    assert isinstance(order_spec(*asked(csr())[:1], parse_request(csr()), ISSUER), Unorderable)


def test_a_duration_is_sent_where_the_issuer_allows_it() -> None:
    allowed = replace(ISSUER, enable_duration_feature=True, profile="short")
    found = order_spec(*asked(csr("a.test"), duration="48h0m0s"), allowed)
    assert isinstance(found, acme.OrderSpec)

    wanted = wanted_order(found, NOW)

    assert wanted.not_after == NOW.replace(microsecond=0) + timedelta(hours=48)
    assert wanted.profile == "short"


def test_identifiers_are_asked_for_once() -> None:
    spec = acme.OrderSpec(
        request=b"",
        issuer_ref=ObjectReference(name="acme"),
        common_name="a.test",
        dns_names=("a.test", "b.test", "a.test"),
        ip_addresses=("192.0.2.1",),
    )

    found = wanted_order(spec, NOW).identifiers

    assert [(each.type, each.value) for each in found] == [("dns", "a.test"), ("dns", "b.test"), ("ip", "192.0.2.1")]


CSR = csr("a.test")


def request(**status: Any) -> RequestFacts:
    approved = Condition(type="Approved", status="True", reason="cert-manager.io")
    spec, _ = asked(CSR)
    metadata = ObjectMeta(name="web-1", namespace="ns", uid="uid-1", labels={"l": "1"}, annotations={"a": "2"})
    conditions = status.pop("conditions", (approved,))
    return request_facts(
        cm.CertificateRequest(
            metadata=metadata, spec=spec, status=cm.CertificateRequestStatus(conditions=conditions, **status)
        )
    )


def order(**status: Any) -> acme.Order:
    facts = request()
    assert facts.spec.request == CSR
    spec = order_spec(facts.spec, parse_request(facts.spec.request), ISSUER)
    assert isinstance(spec, acme.OrderSpec)
    made = order_for(facts.metadata, spec)
    return replace(made, metadata=replace(made.metadata, uid="order-1"), status=acme.OrderStatus(**status))


def test_an_order_is_owned_and_labelled_like_its_request() -> None:
    found = order().metadata

    assert (found.labels, found.annotations) == ({"l": "1"}, {"a": "2"})
    assert found.owner_references == (
        OwnerReference(
            api_version="cert-manager.io/v1",
            kind="CertificateRequest",
            name="web-1",
            uid="uid-1",
            controller=True,
            block_owner_deletion=True,
        ),
    )


def test_the_order_of_an_approved_request_is_ours() -> None:
    assert is_order_of(order(), request())


READY = Condition(type="Ready", status="True", reason="Issued")
DENIED = Condition(type="Denied", status="True", reason="no")


@pytest.mark.parametrize(
    ("changed", "behind"),
    [
        (replace(order(), spec=replace(order().spec, request=csr("a.test"))), request()),
        (replace(order(), spec=replace(order().spec, dns_names=("other.test",))), request()),
        (replace(order(), spec=replace(order().spec, issuer_ref=ObjectReference(name="other"))), request()),
        (replace(order(), metadata=replace(order().metadata, owner_references=())), request()),
        (order(), request(conditions=())),
        (order(), request(conditions=(*request().status.conditions, DENIED))),
        (order(), request(conditions=(*request().status.conditions, READY))),
        (order(), replace(request(), metadata=replace(request().metadata, uid="uid-2"))),
    ],
    ids=["key", "names", "issuer", "no owner", "not approved", "denied", "answered", "another uid"],
)
def test_an_order_that_nobody_approved_is_not(changed: acme.Order, behind: RequestFacts) -> None:
    assert not is_order_of(changed, behind)


def test_a_finished_order_of_an_answered_request_is_still_ours_to_clear() -> None:
    assert is_order_of(order(state="valid"), request(conditions=(READY,)))


def authorization(number: int, state: acme.State | None = "pending") -> acme.Authorization:
    return acme.Authorization(url=f"https://ca/authz/{number}", identifier="a.test", initial_state=state)


def challenge(number: int, state: acme.State | None = None, *, deleted: bool = False) -> acme.Challenge:
    chosen = Chosen(acme.Solver(), "DNS-01", acme.OfferedChallenge(url="https://ca/c", token="t", type="dns-01"))
    made = challenge_for(order(), authorization(number), chosen)
    when = NOW if deleted else None
    return replace(
        made, metadata=replace(made.metadata, deletion_timestamp=when), status=acme.ChallengeStatus(state=state)
    )


ONE, TWO = authorization(1), authorization(2)
STEPS: dict[str, tuple[dict[str, Any], list[acme.Challenge], OrderStep]] = {
    "new": ({}, [], Place()),
    "placed": (
        {"url": "u", "authorizations": (authorization(1, None), TWO)},
        [],
        Describe((ONE.url, TWO.url)),
    ),
    "placed without authorizations": ({"url": "u", "state": "pending"}, [], Describe(())),
    "described": ({"url": "u", "authorizations": (ONE, TWO)}, [], Prove((ONE, TWO))),
    "one was valid before": ({"url": "u", "authorizations": (authorization(1, "valid"), TWO)}, [], Prove((TWO,))),
    "all were valid before": ({"url": "u", "authorizations": (authorization(1, "valid"),)}, [], Advance()),
    "one is proved": ({"url": "u", "authorizations": (ONE, TWO)}, [challenge(1, "valid")], Prove((TWO,))),
    "all are proved": (
        {"url": "u", "authorizations": (ONE, TWO)},
        [challenge(1, "valid"), challenge(2, "valid")],
        Advance(),
    ),
    "one has failed": (
        {"url": "u", "authorizations": (ONE, TWO)},
        [challenge(1, "errored"), challenge(2)],
        Advance(challenge(1, "errored")),
    ),
    "one was lost before": ({"url": "u", "authorizations": (authorization(1, "invalid"),)}, [], Advance()),
    "ready": ({"url": "u", "state": "ready"}, [], Advance()),
    "processing": ({"url": "u", "state": "processing", "authorizations": (ONE,)}, [challenge(1)], Advance()),
    "valid, to be downloaded": ({"url": "u", "state": "valid"}, [], Advance()),
    "done": (
        {"url": "u", "state": "valid", "certificate": b"pem"},
        [challenge(1, "valid")],
        Clear((challenge(1, "valid"),)),
    ),
    "done and clearing": (
        {"url": "u", "state": "valid", "certificate": b"pem"},
        [challenge(1, "valid", deleted=True)],
        Rest(),
    ),
    "refused": ({"state": "errored"}, [], Rest()),
    "failed: what is open goes, what tells why stays": (
        {"url": "u", "state": "invalid"},
        [challenge(1, "invalid"), challenge(2, "pending")],
        Clear((challenge(2, "pending"),)),
    ),
}


@pytest.mark.parametrize(("status", "challenges", "step"), STEPS.values(), ids=STEPS)
def test_next_step(status: dict[str, Any], challenges: list[acme.Challenge], step: OrderStep) -> None:
    assert next_step(order(**status), challenges) == step


def test_what_is_recorded_of_an_order_at_the_ca() -> None:
    found = placed(
        messages.Order("pending", (), ("https://ca/1", "https://ca/2"), "https://ca/finalize", url="https://ca/order")
    )

    assert (found.url, found.finalize_url, found.state) == ("https://ca/order", "https://ca/finalize", "pending")
    assert [(each.url, each.initial_state) for each in found.authorizations] == [
        ("https://ca/1", None),
        ("https://ca/2", None),
    ]


def test_every_offered_challenge_is_recorded_and_unknown_states_are_invalid() -> None:
    offered = (
        messages.Challenge("dns-persist-01", "https://ca/c1"),
        messages.Challenge("dns-01", "https://ca/c2", token="t"),
    )
    found = described(
        messages.Authorization(messages.Identifier("dns", "a.test"), "deactivated", offered, url="https://ca/1")
    )

    assert found.initial_state == "invalid"
    assert found.wildcard is False
    assert [(each.type, each.token) for each in found.challenges] == [("dns-persist-01", ""), ("dns-01", "t")]


def test_keys_of_challenges() -> None:
    dns = with_key(challenge(1), "thumb")
    http = with_key(replace(challenge(1), spec=replace(challenge(1).spec, type="HTTP-01")), "thumb")

    assert http.spec.key == "t.thumb"
    assert dns.spec.key == "l0oi6EDDpV2B4XzDiOwjYG5PK77CJmTg0dnBoGodsGg"


def golden(kind: str) -> list[Any]:
    if not GOLDEN.exists():
        pytest.skip("needs settled.json beside the checkout")
    return [each for each in json.loads(GOLDEN.read_text())["items"] if each["kind"] == kind]


def test_observed_orders_are_made_alike() -> None:
    requests = {each["metadata"]["name"]: each for each in golden("CertificateRequest")}
    orders = golden("Order")
    assert orders
    for each in orders:
        found = from_json(acme.Order, each)
        behind = from_json(cm.CertificateRequest, requests[found.metadata.owner_references[0].name])
        spec = order_spec(behind.spec, parse_request(behind.spec.request), ISSUER)

        assert isinstance(spec, acme.OrderSpec)
        made = order_for(behind.metadata, spec)

        assert made.spec == found.spec
        assert made.metadata.name == found.metadata.name
        assert made.metadata.labels == found.metadata.labels
        assert made.metadata.annotations == found.metadata.annotations
        assert made.metadata.owner_references == found.metadata.owner_references


def test_observed_challenges_are_made_alike() -> None:
    orders = {each["metadata"]["uid"]: from_json(acme.Order, each) for each in golden("Order")}
    challenges = golden("Challenge")
    assert challenges
    for each in challenges:
        found = from_json(acme.Challenge, each)
        behind = orders[found.metadata.owner_references[0].uid]
        for_it = next(a for a in behind.status.authorizations if a.url == found.spec.authorization_url)
        offered = next(c for c in for_it.challenges if c.url == found.spec.url)

        made = challenge_for(behind, for_it, Chosen(found.spec.solver, found.spec.type, offered))

        assert made.metadata.name == found.metadata.name
        assert made.metadata.owner_references == found.metadata.owner_references
        assert replace(made.spec, key=found.spec.key) == found.spec
