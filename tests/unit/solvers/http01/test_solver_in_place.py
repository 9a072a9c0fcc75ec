"""An Ingress of the user's is edited on an API server, and is then as it was."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.unit.solvers.http01.rig import HOST, SERVICE, Rig, portable

from certwright.api.acme_v1 import HTTP01, HTTP01Ingress
from certwright.errors import Retry

SHOP = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}


async def test_an_ingress_is_edited_and_then_as_it_was(rig: Rig) -> None:
    spec = {"rules": [{"host": "other.test", "http": {"paths": [SHOP]}}, {"host": HOST, "http": {"paths": [SHOP]}}]}
    before = await rig.make("ingresses", {"metadata": {"name": "shop"}, "spec": spec})
    solver, one = rig.solver(), await rig.challenge(solver=HTTP01(ingress=HTTP01Ingress(name="shop")))

    await solver.present(one)
    await solver.present(one)

    during = await rig.one("ingresses")
    first, *rest = during["spec"]["rules"][1]["http"]["paths"]
    assert first["backend"]["service"]["name"] == SERVICE
    assert rest == [SHOP]
    assert during["spec"]["rules"][0] == spec["rules"][0]
    assert portable(during["metadata"]) == portable(before["metadata"])
    assert [entry["manager"] for entry in during["metadata"]["managedFields"]][-1] == "cert-manager-challenges"

    await solver.clean_up(one)

    after = await rig.one("ingresses")
    assert after["spec"] == before["spec"]
    await rig.gone("services")


async def test_many_challenges_edit_one_ingress_at_once(rig: Rig) -> None:
    spec = {"defaultBackend": SHOP["backend"]}
    before = await rig.make("ingresses", {"metadata": {"name": "shop"}, "spec": spec})
    solver = rig.solver()
    way = HTTP01(ingress=HTTP01Ingress(name="shop"))
    many = [
        msgspec.structs.replace(await rig.challenge(f"h{n}.test", way, owner=f"owner-{n}"), token=f"token-{n}")
        for n in range(4)
    ]

    await asyncio.gather(*(solver.present(one) for one in many))
    assert {rule["host"] for rule in (await rig.one("ingresses"))["spec"]["rules"]} == {o.identifier for o in many}

    for one in many:
        await solver.clean_up(one)
    assert (await rig.one("ingresses"))["spec"] == before["spec"]


async def test_an_ingress_that_is_not_there_cannot_be_edited(rig: Rig) -> None:
    solver, one = rig.solver(), await rig.challenge(solver=HTTP01(ingress=HTTP01Ingress(name="absent")))

    with pytest.raises(Retry, match=f"Ingress {rig.cluster.namespace}/absent, .* is not there; create it"):
        await solver.present(one)
    await solver.clean_up(one)

    assert await rig.all("services") == []
