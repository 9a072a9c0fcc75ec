"""The objects and conditions of an issuance that takes more than one pass, since its issuer comes later."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from tests.cluster import Cluster
from tests.integration.certificate.rig import User, condition_of, controllers, movable_now
from tests.kubernetes.eventually import eventually
from tests.unit.rules.sample import csr, spec

from certwright.api.kinds import CERTIFICATE, CERTIFICATE_REQUEST, ISSUER
from certwright.api.meta import JSONObject
from certwright.api.wellknown import Annotation, Label
from certwright.kube.client.listing import Selection
from certwright.pki.certificate import parse_certificate

NEXT = f"{Label.NEXT_PRIVATE_KEY}=true"


async def waiting(user: User, name: str) -> Any:
    """Its CertificateRequest, once it waits for the issuer."""

    async def look() -> Any:
        found = [each for each in await user.requests() if each.metadata.name == f"{name}-1"]
        return found[0] if found and condition_of(found[0], "Ready") is not None else None

    return await eventually(look)


async def test_the_temporary_secret_and_its_end(cluster: Cluster, user: User) -> None:
    async with controllers(cluster) as running:
        made = await user.certificate("slow")
        found = await user.until("slow", kind="Issuing", reason="DoesNotExist")
        assert condition_of(found, "Ready").reason == "DoesNotExist"  # type: ignore[union-attr]
        (secret,) = await user.secrets(NEXT)
        assert secret.metadata.name == found.status.next_private_key_secret_name
        assert secret.metadata.name.startswith("slow-")
        assert secret.metadata.labels == {Label.NEXT_PRIVATE_KEY: "true", Label.FILTERED: "true"}
        assert secret.data["tls.key"].startswith(b"-----BEGIN PRIVATE KEY-----\n")
        (owner,) = secret.metadata.owner_references
        assert (owner.kind, owner.name, owner.uid, owner.controller) == ("Certificate", "slow", made.metadata.uid, True)

        await user.self_signed_issuer()
        done = await user.until("slow")
        await user.calm(running)

    assert done.status.next_private_key_secret_name is None
    assert await user.secrets(NEXT) == ()
    leaf = parse_certificate((await user.secret("slow")).data["tls.crt"])
    assert (done.status.not_before, done.status.not_after) == (leaf.not_before, leaf.not_after)
    assert done.status.renewal_time == leaf.not_before + timedelta(days=60)
    ready = condition_of(done, "Ready")
    assert ready is not None
    assert (ready.status, ready.reason, ready.observed_generation) == ("True", "Ready", 1)
    assert ready.message == "Certificate is up to date and has not expired"
    assert condition_of(done, "Issuing") is None
    assert [event[1] for event in await user.events("slow")] == ["Issuing", "Generated", "Requested", "Issuing"]


async def test_the_request_of_a_certificate(cluster: Cluster, user: User) -> None:
    copied = ("team.io/", "-team.io/secret")
    annotations = {"team.io/a": "1", "team.io/secret": "2", "other": "3"}
    async with controllers(cluster, copied_annotation_prefixes=copied):
        made = await user.certificate("asked", annotations=annotations, labels={"app": "web"})
        request = await waiting(user, "asked")
        found = await user.until("asked", kind="Issuing")

    assert request.metadata.name == "asked-1"
    assert request.metadata.labels == {"app": "web"}
    assert request.metadata.annotations == {
        "team.io/a": "1",
        Annotation.CERTIFICATE_NAME: "asked",
        Annotation.CERTIFICATE_REVISION: "1",
        Annotation.PRIVATE_KEY_SECRET_NAME: found.status.next_private_key_secret_name,
    }
    (owner,) = request.metadata.owner_references
    assert (owner.kind, owner.uid, owner.controller) == ("Certificate", made.metadata.uid, True)


async def test_an_edit_on_the_way_makes_the_request_anew(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await user.certificate("edited")
        before = await waiting(user, "edited")
        await user.patch("edited", dnsNames=["new.example.test"])

        async def is_new() -> bool:
            found = [each for each in await user.requests() if each.metadata.uid != before.metadata.uid]
            return [each.metadata.name for each in found] == ["edited-1"]

        await eventually(is_new)
        await user.self_signed_issuer()
        done = await user.until("edited")

    assert parse_certificate((await user.secret("edited")).data["tls.crt"]).names.dns_names == ("new.example.test",)
    ready = condition_of(done, "Ready")
    assert ready is not None
    assert ready.observed_generation == done.metadata.generation == 2


async def test_a_certificate_deleted_on_the_way_leaves_nothing(cluster: Cluster, user: User) -> None:
    async with controllers(cluster):
        await user.certificate("gone")
        await waiting(user, "gone")
        assert await user.secrets(NEXT)
        await user.client.delete(CERTIFICATE, user.key("gone"))

        async def nothing_left() -> bool:
            return not await user.secrets(NEXT) and not await user.requests()

        # A real garbage collector learns of new kinds each half minute.
        await eventually(nothing_left, timedelta(seconds=90))


async def test_requests_without_a_revision_go_when_an_issuance_begins(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        made = await user.certificate("tidy")
        await user.until("tidy")
        owner: JSONObject = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "name": "tidy",
            "uid": made.metadata.uid,
            "controller": True,
        }
        body: JSONObject = {
            "request": base64.b64encode(csr(spec())).decode(),
            "issuerRef": {"name": "nobody", "kind": "Issuer"},
        }
        for name, annotations in (("bare", {}), ("bad", {Annotation.CERTIFICATE_REVISION: "two"})):
            marks: JSONObject = {**annotations}
            await user.create(CERTIFICATE_REQUEST, name, body, ownerReferences=[owner], annotations=marks)
        await user.renew("tidy")
        await user.until("tidy", revision=2)

        await eventually(lambda: user.has_requests("tidy-2"))


async def test_old_requests_are_kept_up_to_the_limit(cluster: Cluster, user: User) -> None:
    await user.self_signed_issuer()
    async with controllers(cluster):
        await user.certificate("kept", {"revisionHistoryLimit": 2})
        await user.until("kept", revision=1)
        for revision in (2, 3, 4):
            await user.renew("kept")
            await user.until("kept", revision=revision)

        await eventually(lambda: user.has_requests("kept-3", "kept-4"))
        await user.patch("kept", revisionHistoryLimit=None)
        await eventually(lambda: user.has_requests("kept-4"))


async def test_transition_times_move_with_the_status_alone(cluster: Cluster, user: User) -> None:
    clock = movable_now()
    await user.self_signed_issuer()
    async with controllers(cluster, clock):
        await user.certificate("timed")
        first = await user.until("timed")
        await clock.run_for(timedelta(minutes=5))
        await user.patch("timed", secretTemplate={"labels": {"a": "b"}})

        async def observed() -> Any:
            found = await user.get("timed")
            ready = condition_of(found, "Ready")
            return found if ready is not None and ready.observed_generation == 2 else None

        second = await eventually(observed)
        await user.client.merge_patch(
            ISSUER, user.key("selfsigned"), {"spec": {"selfSigned": None, "ca": {"secretName": "x"}}}
        )

        async def unready() -> Any:
            found: Any = await user.client.get(ISSUER, user.key("selfsigned"))
            ready = condition_of(found, "Ready")
            return ready if ready is not None and ready.status == "False" else None

        issuer = await eventually(unready)

    begun, later = condition_of(first, "Ready"), condition_of(second, "Ready")
    assert begun is not None
    assert later is not None
    assert later.last_transition_time == begun.last_transition_time
    assert issuer.observed_generation == 2
    assert begun.last_transition_time is not None
    assert issuer.last_transition_time == begun.last_transition_time + timedelta(minutes=5)


async def test_kinds_can_be_selected_by_their_issuer(cluster: Cluster, user: User) -> None:
    await user.certificate("one", {"issuerRef": {"name": "x", "kind": "ClusterIssuer"}})
    await user.certificate("two", {"issuerRef": {"name": "y"}})
    body: JSONObject = {"request": base64.b64encode(csr(spec())).decode(), "issuerRef": {"name": "x"}}
    await user.create(CERTIFICATE_REQUEST, "r", body)

    async def names(kind: Any, fields: str) -> list[str]:
        found = await user.client.list(kind, Selection(user.namespace, fields=fields))
        return [each.metadata.name for each in found.items]

    assert await names(CERTIFICATE, "spec.issuerRef.name=x") == ["one"]
    assert await names(CERTIFICATE, "spec.issuerRef.kind=ClusterIssuer,spec.issuerRef.name=x") == ["one"]
    assert await names(CERTIFICATE_REQUEST, "spec.issuerRef.name=x") == ["r"]
    assert await names(CERTIFICATE_REQUEST, "spec.issuerRef.name=y") == []


async def test_unknown_fields_are_pruned_and_a_webhooks_configuration_is_kept(cluster: Cluster, user: User) -> None:
    webhook: JSONObject = {"groupName": "g.test", "solverName": "s", "config": {"any": {"thing": [1, None, "x"]}}}
    acme: JSONObject = {
        "server": "https://ca.test/dir",
        "privateKeySecretRef": {"name": "k"},
        "solvers": [{"dns01": {"webhook": webhook}, "unknown": 1}],
        "unknown": {"a": "b"},
    }
    await user.create(ISSUER, "hook", {"acme": acme, "unknown": True})

    path = f"/apis/cert-manager.io/v1/namespaces/{user.namespace}/issuers/hook"
    found = (await cluster.http.get(path)).ok["spec"]

    assert set(found) == {"acme"}
    assert "unknown" not in found["acme"]
    assert found["acme"]["solvers"] == [{"dns01": {"webhook": webhook}}]
