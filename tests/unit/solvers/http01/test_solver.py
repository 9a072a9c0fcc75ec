"""Present, check and clean up on an API server: which objects there are at each moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.cluster import Cluster
from tests.kubernetes.eventually import eventually
from tests.unit.solvers.http01.sample_definitions import HTTP_ROUTE_DEFINITION
from tests.unit.solvers.http01.samples import KEY, TOKEN, challenge

from certwright.api.acme_v1 import HTTP01, HTTP01GatewayHTTPRoute, HTTP01Ingress, ParentReference
from certwright.api.meta import OwnerReference
from certwright.clock import SystemClock
from certwright.errors import Blocked, Retry
from certwright.kube.client.client import KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.solvers.base import NotYet, Propagated
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.responder import Responder, ResponderOptions
from certwright.solvers.http01.self_check import SelfCheck, SelfCheckOptions
from certwright.solvers.http01.solver import Http01Options, Http01Solver

SERVICE = "cm-acme-http-solver-nodeport"
HOST = "http.bench.test"
SHOP = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}
PLACES = {
    "services": "/api/v1",
    "configmaps": "/api/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "httproutes": "/apis/gateway.networking.k8s.io/v1",
}


@dataclass
class Rig:
    """A namespace, a solver, and what is in the namespace."""

    cluster: Cluster
    client: KubeClient
    responder: Responder
    self_check: SelfCheck
    owners: dict[str, OwnerReference] = field(default_factory=dict)

    def solver(self, *addresses: str, **options: Any) -> Http01Solver:
        chosen = Http01Options(addresses=addresses or ("10.1.2.3",), **options)
        return Http01Solver(self.client, self.responder, self.self_check, chosen)

    def path(self, plural: str, name: str = "") -> str:
        collection = f"{PLACES[plural]}/namespaces/{self.cluster.namespace}/{plural}"
        return f"{collection}/{name}" if name else collection

    async def all(self, plural: str) -> list[Any]:
        """The objects that are there and not on their way out."""
        items = (await self.cluster.http.get(self.path(plural))).ok["items"]
        return [item for item in items if "deletionTimestamp" not in item["metadata"]]

    async def one(self, plural: str) -> Any:
        [found] = await self.all(plural)
        return found

    async def gone(self, plural: str) -> None:
        """Return when there is none any more: the garbage collector takes its time."""

        async def empty() -> bool:
            return not await self.all(plural)

        await eventually(empty)

    async def make(self, plural: str, body: dict[str, Any]) -> Any:
        return (await self.cluster.http.post(self.path(plural), body)).ok

    async def challenge(
        self, identifier: str = HOST, solver: HTTP01 | None = None, *, owner: str = "one", legacy: bool = False
    ) -> Http01Challenge:
        """A challenge of an owner that is really there, for the garbage collector."""
        if owner not in self.owners:
            made = await self.make("configmaps", {"metadata": {"name": owner}})
            uid = made["metadata"]["uid"]
            self.owners[owner] = OwnerReference(
                api_version="v1", kind="ConfigMap", name=owner, uid=uid, controller=True, block_owner_deletion=True
            )
        chosen = solver or HTTP01(ingress=HTTP01Ingress())
        namespace = self.cluster.namespace
        return challenge(identifier, chosen, namespace=namespace, owner=self.owners[owner], legacy=legacy)


@pytest.fixture
async def rig(cluster: Cluster) -> AsyncIterator[Rig]:
    responder = Responder(ResponderOptions(host="127.0.0.1", port=0))
    await responder.start()
    client = KubeClient(find_connection({}, str(cluster.kubeconfig)), SystemClock())
    check = SelfCheck(SelfCheckOptions(connect_to={f"{HOST}:80": f"127.0.0.1:{responder.port}"}))
    yield Rig(cluster, client, responder, check)
    await check.close()
    await client.close()
    await responder.stop()


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
    twin = {"metadata": {**_portable(mine["metadata"]), "name": "twin"}, "spec": mine["spec"]}
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
    assert _portable(during["metadata"]) == _portable(before["metadata"])
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


def _portable(metadata: dict[str, Any]) -> dict[str, Any]:
    """What a user could have written: without what the server fills in."""
    filled = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "name", "generateName"}
    return {name: value for name, value in metadata.items() if name not in filled}
