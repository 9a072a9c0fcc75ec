"""Issuances that fail at an issuer which the test plays: what is counted, and what ends the wait."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, condition_of, controllers, movable_now
from tests.integration.certificate.test_trouble import answer_with, given
from tests.kubernetes.eventually import eventually

from certwright.api import certmanager_v1 as cm
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST
from certwright.api.meta import JSONObject, to_json

EXTERNAL: JSONObject = {"name": "x", "kind": "Elsewhere", "group": "issuers.example.test"}
MINUTE = timedelta(minutes=1)


async def approved(user: User, name: str, after: str = "") -> cm.CertificateRequest:
    """The request of that name, once it waits for its issuer; another one than `after`."""

    async def look() -> cm.CertificateRequest | None:
        for found in await user.requests():
            is_open = condition_of(found, "Approved") is not None and condition_of(found, "Ready") is None
            if found.metadata.name == name and found.metadata.uid != after and is_open:
                return found
        return None

    return await eventually(look)


async def fail(user: User, asked: cm.CertificateRequest, kind: str, when: datetime) -> None:
    """As an external issuer does that cannot sign."""
    status, reason = ("False", "Failed") if kind == "Ready" else ("True", "NotAllowed")
    moment = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    condition: JSONObject = {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": "no such policy",
        "lastTransitionTime": moment,
    }
    conditions = [*(to_json(each) for each in asked.status.conditions), condition]
    patch: JSONObject = {"status": {"conditions": [*conditions], "failureTime": moment}}
    await user.client.merge_patch(CERTIFICATE_REQUEST, user.key(asked.metadata.name), patch, subresource="status")


@pytest.mark.parametrize(("kind", "reason"), [("Ready", "Failed"), ("InvalidRequest", "NotAllowed")])
async def test_a_failure_is_counted_told_and_tried_again_in_time(
    cluster: Cluster, user: User, kind: str, reason: str
) -> None:
    clock = movable_now()
    waits = {"minimum_backoff": MINUTE, "maximum_backoff": 3 * MINUTE}
    async with controllers(cluster, clock, **waits) as running:
        await user.certificate("odd", {"issuerRef": EXTERNAL})
        asked = await approved(user, "odd-1")
        for attempt, wait in ((1, MINUTE), (2, 2 * MINUTE), (3, 3 * MINUTE)):
            await fail(user, asked, kind, clock.now())
            found = await user.until("odd", "False", kind="Issuing", reason=reason)
            await running.rest()
            issuing = condition_of(found, "Issuing")
            assert issuing is not None
            assert issuing.message.endswith("no such policy")
            assert found.status.failed_issuance_attempts == attempt
            assert found.status.last_failure_time == clock.now()
            assert ("Warning", reason, issuing.message) in await user.events("odd")

            await clock.run_for(wait - timedelta(seconds=1))
            assert (await user.get("odd")).status.failed_issuance_attempts == attempt
            assert [each.metadata.uid for each in await user.requests()] == [asked.metadata.uid]
            await clock.run_for(timedelta(seconds=2))
            asked = await approved(user, "odd-1", asked.metadata.uid)

        await answer_with(user, asked, given(asked, "right"))
        done = await user.until("odd")

    assert (done.status.failed_issuance_attempts, done.status.last_failure_time) == (None, None)
    assert done.status.revision == 1


async def test_a_manual_trigger_does_not_wait(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    async with controllers(cluster, clock):
        await user.certificate("odd", {"issuerRef": EXTERNAL})
        asked = await approved(user, "odd-1")
        await fail(user, asked, "Ready", clock.now())
        await user.until("odd", "False", kind="Issuing", reason="Failed")
        await clock.run_for(MINUTE)

        await renew_at(user, "odd", clock.now())

        again = await approved(user, "odd-1", asked.metadata.uid)
        await answer_with(user, again, given(again, "right"))
        await user.until("odd", revision=1)


async def renew_at(user: User, name: str, when: datetime) -> None:
    """As `cmctl renew` does at that time."""
    found = await user.get(name)
    condition: JSONObject = {
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "Certificate re-issuance manually triggered",
        "lastTransitionTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    others = [to_json(each) for each in found.status.conditions if each.type != "Issuing"]
    patch: JSONObject = {"status": {"conditions": [*others, condition]}}
    await user.client.merge_patch(CERTIFICATE, user.key(name), patch, subresource="status")


async def test_waiting_for_an_issuer_is_no_failure(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    async with controllers(cluster, clock):
        await user.certificate("early")
        await user.until("early", kind="Issuing")
        await clock.run_for(timedelta(hours=2))
        found = await user.get("early")
        assert (found.status.failed_issuance_attempts, found.status.last_failure_time) == (None, None)

        await user.ca_issuer("selfsigned", "absent")
        await clock.run_for(timedelta(hours=2))
        found = await user.get("early")
        assert (found.status.failed_issuance_attempts, found.status.last_failure_time) == (None, None)
        assert condition_of(found, "Issuing").status == "True"  # type: ignore[union-attr]


async def test_a_spec_of_which_no_request_can_be_made_is_told(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await user.certificate("odd", {"dnsNames": ["bücher.example.test"]})
        found = await user.until("odd", kind="Issuing")
        await running.rest()
        events = await user.events("odd")

    assert [event[:2] for event in events] == [("Warning", "RequestFailed")]
    assert "spec.dnsNames[0]" in events[0][2]
    assert "spec.dnsNames[0]" in condition_of(found, "Issuing").message  # type: ignore[union-attr]


async def test_who_shares_a_secret_is_told_whose_it_is(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster) as running:
        await user.certificate("one", {"secretName": "shared"})
        await user.until("one")
        await user.certificate("two", {"secretName": "shared"})
        await user.until("two", "False", reason="IncorrectCertificate")
        await running.rest()
        events = await user.events("two")

    assert [event[:2] for event in events] == [("Warning", "IncorrectCertificate")]
    assert '"one"' in events[0][2]
