"""Present, check and clean up on an API server: which objects there are at each moment."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from tests.unit.solvers.http01.rig import HOST, SERVICE, Rig, portable
from tests.unit.solvers.http01.sample_definitions import HTTP_ROUTE_DEFINITION
from tests.unit.solvers.http01.samples import KEY, TOKEN

from certwright.api.acme_v1 import HTTP01, HTTP01GatewayHTTPRoute, HTTP01Ingress, ParentReference
from certwright.errors import Blocked, Retry
from certwright.solvers.base import NotYet, Propagated
from certwright.solvers.http01.solver import Http01Options, Http01Solver


async def test_a_challenge_from_end_to_end(rig: Rig) -> None:
    solver, one = rig.solver(), await rig.challenge()
    before = await solver.check(one)

    await solver.present(one)

    assert isinstance(before, NotYet)
    assert await solver.check(one) == Propagated()
    [rule] = (await rig.one("ingresses"))["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert (rule["host"], path["path"]) == (HOST, f"/.well-known/acme-challenge/{TOKEN}")
    assert path["backend"]["service"] == {"name": SERVICE, "port": {"number": 8089}}
    service = await rig.one("services")
    assert (service["metadata"]["name"], service["spec"]["type"]) == (SERVICE, "NodePort")
    assert "selector" not in service["spec"]
    endpoints = await rig.one("endpointslices")
    assert endpoints["metadata"]["labels"]["kubernetes.io/service-name"] == SERVICE
    assert [(e["addresses"], e["conditions"]["ready"]) for e in endpoints["endpoints"]] == [(["10.1.2.3"], True)]
    assert (endpoints["ports"][0]["name"], endpoints["ports"][0]["port"]) == ("http", 8089)

    await solver.clean_up(one)

    assert isinstance(await solver.check(one), NotYet)
    for plural in ("ingresses", "services", "endpointslices"):
        await rig.gone(plural)


async def test_presenting_again_changes_nothing(rig: Rig) -> None:
    solver, one = rig.solver("10.1.2.3", "2001:db8::3"), await rig.challenge()
    kinds = ("ingresses", "services", "endpointslices")
    await solver.present(one)
    first = [await rig.all(plural) for plural in kinds]

    await solver.present(one)

    assert [await rig.all(plural) for plural in kinds] == first
    assert [len(items) for items in first] == [1, 1, 2]


async def test_cleaning_up_again_changes_nothing(rig: Rig) -> None:
    solver, one = rig.solver(), await rig.challenge()
    await solver.present(one)

    await solver.clean_up(one)
    await solver.clean_up(one)
    await rig.solver().clean_up(await rig.challenge("never.bench.test", owner="never"))

    assert await rig.all("ingresses") == []
    assert len(rig.responder) == 0


@pytest.mark.parametrize("plural", ["ingresses", "services", "endpointslices"])
async def test_what_was_deleted_is_made_again(rig: Rig, plural: str) -> None:
    solver, one = rig.solver(), await rig.challenge()
    await solver.present(one)
    uid = (await rig.one(plural))["metadata"]["uid"]
    name = (await rig.one(plural))["metadata"]["name"]
    (await rig.cluster.http.delete(rig.path(plural, name))).ok  # noqa: B018 asserts success

    await solver.present(one)

    assert (await rig.one(plural))["metadata"]["uid"] != uid


async def test_surplus_ingresses_are_deleted_and_those_of_others_are_not(rig: Rig) -> None:
    solver, one = rig.solver(), await rig.challenge()
    await solver.present(one)
    mine = await rig.one("ingresses")
    twin = {"metadata": {**portable(mine["metadata"]), "name": "twin"}, "spec": mine["spec"]}
    stranger = {"metadata": {"name": "stranger", "labels": mine["metadata"]["labels"]}, "spec": mine["spec"]}
    await rig.make("ingresses", twin)
    await rig.make("ingresses", stranger)

    await solver.present(one)
    assert "stranger" in [each["metadata"]["name"] for each in await rig.all("ingresses")]
    assert len(await rig.all("ingresses")) == 2

    await solver.clean_up(one)
    assert [each["metadata"]["name"] for each in await rig.all("ingresses")] == ["stranger"]


async def test_an_ingress_that_leads_elsewhere_is_led_back(rig: Rig) -> None:
    """As after a change from solver Pods, whose Ingress leads to a Service of their own."""
    solver, one = rig.solver(), await rig.challenge()
    await solver.present(one)
    made = await rig.one("ingresses")
    made["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "elsewhere"
    (await rig.cluster.http.put(rig.path("ingresses", made["metadata"]["name"]), made)).ok  # noqa: B018 asserts success

    await solver.present(one)

    [rule] = (await rig.one("ingresses"))["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == SERVICE


async def test_challenges_of_a_namespace_share_one_service_until_the_last_is_done(rig: Rig) -> None:
    solver = rig.solver()
    many = [await rig.challenge(f"h{number}.test", owner=f"owner-{number}") for number in range(8)]

    await asyncio.gather(*(solver.present(one) for one in many))
    service = await rig.one("services")
    assert {owner["name"] for owner in service["metadata"]["ownerReferences"]} == set(rig.owners)
    assert len(await rig.all("ingresses")) == 8

    await asyncio.gather(*(solver.clean_up(one) for one in many[:-1]))
    service = await rig.one("services")
    assert [owner["name"] for owner in service["metadata"]["ownerReferences"]] == ["owner-7"]

    await solver.clean_up(many[-1])
    await rig.gone("services")
    await rig.gone("endpointslices")


async def test_two_processes_may_work_on_one_namespace(rig: Rig) -> None:
    """At a change of the leader the old one may still be at work: conflicts are resolved, nothing is lost."""
    solvers = [rig.solver() for _ in range(3)]
    many = [await rig.challenge(f"h{number}.test", owner=f"owner-{number}") for number in range(3)]

    await asyncio.gather(*(solver.present(one) for solver, one in zip(solvers, many, strict=True)))

    service = await rig.one("services")
    assert {owner["name"] for owner in service["metadata"]["ownerReferences"]} == set(rig.owners)


async def test_the_objects_go_with_a_challenge_that_is_deleted(rig: Rig) -> None:
    await rig.solver().present(await rig.challenge())

    (await rig.cluster.http.delete(rig.path("configmaps", "one"))).ok  # noqa: B018 asserts success

    for plural in ("ingresses", "services", "endpointslices"):
        await rig.gone(plural)


async def test_slices_follow_the_addresses_of_the_process(rig: Rig) -> None:
    one = await rig.challenge()
    await rig.solver("10.1.2.3", "2001:db8::3").present(one)

    await rig.solver("10.9.9.9", port=9089).present(one)

    endpoints = await rig.one("endpointslices")
    assert endpoints["endpoints"][0]["addresses"] == ["10.9.9.9"]
    assert endpoints["ports"][0]["port"] == 9089


async def test_a_service_of_somebody_else_is_left_alone(rig: Rig) -> None:
    body = {"metadata": {"name": SERVICE}, "spec": {"ports": [{"port": 80}]}}
    theirs = await rig.make("services", body)
    solver, one = rig.solver(), await rig.challenge()

    with pytest.raises(Retry, match=f"Service {rig.cluster.namespace}/{SERVICE} is not one of HTTP-01 solvers"):
        await solver.present(one)
    await solver.clean_up(one)

    after = await rig.one("services")
    assert (after["metadata"], after["spec"]) == (theirs["metadata"], theirs["spec"])


async def test_labels_of_the_flag_are_on_all_objects(rig: Rig) -> None:
    await rig.solver(extra_labels={"team": "web"}).present(await rig.challenge())

    for plural in ("ingresses", "services"):
        assert (await rig.one(plural))["metadata"]["labels"]["team"] == "web"


async def test_without_addresses_nothing_is_written(rig: Rig) -> None:
    """Standalone: the names lead to the responder themselves."""
    solver = Http01Solver(rig.client, rig.responder, rig.self_check, Http01Options())
    one = await rig.challenge()

    await solver.present(one)

    assert await solver.check(one) == Propagated()
    assert await rig.all("services") == await rig.all("ingresses") == []
    await solver.clean_up(one)
    assert isinstance(await solver.check(one), NotYet)


async def test_the_class_of_2018_is_the_field_where_the_class_is_there(rig: Rig) -> None:
    body = {"metadata": {"name": f"of-{rig.cluster.namespace}"}, "spec": {"controller": "example.com/ingress"}}
    (await rig.cluster.http.post("/apis/networking.k8s.io/v1/ingressclasses", body)).ok  # noqa: B018 asserts success
    solver = rig.solver()

    for owner, name in (("known", f"of-{rig.cluster.namespace}"), ("unknown", "nobody")):
        way = HTTP01(ingress=HTTP01Ingress(class_=name))
        await solver.present(await rig.challenge(f"{owner}.test", way, owner=owner, legacy=True))

    known, unknown = sorted(await rig.all("ingresses"), key=lambda found: found["spec"]["rules"][0]["host"])
    assert known["spec"]["ingressClassName"] == f"of-{rig.cluster.namespace}"
    assert "kubernetes.io/ingress.class" not in known["metadata"]["annotations"]
    assert "ingressClassName" not in unknown["spec"]
    assert unknown["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "nobody"
    assert unknown["metadata"]["labels"]["certmanager.k8s.io/acme-http-domain"].isdigit()


async def test_a_class_of_today_is_written_as_it_was_asked_for(rig: Rig) -> None:
    way = HTTP01(ingress=HTTP01Ingress(class_="nginx"))

    await rig.solver().present(await rig.challenge(solver=way))

    assert (await rig.one("ingresses"))["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "nginx"


async def test_an_http_route_comes_and_goes(rig: Rig) -> None:
    await rig.cluster.install_crd(HTTP_ROUTE_DEFINITION)
    way = HTTP01(gateway_http_route=HTTP01GatewayHTTPRoute(parent_refs=(ParentReference(name="edge"),)))
    solver, one = rig.solver(), await rig.challenge(solver=way)

    await solver.present(one)
    made = await rig.one("httproutes")
    await solver.present(one)

    assert await rig.one("httproutes") == made
    assert made["spec"]["hostnames"] == [HOST]
    assert made["spec"]["rules"][0]["backendRefs"][0]["name"] == SERVICE
    await solver.clean_up(one)
    await rig.gone("httproutes")
    await rig.gone("services")


@pytest.mark.parametrize(
    ("solver", "said"),
    [
        (HTTP01(gateway_http_route=HTTP01GatewayHTTPRoute()), "set parentRefs"),
        (HTTP01(), "set ingress or gatewayHTTPRoute"),
    ],
)
async def test_what_can_never_work_blocks(rig: Rig, solver: HTTP01, said: str) -> None:
    one = await rig.challenge(solver=solver)

    with pytest.raises(Blocked, match=said) as told:
        await rig.solver().present(one)

    assert told.value.reason == "InvalidSolver"


async def test_a_refusal_is_told_in_the_words_of_the_server(rig: Rig) -> None:
    await rig.make("configmaps", {"metadata": {"name": "other"}})
    one = await rig.challenge("not_a_host.test")

    with pytest.raises(Retry, match=r"the HTTP-01 path of not_a_host\.test was not set up: .*spec\.rules\[0\]\.host"):
        await rig.solver().present(one)


async def test_the_answer_is_given_by_the_responder_of_the_process(rig: Rig) -> None:
    await rig.solver().present(await rig.challenge())

    url = f"http://127.0.0.1:{rig.responder.port}/.well-known/acme-challenge/{TOKEN}"
    async with aiohttp.ClientSession() as session, session.get(url, headers={"Host": HOST}) as answer:
        assert await answer.text() == KEY
