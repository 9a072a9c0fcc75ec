"""Issuances that fail, wait or are stuck, and what a person sees of them."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, condition_of, controllers, movable_now
from tests.kubernetes.eventually import eventually
from tests.unit.rules.sample import key

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE_REQUEST
from certwright.api.meta import JSONObject, to_json
from certwright.api.wellknown import Annotation, Label
from certwright.clock import SystemClock
from certwright.controllers.certificate.refusals import refusal
from certwright.kube.wire.status import BadRequest, Forbidden, Invalid, StatusCause, StatusDetails
from certwright.pki import pem
from certwright.pki.certificate import parse_certificate
from certwright.pki.csr import parse_request
from certwright.pki.issuance import Signer, Terms, sign
from certwright.pki.keys import public_key_info
from certwright.pki.names import EMPTY_NAME


async def test_a_failed_request_backs_off_and_an_edit_ends_the_wait(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock, approve=False) as running:
        await user.certificate("denied")
        await eventually(lambda: user.has_requests("denied-1"))
        await deny(user, "denied-1")
        failed = await user.until("denied", "False", kind="Issuing")
        await running.rest()
        assert failed.status.failed_issuance_attempts == 1
        assert failed.status.last_failure_time is not None
        assert failed.status.next_private_key_secret_name is None
        assert ("Warning", "policy") in [event[:2] for event in await user.events("denied")]
        assert await user.secrets(f"{Label.NEXT_PRIVATE_KEY}=true") == ()

        await clock.run_for(timedelta(minutes=59))
        assert condition_of(await user.get("denied"), "Issuing").status == "False"  # type: ignore[union-attr]
        await clock.run_for(timedelta(minutes=2))
        await user.until("denied", kind="Issuing")
        await eventually(lambda: _is_undecided(user, "denied-1"))
        await deny(user, "denied-1")
        again = await user.until("denied", "False", kind="Issuing")
        assert again.status.failed_issuance_attempts == 2

        await user.patch("denied", dnsNames=["other.example.test"])
        await eventually(lambda: _is_undecided(user, "denied-1"))
        await approve(user, "denied-1")
        done = await user.until("denied")

    assert done.status.failed_issuance_attempts is None
    assert done.status.last_failure_time is None


async def _is_undecided(user: User, name: str) -> bool:
    found = [r for r in await user.requests() if r.metadata.name == name]
    return bool(found) and not found[0].status.conditions


async def deny(user: User, name: str) -> None:
    await decide(user, name, "Denied", "policy")


async def approve(user: User, name: str) -> None:
    await decide(user, name, "Approved", "policy")


async def decide(user: User, name: str, kind: str, reason: str) -> None:
    condition: JSONObject = {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": "because",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    patch: JSONObject = {"status": {"conditions": [condition]}}
    await user.client.merge_patch(CERTIFICATE_REQUEST, user.key(name), patch, subresource="status")


async def test_rotation_policy_never_keeps_the_key_and_refuses_another_kind(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster) as running:
        await user.certificate("kept", {"privateKey": {"algorithm": "ECDSA", "rotationPolicy": "Never"}})
        await user.until("kept")
        key = await user.key_digest("kept")
        await user.renew("kept")
        await user.until("kept", revision=2)
        assert await user.key_digest("kept") == key

        await user.patch("kept", privateKey={"algorithm": "ECDSA", "size": 384, "rotationPolicy": "Never"})
        stuck = await user.until("kept", kind="Issuing")
        await running.rest()
        reasons = {event[1] for event in await user.events("kept")}
        assert {"Reused", "CannotRegenerateKey"} <= reasons
        assert "Never" in condition_of(stuck, "Issuing").message  # type: ignore[union-attr]

        await user.patch("kept", privateKey={"algorithm": "ECDSA", "size": 384, "rotationPolicy": "Always"})
        await user.until("kept", revision=3)
        assert await user.key_digest("kept") != key


async def test_an_issuer_that_comes_later(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await user.certificate("waiting")
        waiting = await user.until("waiting", kind="Issuing", reason="DoesNotExist")
        await eventually(lambda: _mentions(user, "waiting", "not found"))
        await running.rest()
        reasons = [event[1] for event in await user.events("waiting")]
        assert waiting.status.next_private_key_secret_name is not None
        assert reasons[:3] == ["Issuing", "Generated", "Requested"]
        assert [event[1] for event in await user.events("waiting-1")].count("IssuerNotFound") == 1

        await user.self_signed_issuer()
        done = await user.until("waiting")

    assert done.status.next_private_key_secret_name is None
    assert condition_of(done, "Issuing") is None


async def _mentions(user: User, name: str, words: str) -> bool:
    ready = condition_of(await user.get(name), "Ready")
    return ready is not None and words in ready.message


async def test_a_temporary_certificate_is_never_ready(cluster: Cluster, user: User) -> None:
    marks = {Annotation.ISSUE_TEMPORARY_CERTIFICATE: "true"}
    async with controllers(cluster):
        await user.certificate("meanwhile", annotations=marks)
        waiting = await user.until("meanwhile", "False", reason="TemporaryCertificate")
        leaf = parse_certificate((await user.secret("meanwhile")).data["tls.crt"])
        assert leaf.issuer_text == "CN=cert-manager.local"
        assert waiting.status.not_after is None

        await user.self_signed_issuer()
        await user.until("meanwhile")

    leaf = parse_certificate((await user.secret("meanwhile")).data["tls.crt"])
    assert leaf.issuer_text != "CN=cert-manager.local"


async def test_a_secret_that_cannot_be_written_is_told_without_its_values(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    fixed: JSONObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "fixed"}, "immutable": True}
    await user.client.create(SECRET, {**fixed, "data": {"a": "eA=="}}, user.namespace)
    async with controllers(cluster) as running:
        await user.certificate("fixed")
        await eventually(lambda: _mentions(user, "fixed", "cannot be written"))
        await running.rest()
        told = str((await user.get("fixed")).status) + str(await user.events("fixed"))
        assert "SecretNotWritten" in told
        assert "LS0t" not in told
        assert "PRIVATE" not in told

        await user.client.delete(SECRET, user.key("fixed"))
        await user.until("fixed")


def test_a_refusal_that_quotes_the_secret_is_not_passed_on() -> None:
    causes = [StatusCause(field="data[tls.crt]"), StatusCause(field="patch")]
    quoting = Invalid.of('patch: Invalid value: "tls.key: c2VjcmV0"', StatusDetails(causes=causes))

    assert refusal(quoting) == "Invalid (data[tls.crt])"
    assert "c2VjcmV0" not in refusal(BadRequest.of("c2VjcmV0"))
    assert refusal(Forbidden.of("no rights")) == "no rights"


@pytest.mark.parametrize("answer", ["torn", "another key", "expired"])
async def test_an_issuer_that_gives_something_else(cluster: Cluster, user: User, answer: str) -> None:
    external: JSONObject = {"name": "x", "kind": "Elsewhere", "group": "issuers.example.test"}
    async with controllers(cluster) as running:
        await user.certificate("odd", {"issuerRef": external})
        await eventually(lambda: _is_approved(user, "odd-1"))
        (asked,) = await user.requests()
        await answer_with(user, asked, given(asked, answer))
        failed = await user.until("odd", "False", kind="Issuing", reason="InvalidCertificate")
        await user.calm(running)

    assert failed.status.failed_issuance_attempts == 1
    assert await user.secret("odd") is None
    assert ("Warning", "InvalidCertificate") in [event[:2] for event in await user.events("odd")]


async def test_an_external_issuer_that_answers_as_it_should(cluster: Cluster, user: User) -> None:
    external: JSONObject = {"name": "x", "kind": "Elsewhere", "group": "issuers.example.test"}
    async with controllers(cluster):
        await user.certificate("outside", {"issuerRef": external})
        await eventually(lambda: _is_approved(user, "outside-1"))
        (asked,) = await user.requests()
        await answer_with(user, asked, given(asked, "right"))
        await user.until("outside")

    (answered,) = await user.requests()
    assert (await user.secret("outside")).data["tls.crt"] == answered.status.certificate


async def _is_approved(user: User, name: str) -> bool:
    found = [r for r in await user.requests() if r.metadata.name == name]
    return bool(found) and condition_of(found[0], "Approved") is not None


def given(asked: cm.CertificateRequest, answer: str) -> bytes:
    """What the external issuer gives."""
    request, now = parse_request(asked.spec.request), SystemClock().now()
    if answer == "torn":
        return b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    if answer == "another key":
        request = replace(request, public_key_info=public_key_info(key("ECDSA", 384)))
    start = now - timedelta(days=91 if answer == "expired" else 0)
    return pem.write_certificates([sign(request, Signer(name=EMPTY_NAME, key_id=b"", key=key()), Terms(), start)])


async def answer_with(user: User, asked: cm.CertificateRequest, chain: bytes) -> None:
    """As an external issuer does."""
    ready: JSONObject = {
        "type": "Ready",
        "status": "True",
        "reason": "Issued",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    conditions = [*(to_json(condition) for condition in asked.status.conditions), ready]
    status: JSONObject = {"conditions": [*conditions], "certificate": base64.b64encode(chain).decode()}
    name = user.key(asked.metadata.name)
    await user.client.merge_patch(CERTIFICATE_REQUEST, name, {"status": status}, subresource="status")
