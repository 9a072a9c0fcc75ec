"""Answers to questions of admission: one row for each rule of each kind."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.rules.issuer_samples import BAD, GOOD, acme
from tests.unit.webhook.questions import (
    ACME,
    APPROVED,
    CERTIFICATE,
    DENIED,
    REQUEST,
    Plain,
    Server,
    admission,
    body,
    judged,
    question,
    refusal,
    warnings,
)

from certwright.rules.gates import read_gates
from certwright.rules.identity import Requester
from certwright.webhook.review import Allowed, Refused


@pytest.mark.parametrize("plural", ["issuers", "clusterissuers"])
@pytest.mark.parametrize("spec", GOOD)
async def test_issuers_that_can_be(plural: str, spec: Plain) -> None:
    assert isinstance(await admission().validate(question(plural, body(spec))), Allowed)


@pytest.mark.parametrize("plural", ["issuers", "clusterissuers"])
@pytest.mark.parametrize(("spec", "field"), BAD)
async def test_issuers_that_cannot_be(plural: str, spec: Plain, field: str) -> None:
    answer = await admission().validate(question(plural, body(spec)))

    assert f"{field}: " in refusal(answer)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.reason) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, ""),
        ({"privateKey": {"algorithm": "RSA", "size": 1024}}, "spec.privateKey.size: Invalid value: "),
        ({"issuerRef": {"name": ""}}, "spec.issuerRef.name: Required value: "),
        (
            {"isCA": True, "nameConstraints": {"permitted": {"ipRanges": ["10.0.0.1"]}}},
            "spec.nameConstraints.permitted.ipRanges[0]: Invalid value: ",
        ),
        ({"duration": "1m", "secretName": "_"}, "[spec.secretName: Invalid value: "),
    ],
)
async def test_certificates(changes: Plain, message: str) -> None:
    answer = await admission().validate(question("certificates", body({**CERTIFICATE, **changes})))

    assert refusal(answer).startswith(message)
    assert bool(refusal(answer)) is bool(message)


async def test_what_did_not_change_is_not_judged_again() -> None:
    for plural, old in (("certificates", {"secretName": "_", "issuerRef": {"name": ""}}), ("issuers", {})):
        touched = body(old, status={"conditions": []})

        assert isinstance(await admission().validate(question(plural, touched, body(old))), Allowed)
        assert refusal(await admission().validate(question(plural, body({**old, "more": 1}), body(old))))


async def test_a_certificate_may_change_freely() -> None:
    changed = {**CERTIFICATE, "dnsNames": ["other.test"], "secretName": "other", "issuerRef": {"name": "b"}}

    assert isinstance(await admission().validate(question("certificates", body(changed), body(CERTIFICATE))), Allowed)


async def test_a_field_whose_gate_is_off() -> None:
    spec = {**CERTIFICATE, "otherNames": [{"oid": "1.2.3", "utf8Value": "x"}]}
    asked = question("certificates", body(spec))

    assert isinstance(await admission().validate(asked), Allowed)
    assert "spec.otherNames: Forbidden: " in refusal(
        await admission(gates=read_gates(["OtherNames=false"])).validate(asked)
    )


async def test_warnings() -> None:
    binding = {"keyID": "1", "keySecretRef": {"name": "s", "key": "k"}, "keyAlgorithm": "HS256"}
    issuer = question("issuers", body(acme(externalAccountBinding=binding)))
    certificate = question("certificates", body({**CERTIFICATE, "renewBeforePercentage": 100}))

    assert "keyAlgorithm is deprecated" in warnings(await admission().validate(issuer))[0]
    assert "renewBeforePercentage: 100 is ignored" in warnings(await admission().validate(certificate))[0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, ""),
        ({"request": "bm8gUEVN"}, "spec.request"),
        ({"request": ""}, "spec.request"),
        ({"isCA": True}, "spec.request"),
        ({"usages": ["server auth"]}, "spec.request"),
        ({"issuerRef": {"name": "x", "kind": "AWSPCAIssuer"}}, "spec.issuerRef.kind"),
        ({"username": "eve"}, "spec.username"),
        ({"uid": ""}, "spec.uid"),
        ({"groups": ["system:masters"]}, "spec.groups"),
        ({"extra": {"a": ["b"]}}, "spec.extra"),
    ],
)
async def test_new_requests(changes: Plain, field: str) -> None:
    answer = await admission().validate(question("certificaterequests", body({**REQUEST, **changes})))

    assert refusal(answer).startswith(f"{field}: ") if field else isinstance(answer, Allowed)


async def test_a_request_is_put_down_to_its_requester() -> None:
    claimed = {**REQUEST, "username": "eve", "extra": {"a": ["b"]}}
    answer = admission().mutate(question("certificaterequests", body(claimed)))

    assert isinstance(answer, Allowed)
    assert {each["path"]: each.get("value") for each in answer.patch} == {
        "/spec/username": "ann",
        "/spec/uid": "7",
        "/spec/groups": ["team", "system:authenticated"],
        "/spec/extra": None,
    }


@pytest.mark.parametrize(
    "other",
    [
        question("certificates", body(CERTIFICATE)),
        question("certificaterequests", body(REQUEST), body(REQUEST)),
        question("certificaterequests", body(REQUEST), subresource="status"),
        question("certificaterequests", body(REQUEST), group="other.example"),
        question("certificaterequests", b'{"spec": 1}'),
    ],
)
def test_nothing_else_is_mutated(other: Any) -> None:
    assert admission().mutate(other) == Allowed()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (judged(), judged(duration="1h"), "spec.duration"),
        (judged(), judged(username="eve"), "spec.username"),
        (judged(), judged(APPROVED, DENIED), "status.conditions"),
        (judged(), judged(APPROVED, APPROVED), "status.conditions"),
        (judged(), judged({**APPROVED, "status": "False"}), "status.conditions"),
        (judged(APPROVED), judged(), "status.conditions"),
        (judged(DENIED), judged(APPROVED), "status.conditions"),
        (judged(APPROVED), judged({**APPROVED, "reason": "other"}), "status.conditions"),
    ],
)
async def test_requests_that_change(old: bytes, new: bytes, field: str) -> None:
    asked = question("certificaterequests", new, old, subresource="status")

    assert f"{field}: " in refusal(await admission().validate(asked))


@pytest.mark.parametrize("key", ["cert-manager.io/certificate-name", "acme.cert-manager.io/x"])
async def test_annotations_of_ours_are_fixed(key: str) -> None:
    bare, noted = body(REQUEST), body(REQUEST, metadata={"annotations": {key: "a"}})
    for old, new in ((bare, noted), (noted, bare)):
        assert key in refusal(await admission().validate(question("certificaterequests", new, old)))


@pytest.mark.parametrize("key", ["venafi.cert-manager.io/pickup-id", "example.test/x"])
async def test_other_annotations_may_change(key: str) -> None:
    noted = body(REQUEST, metadata={"annotations": {key: "a"}})

    assert isinstance(await admission().validate(question("certificaterequests", noted, body(REQUEST))), Allowed)


@pytest.mark.parametrize("judgement", [APPROVED, DENIED])
@pytest.mark.parametrize(
    ("ref", "names"),
    [
        ({"name": "ca"}, ["issuers.cert-manager.io/*", "issuers.cert-manager.io/shop.ca"]),
        (
            {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"},
            ["clusterissuers.cert-manager.io/*", "clusterissuers.cert-manager.io/ca"],
        ),
    ],
)
async def test_who_approves_needs_the_permission(judgement: Plain, ref: Plain, names: list[str]) -> None:
    asked = question(
        "certificaterequests", judged(judgement, issuerRef=ref), judged(issuerRef=ref), subresource="status"
    )
    without = Server()

    message = refusal(await admission(without).validate(asked))

    assert message.startswith("status.conditions: Forbidden: User 'ann' may not approve")
    assert without.asked == names
    for name in names:
        assert isinstance(await admission(Server(("ann", name))).validate(asked), Allowed)
        assert refusal(await admission(Server(("bob", name))).validate(asked))


async def test_an_issuer_kind_that_does_not_exist() -> None:
    ref = {"name": "x", "kind": "Ghost", "group": "ghosts.example"}
    asked = question(
        "certificaterequests", judged(APPROVED, issuerRef=ref), judged(issuerRef=ref), subresource="status"
    )

    assert refusal(await admission().validate(asked)).startswith("spec.issuerRef: Forbidden: There is no kind Ghost")


async def test_what_is_already_approved_asks_for_nothing() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "Issued"}
    asked = question("certificaterequests", judged(APPROVED, ready), judged(APPROVED), subresource="status")

    assert isinstance(await admission().validate(asked), Allowed)


async def test_orders_and_challenges() -> None:
    spec = {"request": "eA==", "issuerRef": {"name": "ca"}}
    old = body(spec, status={"url": "https://ca/1"})
    changed = body(spec, status={"url": "https://ca/2"})
    challenge = {
        "url": "u",
        "authorizationURL": "a",
        "dnsName": "d",
        "type": "DNS-01",
        "token": "t",
        "key": "k",
        "solver": {},
        "issuerRef": {"name": "ca"},
    }
    other = {**challenge, "key": "other"}

    async def asked(plural: str, new: bytes, before: bytes = b"") -> str:
        return refusal(await admission().validate(question(plural, new, before, group=ACME)))

    assert await asked("orders", old, body(spec)) == ""
    assert "status.url: Forbidden: " in await asked("orders", changed, old)
    assert await asked("orders", changed) == ""
    assert await asked("challenges", body(challenge, status={"presented": True}), body(challenge)) == ""
    assert "spec: Forbidden: " in await asked("challenges", body(other), body(challenge))


@pytest.mark.parametrize(
    "other",
    [
        question("secrets", body({}), group=""),
        question("certificates", body({}), group="certmanager.k8s.io"),
        question("certificates", b"", b"{}"),
        replace(question("certificates", body({})), operation="DELETE"),
    ],
)
async def test_what_is_not_ours_is_allowed(other: Any) -> None:
    assert await admission().validate(other) == Allowed()


@pytest.mark.parametrize("new", [b"[]", b'{"spec": {"secretName": 1}}', b'{"spec": {}}'])
async def test_what_cannot_be_read_is_refused_with_a_sentence(new: bytes) -> None:
    for asked in (question("certificates", new), question("certificaterequests", new)):
        answer = await admission().validate(asked)

        assert isinstance(answer, Refused)
        assert (answer.code, answer.reason) == (400, "BadRequest")
        assert answer.message.startswith("The object cannot be read: ")
    assert isinstance(admission().mutate(question("certificaterequests", b"[]")), Refused)


async def test_anonymous_requesters_have_no_groups() -> None:
    spec = {name: value for name, value in REQUEST.items() if name not in {"groups", "uid"}}
    nobody = Requester(username="ann")

    asked = question("certificaterequests", body(spec), requester=nobody)

    assert isinstance(await admission().validate(asked), Allowed)
