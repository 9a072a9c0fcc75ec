"""An API server with a namespace, a solver for it, and what is in the namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster import Cluster
from tests.kubernetes.eventually import eventually
from tests.unit.solvers.http01.samples import challenge

from certwright.api.acme_v1 import HTTP01, HTTP01Ingress
from certwright.api.meta import OwnerReference
from certwright.clock import SystemClock
from certwright.kube.client.client import KubeClient
from certwright.kube.client.kubeconfig import find_connection
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.responder import Responder, ResponderOptions
from certwright.solvers.http01.self_check import SelfCheck, SelfCheckOptions
from certwright.solvers.http01.solver import Http01Options, Http01Solver

SERVICE = "cm-acme-http-solver-nodeport"
HOST = "http.bench.test"
PLACES = {
    "services": "/api/v1",
    "pods": "/api/v1",
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


@asynccontextmanager
async def rig_on(cluster: Cluster) -> AsyncIterator[Rig]:
    """Everything started."""
    responder = Responder(ResponderOptions(host="127.0.0.1", port=0))
    await responder.start()
    client = KubeClient(find_connection({}, str(cluster.kubeconfig)), SystemClock())
    check = SelfCheck(SelfCheckOptions(connect_to={f"{HOST}:80": f"127.0.0.1:{responder.port}"}))
    yield Rig(cluster, client, responder, check)
    await check.close()
    await client.close()
    await responder.stop()


def portable(metadata: dict[str, Any]) -> dict[str, Any]:
    """What a user could have written: without what the server fills in."""
    filled = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "name", "generateName"}
    return {name: value for name, value in metadata.items() if name not in filled}
