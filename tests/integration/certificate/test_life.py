"""What happens to a Certificate after its first issuance: renewals, edits, loss, and quiet hours."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, condition_of, controllers, movable_now
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE_REQUEST
from certwright.pki.certificate import parse_certificate

HOUR = timedelta(hours=1)


async def test_a_short_lived_certificate_is_renewed_on_time_and_stays_ready(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock) as running:
        await user.certificate("short", {"duration": "1h", "renewBefore": "20m"})
        first = await user.until("short")
        assert first.status.renewal_time == clock.now() + timedelta(minutes=40)
        old_key = await user.key_digest("short")
        await user.calm(running)
        before = cluster.writes(agent(cluster))

        await clock.run_for(timedelta(minutes=39, seconds=59))
        assert (await user.get("short")).status.revision == 1
        await clock.run_for(timedelta(seconds=2))
        second = await user.until("short", revision=2)
        await eventually(lambda: user.has_requests("short-2"))
        await running.rest()
        written = cluster.writes(agent(cluster)) - before

    ready = condition_of(second, "Ready")
    assert ready is not None
    assert ready.last_transition_time == condition_of(first, "Ready").last_transition_time  # type: ignore[union-attr]
    assert await user.key_digest("short") != old_key
    assert (
        written
        == Counter(
            {
                Write("create", "certificaterequests.cert-manager.io"): 1,
                Write("patch", "certificaterequests.cert-manager.io/status"): 1,
                Write("patch", "secrets"): 1,
                Write("patch", "certificates.cert-manager.io/status"): 1,
                Write("create", "events"): 1,
                Write("delete", "certificaterequests.cert-manager.io"): 1,
            }
        )
        or written[Write("patch", "events")] == 1
    )


async def test_a_quiet_hour_and_a_restart_write_nothing(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock) as running:
        await user.certificate("quiet")
        await user.until("quiet")
        await user.calm(running)
        before = cluster.writes(agent(cluster))
        await clock.run_for(HOUR)

    async with controllers(cluster, clock):
        await clock.run_for(HOUR)

    assert cluster.writes(agent(cluster)) == before


async def test_expiry_is_told_at_its_second(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock):
        await user.certificate("ending", {"duration": "1h", "renewal": {"policy": "Disabled"}})
        ready = await user.until("ending")
        assert ready.status.renewal_time is None

        await clock.run_for(HOUR - timedelta(seconds=1))
        assert condition_of(await user.get("ending"), "Ready").status == "True"  # type: ignore[union-attr]
        await clock.run_for(timedelta(seconds=1))
        await user.until("ending", "False", reason="Expired")


async def test_a_deleted_secret_comes_back_and_a_torn_one_is_mended(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("lost")
        await user.until("lost")
        await user.client.delete(SECRET, user.key("lost"))
        await user.until("lost", revision=2)
        assert await user.secret("lost") is not None

        await user.client.merge_patch(SECRET, user.key("lost"), {"data": {"tls.crt": "eA=="}})
        await user.until("lost", revision=3)
        await user.client.merge_patch(SECRET, user.key("lost"), {"data": {"tls.key": "Z2FyYmFnZQ=="}})
        await user.until("lost", revision=4)


async def test_a_changed_spec_is_issued_anew_and_other_fields_are_not(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster) as running:
        await user.certificate("edited", {"dnsNames": ["a.example.test", "b.example.test"]})
        await user.until("edited")

        await user.patch("edited", dnsNames=["b.example.test", "a.example.test"], renewBefore="10m")
        await eventually(lambda: _observed(user, "edited"))
        assert (await user.get("edited")).status.revision == 1
        await user.patch("edited", dnsNames=["c.example.test"])
        await user.until("edited", revision=2)
        await running.rest()

    leaf = parse_certificate((await user.secret("edited")).data["tls.crt"])
    assert leaf.names.dns_names == ("c.example.test",)


async def _observed(user: User, name: str) -> bool:
    found = await user.get(name)
    ready = condition_of(found, "Ready")
    return ready is not None and ready.observed_generation == found.metadata.generation


async def test_a_manual_trigger_issues_once(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("again")
        await user.until("again")
        await user.renew("again")
        found = await user.until("again", revision=2)

    assert condition_of(found, "Issuing") is None


async def test_a_deleted_request_is_not_made_again(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("calm")
        await user.until("calm")
        await user.client.delete(CERTIFICATE_REQUEST, user.key("calm-1"))
        await user.certificate("later")
        found: cm.Certificate = await user.until("later")

    assert found.status.revision == 1
    assert [request.metadata.name for request in await user.requests()] == ["later-1"]
