"""What makes a Certificate be issued again, what it says meanwhile, and when it is renewed."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, condition_of, controllers, movable_now
from tests.kubernetes.eventually import eventually

from certwright.api.core_kinds import SECRET
from certwright.api.kinds import ISSUER
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Annotation
from certwright.pki.certificate import parse_certificate

DAY = timedelta(days=1)
NEVER: JSONObject = {"algorithm": "ECDSA", "rotationPolicy": "Never"}


async def told(user: User, name: str, reason: str) -> bool:
    """Whether there is such an event."""
    return reason in [event[1] for event in await user.events(name)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"metadata": {"annotations": {Annotation.ISSUER_NAME: "other"}}}, "IncorrectIssuer"),
        ({"metadata": {"annotations": {Annotation.CERTIFICATE_NAME: "other"}}}, "IncorrectCertificate"),
        ({"data": {"tls.key": ""}}, "MissingData"),
        ({"data": {"tls.key": "eA=="}}, "InvalidKeyPair"),
        ({"data": {"tls.crt": "eA=="}}, "InvalidCertificate"),
    ],
    ids=["IncorrectIssuer", "IncorrectCertificate", "MissingData", "InvalidKeyPair", "InvalidCertificate"],
)
async def test_as_long_as_it_holds_the_reason_stands_in_both_conditions(
    cluster: Cluster, user: User, changes: JSONObject, reason: str
) -> None:
    """Nobody approves the second request, so that the reason can be seen."""
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("hurt")
        await user.until("hurt")
    async with controllers(cluster, approve=False):
        await user.client.merge_patch(SECRET, user.key("hurt"), changes)
        found = await user.until("hurt", "False", reason=reason)
        found = await user.until("hurt", kind="Issuing", reason=reason)
        assert condition_of(found, "Ready").reason == reason  # type: ignore[union-attr]
    async with controllers(cluster):
        await user.until("hurt", revision=2)


async def test_another_valid_pair_is_not_ours(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("swapped")
        await user.certificate("donor", {"dnsNames": ["swapped.example.test"]})
        await user.until("swapped")
        await user.until("donor")
        pair = (await user.secret("donor")).data
        data: JSONObject = {name: base64.b64encode(pair[name]).decode() for name in ("tls.crt", "tls.key")}
        await user.client.merge_patch(SECRET, user.key("swapped"), {"data": data})
        await user.until("swapped", revision=2)
        await eventually(lambda: told(user, "swapped", "Issuing"))

    assert (await user.secret("swapped")).data["tls.crt"] not in pair.values()


async def test_another_size_of_key(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("grown")
        await user.until("grown")
        await user.patch("grown", privateKey={"algorithm": "ECDSA", "size": 384})
        await user.until("grown", revision=2)


async def test_the_default_kind_and_group_written_out_are_no_change(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster) as running:
        await user.certificate("same")
        await user.until("same")
        await user.patch("same", issuerRef={"name": "selfsigned", "kind": "Issuer", "group": "cert-manager.io"})

        async def observed() -> bool:
            ready = condition_of(await user.get("same"), "Ready")
            return ready is not None and ready.observed_generation == 2

        await eventually(observed)
        await user.calm(running)
        assert (await user.get("same")).status.revision == 1
        assert [each.metadata.name for each in await user.requests()] == ["same-1"]


async def test_removed_other_names_are_noticed(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("others", {"otherNames": [{"oid": "1.2.3.4", "utf8Value": "x"}]})
        await user.until("others")
        await user.patch("others", otherNames=None)
        await user.until("others", revision=2)

    assert parse_certificate((await user.secret("others")).data["tls.crt"]).names.other_names == ()


async def test_a_key_beyond_reading_is_replaced_under_never(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster) as running:
        await user.certificate("broken", {"privateKey": NEVER})
        await user.until("broken")
        await user.client.merge_patch(SECRET, user.key("broken"), {"data": {"tls.key": "eA=="}})
        await user.until("broken", revision=2)
        await user.calm(running)

        events = await user.events("broken")

    assert ("Warning", "DecodeFailed") in [event[:2] for event in events]


async def test_a_window_that_never_opens_is_told_and_it_is_renewed_all_the_same(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    windows: JSONObject = {"policy": "RenewBefore", "windows": [{"cron": "0 0 31 2 *", "windowDuration": "1h"}]}
    await user.self_signed_issuer()
    async with controllers(cluster, clock) as running:
        await user.certificate("shut", {"renewal": windows, "duration": "3h"})
        found = await user.until("shut", "False", reason="WindowError")
        await running.rest()
        assert ("Warning", "WindowError") in [event[:2] for event in await user.events("shut")]
        assert found.status.renewal_time == clock.now() + timedelta(hours=2)
        await clock.run_for(timedelta(hours=2, seconds=1))
        await user.until("shut", "False", reason="WindowError", revision=2)


async def test_a_window_moves_the_renewal(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    windows: JSONObject = {"policy": "RenewBefore", "windows": [{"cron": "0 0 * * *", "windowDuration": "1h"}]}
    await user.self_signed_issuer()
    async with controllers(cluster, clock):
        await user.certificate("window", {"renewal": windows, "duration": "144h"})
        found = await user.until("window")
        wished = clock.now() + 4 * DAY
        renewal = found.status.renewal_time
        assert renewal is not None
        assert wished <= renewal < wished + DAY
        assert renewal.hour == 0 or renewal == wished
        await clock.run_for(renewal - clock.now() - timedelta(seconds=1))
        assert (await user.get("window")).status.revision == 1
        await clock.run_for(timedelta(seconds=2))
        await user.until("window", revision=2)


async def test_six_days_are_renewed_after_four_and_a_jump_of_the_clock_is_noticed(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock):
        await user.certificate("six", {"duration": "144h", "renewBeforePercentage": 50})
        first = await user.until("six")
        assert first.status.renewal_time == clock.now() + 3 * DAY
        await user.patch("six", renewBeforePercentage=None)

        async def moved() -> bool:
            return bool((await user.get("six")).status.renewal_time == clock.now() + 4 * DAY)

        await eventually(moved)
        await clock.run_for(4 * DAY + timedelta(seconds=1))
        await user.until("six", revision=2)

        clock.advance(40 * DAY)
        await user.until("six", revision=3)


async def test_a_policy_that_is_switched_off_leaves_no_renewal(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock):
        await user.certificate("fixed", {"duration": "1h"})
        await user.until("fixed")
        await user.patch("fixed", renewal={"policy": "Disabled"})

        async def unplanned() -> bool:
            return (await user.get("fixed")).status.renewal_time is None

        await eventually(unplanned)
        await clock.run_for(timedelta(minutes=61))
        found = await user.until("fixed", "False", reason="Expired")

    assert found.status.revision == 1


async def test_a_changed_issuer_is_another_certificate(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    await user.create(ISSUER, "second", {"selfSigned": {}})
    async with controllers(cluster):
        await user.certificate("moved")
        await user.until("moved")
        await user.patch("moved", issuerRef={"name": "second"})
        await user.until("moved", revision=2)

    assert (await user.secret("moved")).metadata.annotations[Annotation.ISSUER_NAME] == "second"
