"""A solver Pod in the place of the shared responder, also after the shared one was tried."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.solvers.http01.rig import SERVICE, Rig

from certwright.errors import Blocked
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.pod import PodOptions

PODS = PodOptions(image="example.com/solver:1")


async def _in_pod(rig: Rig) -> Http01Challenge:
    return msgspec.structs.replace(await rig.challenge(), in_pod=True)


async def test_a_challenge_from_end_to_end(rig: Rig) -> None:
    solver, one = rig.solver(pods=PODS), await _in_pod(rig)

    await solver.present(one)
    pod, service, ingress = [await rig.one(plural) for plural in ("pods", "services", "ingresses")]
    await solver.present(one)

    assert [await rig.one(plural) for plural in ("pods", "services", "ingresses")] == [pod, service, ingress]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    [rule] = ingress["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == service["metadata"]["name"]
    assert await rig.all("endpointslices") == []

    await solver.clean_up(one)
    for plural in ("pods", "services", "ingresses"):
        await rig.gone(plural)


@pytest.mark.parametrize("plural", ["pods", "services"])
async def test_what_was_deleted_is_made_again(rig: Rig, plural: str) -> None:
    solver, one = rig.solver(pods=PODS), await _in_pod(rig)
    await solver.present(one)
    made = await rig.one(plural)
    (await rig.cluster.http.delete(rig.path(plural, made["metadata"]["name"]), gracePeriodSeconds="0")).ok  # noqa: B018 asserts success

    await solver.present(one)

    assert (await rig.one(plural))["metadata"]["uid"] != made["metadata"]["uid"]
    [rule] = (await rig.one("ingresses"))["spec"]["rules"]
    service = await rig.one("services")
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == service["metadata"]["name"]


async def test_from_the_shared_responder_to_a_pod(rig: Rig) -> None:
    """What `auto` does where the self-check does not pass: the same Ingress leads elsewhere, nothing is left over."""
    solver, one = rig.solver(pods=PODS), await rig.challenge()
    await solver.present(one)
    before = await rig.one("ingresses")

    await solver.present(msgspec.structs.replace(one, in_pod=True))

    after = await rig.one("ingresses")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert SERVICE not in [service["metadata"]["name"] for service in await rig.all("services")]
    assert len(await rig.all("pods")) == 1

    await solver.clean_up(one)
    for plural in ("pods", "services", "ingresses", "endpointslices"):
        await rig.gone(plural)


async def test_pods_can_be_switched_off(rig: Rig) -> None:
    with pytest.raises(Blocked, match="give --acme-http01-solver-image"):
        await rig.solver().present(await _in_pod(rig))
