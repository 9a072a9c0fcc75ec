"""Who asks is told by the API server, and what the controllers have noted cannot be changed."""

from __future__ import annotations

from typing import Any

from tests.cluster import Cluster
from tests.integration.policies.rig import certificate_request, deployed, granted, in_force, path_of, requests_of
from tests.kubernetes.eventually import eventually
from tests.kubernetes.http import Http

FORGED: dict[str, Any] = {"username": "mallory", "uid": "1", "groups": ["system:masters"], "extra": {"scopes": ["all"]}}


async def stored(http: Http, namespace: str, name: str) -> dict[str, Any]:
    """The spec as it is stored."""
    found: dict[str, Any] = (await http.get(requests_of(namespace, name))).ok["spec"]
    return found


async def test_the_requester_is_filled_in_over_what_is_claimed(guarded: Cluster) -> None:
    async with guarded.caller("carol", ["team"]) as carol, granted(guarded, "carol"):
        created = await carol.post(requests_of(guarded.namespace), certificate_request("forged", **FORGED))
        await carol.post(requests_of(guarded.namespace), certificate_request("plain"))

    forged, plain = [await stored(guarded.http, guarded.namespace, name) for name in ("forged", "plain")]
    assert created.code == 201
    assert (forged["username"], forged["uid"]) == ("carol", "")
    assert set(forged["groups"]) == {"team", "system:authenticated"}
    assert "scopes" not in forged.get("extra", {})
    assert {**forged, "request": ""} == {**plain, "request": ""}


async def test_the_requester_cannot_change(guarded: Cluster) -> None:
    await guarded.http.post(requests_of(guarded.namespace), certificate_request("a"))

    for field, value in FORGED.items():
        changed = await guarded.http.patch(requests_of(guarded.namespace, "a"), {"spec": {field: value}})

        assert changed.code in {403, 422}, field
        assert "cannot change" in changed.body["message"]


CHANGES = (
    ({"cert-manager.io/certificate-name": "other"}, False),
    ({"cert-manager.io/certificate-name": None}, False),
    ({"cert-manager.io/new": "x"}, False),
    ({"acme.cert-manager.io/new": "x"}, False),
    ({"cert-manager.io.example.com/new": "x"}, False),
    ({"venafi.cert-manager.io/pickup-id": "x"}, True),
    ({"example.com/note": "y"}, True),
    ({"example.com/note": None}, True),
)


async def test_annotations_of_cert_manager_are_fixed(guarded: Cluster) -> None:
    path, first = (
        requests_of(guarded.namespace, "a"),
        {"cert-manager.io/certificate-name": "web", "example.com/note": "x"},
    )
    await guarded.http.post(requests_of(guarded.namespace), certificate_request("a", annotations=first))

    for change, allowed in CHANGES:
        changed = await guarded.http.patch(path, {"metadata": {"annotations": change}})

        assert changed.code == (200 if allowed else 403), (change, changed.body)
        if not allowed:
            assert "annotations that begin with cert-manager.io or acme.cert-manager.io" in changed.body["message"]


async def test_without_the_mutating_policy_a_forged_requester_is_refused(cluster: Cluster) -> None:
    """As on Kubernetes before 1.36, where it cannot be installed."""
    async with in_force(cluster), granted(cluster, "alice"), cluster.caller("alice", ["team"]) as alice:
        for found in deployed():
            if found["kind"].startswith("MutatingAdmissionPolicy"):
                await cluster.http.delete(path_of(found))
        await until_not_filled_in(cluster)

        answers = {
            field: await alice.post(
                requests_of(cluster.namespace), certificate_request(f"forged-{field}", **{field: value})
            )
            for field, value in FORGED.items()
        }
        true = await alice.post(requests_of(cluster.namespace), certificate_request("true", username="alice"))
        plain = await alice.post(requests_of(cluster.namespace), certificate_request("plain"))

    assert {field: answer.code for field, answer in answers.items()} == dict.fromkeys(FORGED, 403)
    assert "say who asks: leave them out" in answers["username"].body["message"]
    assert (true.code, plain.code) == (201, 201)


async def until_not_filled_in(cluster: Cluster) -> None:
    """A real server lets go of a policy after a moment."""

    async def look() -> bool:
        path, probe = requests_of(cluster.namespace), certificate_request("probe")
        return "username" not in (await cluster.http.post(path, probe, dryRun="All")).ok["spec"]

    await eventually(look)


async def test_a_namespace_can_be_excepted_from_what_refuses(guarded: Cluster) -> None:
    label = {"metadata": {"labels": {"cert-manager.io/disable-validation": "true"}}}
    (await guarded.http.patch(f"/api/v1/namespaces/{guarded.namespace}", label)).ok  # noqa: B018 asserts success
    path = requests_of(guarded.namespace, "a")

    created = await guarded.http.post(
        requests_of(guarded.namespace),
        certificate_request("a", username="mallory", annotations={"cert-manager.io/x": "1"}),
    )

    async def changed() -> bool:
        patch = {"metadata": {"annotations": {"cert-manager.io/x": "2"}}}
        return (await guarded.http.patch(path, patch)).code == 200

    await eventually(changed)
    assert created.ok["spec"]["username"] == "admin"


async def test_nothing_is_left_behind(cluster: Cluster) -> None:
    async with in_force(cluster):
        there = [(await cluster.http.get(path_of(found))).code for found in deployed()]

    gone = [(await cluster.http.get(path_of(found))).code for found in deployed()]
    assert set(there) == {200}
    assert set(gone) == {404}
    assert len(gone) == 12
