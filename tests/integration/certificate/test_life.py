"""What happens to a Certificate after its first issuance: edits, renewals, failures, and quiet hours."""

from __future__ import annotations

import base64
from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.clock import MovableClock
from tests.cluster import Cluster
from tests.integration.certificate.rig import User, agent, condition_of, controllers
from tests.kubernetes.audit import Write
from tests.kubernetes.eventually import eventually

from certwright.api import certmanager_v1 as cm
from certwright.api.core_kinds import SECRET
from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Annotation, Label
from certwright.pki.certificate import parse_certificate
from certwright.pki.keys import parse_private_key, public_key_digest
from certwright.pki.keystores.opening import opens_jks, opens_pkcs12
from certwright.pki.keystores.pkcs12 import Profile

HOUR = timedelta(hours=1)


def now() -> MovableClock:
    """A clock that begins at the machine's time, since the API server stamps objects with that."""
    return MovableClock(datetime.now(UTC).replace(microsecond=0))  # noqa: TID251


async def key_digest(user: User, name: str) -> bytes:
    return public_key_digest(parse_private_key((await user.secret(name)).data["tls.key"]))


async def test_a_short_lived_certificate_is_renewed_on_time_and_stays_ready(cluster: Cluster, user: User) -> None:
    clock = now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock) as running:
        await user.certificate("short", {"duration": "1h", "renewBefore": "20m"})
        first = await user.until("short")
        assert first.status.renewal_time == clock.now() + timedelta(minutes=40)
        old_key = await key_digest(user, "short")
        await user.calm(running)
        before = cluster.writes(agent(cluster))

        await clock.run_for(timedelta(minutes=39, seconds=59))
        assert (await user.get("short")).status.revision == 1
        await clock.run_for(timedelta(seconds=2))
        second = await user.until("short", revision=2)
        await eventually(lambda: _requests_are(user, ["short-2"]))
        await running.recorder.flush()
        written = cluster.writes(agent(cluster)) - before

    ready = condition_of(second, "Ready")
    assert ready is not None
    assert ready.last_transition_time == condition_of(first, "Ready").last_transition_time  # type: ignore[union-attr]
    assert await key_digest(user, "short") != old_key
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


async def _requests_are(user: User, names: list[str]) -> bool:
    return [request.metadata.name for request in await user.requests()] == names


async def test_a_quiet_hour_and_a_restart_write_nothing(cluster: Cluster, user: User) -> None:
    clock = now()
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
    clock = now()
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
        await running.recorder.flush()

    leaf = parse_certificate((await user.secret("edited")).data["tls.crt"])
    assert leaf.names.dns_names == ("c.example.test",)


async def _observed(user: User, name: str) -> bool:
    found = await user.get(name)
    ready = condition_of(found, "Ready")
    return ready is not None and ready.observed_generation == found.metadata.generation


async def test_template_and_formats_are_put_right_without_a_new_certificate(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        template: JSONObject = {"labels": {"app": "web"}, "annotations": {"team": "red"}}
        await user.certificate("dressed", {"secretTemplate": template, "additionalOutputFormats": [{"type": "DER"}]})
        await user.until("dressed")
        before = await user.secret("dressed")
        assert before.metadata.labels["app"] == "web"
        assert "key.der" in before.data
        foreign: JSONObject = {
            "metadata": {"annotations": {"mine": "stays", "team": "blue"}},
            "data": {"extra": "eA=="},
        }
        await user.client.merge_patch(SECRET, user.key("dressed"), foreign)

        await eventually(lambda: _annotation_is(user, "dressed", "team", "red"))
        await user.patch("dressed", secretTemplate={"labels": {"app": None, "tier": "x"}}, additionalOutputFormats=[])

        async def undressed() -> bool:
            found = await user.secret("dressed")
            return "app" not in found.metadata.labels and "key.der" not in found.data

        await eventually(undressed)
        after = await user.secret("dressed")
        assert (await user.get("dressed")).status.revision == 1

    assert after.metadata.labels["tier"] == "x"
    assert after.metadata.annotations["mine"] == "stays"
    assert after.data["extra"] == b"x"
    assert after.data["tls.crt"] == before.data["tls.crt"]


async def _annotation_is(user: User, name: str, key: str, value: str) -> bool:
    secret = await user.secret(name)
    return secret is not None and secret.metadata.annotations.get(key) == value


async def test_a_wrong_annotation_of_ours_is_put_back(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("marked")
        await user.until("marked")
        patch: JSONObject = {"metadata": {"annotations": {Annotation.ALT_NAMES: "lies"}}}
        await user.client.merge_patch(SECRET, user.key("marked"), patch)

        await eventually(lambda: _annotation_is(user, "marked", Annotation.ALT_NAMES, "marked.example.test"))


async def test_a_hand_made_secret_is_adopted(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("donor", {"dnsNames": ["adopted.example.test"]})
        await user.until("donor")
        pair = (await user.secret("donor")).data
        body: JSONObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "adopted"},
            "type": "Opaque",
            "data": {name: base64.b64encode(pair[name]).decode() for name in ("tls.crt", "tls.key")},
        }
        await user.client.create(SECRET, body, user.namespace)

        await user.certificate("adopted", {"dnsNames": ["adopted.example.test"]})
        await user.until("adopted")
        await eventually(lambda: _annotation_is(user, "adopted", Annotation.CERTIFICATE_NAME, "adopted"))

    secret = await user.secret("adopted")
    assert secret.data["tls.crt"] == pair["tls.crt"]
    assert secret.type == "Opaque"
    assert secret.metadata.labels[Label.FILTERED] == "true"
    assert [r.metadata.name for r in await user.requests()] == ["donor-1"]


async def test_two_certificates_with_one_secret(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("one", {"secretName": "shared"})
        await user.until("one")
        await user.certificate("two", {"secretName": "shared"})
        loser = await user.until("two", "False", reason="IncorrectCertificate")
        assert loser.status.not_after is None
        assert loser.status.revision is None

        await user.client.delete(CERTIFICATE, user.key("one"))
        await user.until("two")


async def test_a_failed_request_backs_off_and_an_edit_ends_the_wait(cluster: Cluster, user: User) -> None:
    clock = now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock, approve=False) as running:
        await user.certificate("denied")
        await eventually(lambda: _requests_are(user, ["denied-1"]))
        await deny(user, "denied-1")
        failed = await user.until("denied", "False", kind="Issuing")
        await running.recorder.flush()
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
        key = await key_digest(user, "kept")
        await user.renew("kept")
        await user.until("kept", revision=2)
        assert await key_digest(user, "kept") == key

        await user.patch("kept", privateKey={"algorithm": "ECDSA", "size": 384, "rotationPolicy": "Never"})
        stuck = await user.until("kept", kind="Issuing")
        await running.recorder.flush()
        reasons = {event[1] for event in await user.events("kept")}
        assert {"Reused", "CannotRegenerateKey"} <= reasons
        assert "Never" in condition_of(stuck, "Issuing").message  # type: ignore[union-attr]

        await user.patch("kept", privateKey={"algorithm": "ECDSA", "size": 384, "rotationPolicy": "Always"})
        await user.until("kept", revision=3)
        assert await key_digest(user, "kept") != key


async def test_a_manual_trigger_issues_once(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("again")
        await user.until("again")
        await user.renew("again")
        found = await user.until("again", revision=2)

    assert condition_of(found, "Issuing") is None


async def test_an_issuer_that_comes_later(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        await user.certificate("waiting")
        waiting = await user.until("waiting", kind="Issuing", reason="DoesNotExist")
        await eventually(lambda: _mentions(user, "waiting", "not found"))
        await running.recorder.flush()
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


async def test_key_stores_follow_their_password(cluster: Cluster, user: User) -> None:
    reference: JSONObject = {"name": "pw", "key": "password"}
    stores: dict[str, JSONObject] = {
        "jks": {"create": True, "alias": "me", "passwordSecretRef": reference},
        "pkcs12": {"create": True, "profile": "Modern2023", "passwordSecretRef": reference},
    }
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("stores", {"keystores": {**stores}})
        await eventually(lambda: _told(user, "stores", "KeystorePasswordSecretNotFound"))
        assert await user.secret("stores") is None

        await user.client.create(SECRET, password("old"), user.namespace)
        await user.until("stores")
        before = (await user.secret("stores")).data
        assert opens_jks(before["keystore.jks"], b"old", "me")
        await user.client.merge_patch(SECRET, user.key("pw"), {"data": {"password": "bmV3"}})

        async def opens_with_the_new_one() -> bool:
            data = (await user.secret("stores")).data
            return opens_jks(data["keystore.jks"], b"new", "me") and opens_pkcs12(
                data["keystore.p12"], b"new", Profile.MODERN_2023
            )

        await eventually(opens_with_the_new_one)
        await user.patch("stores", keystores={"jks": None, "pkcs12": {**stores["pkcs12"], "profile": "LegacyDES"}})

        async def has_the_new_form() -> bool:
            data = (await user.secret("stores")).data
            return "keystore.jks" not in data and opens_pkcs12(data["keystore.p12"], b"new", Profile.LEGACY_DES)

        await eventually(has_the_new_form)

    assert (await user.secret("stores")).data["tls.crt"] == before["tls.crt"]
    assert (await user.get("stores")).status.revision == 1


async def _told(user: User, name: str, reason: str) -> bool:
    return reason in [event[1] for event in await user.events(name)]


def password(text: str) -> JSONObject:
    value = base64.b64encode(text.encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pw"}, "data": {"password": value}}


async def test_the_owner_reference_follows_its_flag(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster, enable_certificate_owner_ref=True):
        await user.certificate("owned")
        await user.until("owned")
        owners = (await user.secret("owned")).metadata.owner_references
        assert [owner.name for owner in owners] == ["owned"]

    async with controllers(cluster):

        async def is_free() -> bool:
            return not (await user.secret("owned")).metadata.owner_references

        await eventually(is_free)


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
