"""The Ingress or HTTPRoute that leads the challenge's path to the Service."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from certwright.api.acme_v1 import HTTP01Ingress
from certwright.errors import Blocked, Retry
from certwright.kube.client.client import KubeClient
from certwright.kube.wire.json import JSON, JSONObject
from certwright.kube.wire.keys import ObjectKey
from certwright.kube.wire.status import Conflict, Forbidden, Invalid, NotFound
from certwright.solvers.http01 import objects
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.edit_in_place import operations_to_add, operations_to_remove
from certwright.solvers.http01.found import HTTP_ROUTES, INGRESS_CLASSES, INGRESSES, MANAGER, Found, Routing
from certwright.solvers.http01.own import OwnObjects

MOST_TRIES = 5


class RouteOptions(Struct, frozen=True, kw_only=True):
    """`exact_path` is the path type Exact (gate `ACMEHTTP01IngressPathTypeExact`), else ImplementationSpecific."""

    exact_path: bool = True
    extra_labels: Mapping[str, str] = msgspec.field(default_factory=dict)


class Routes:
    """A new Ingress or HTTPRoute a challenge, or a path on an Ingress of the user's."""

    def __init__(self, client: KubeClient, options: RouteOptions) -> None:
        self._client = client
        self._own = OwnObjects(client)
        self._options = options

    async def lead(self, challenge: Http01Challenge, service: str) -> None:
        """The path leads to the Service: what is missing is made, what is too much is deleted."""
        gateway, ingress = challenge.solver.gateway_http_route, challenge.solver.ingress
        if gateway is not None:
            if not gateway.parent_refs:
                raise Blocked("InvalidSolver", "no Gateway is named for the HTTPRoute; set parentRefs in the solver")
            route = objects.http_route(challenge, gateway, service, self._options.extra_labels)
            await self._keep_one(HTTP_ROUTES, challenge, route)
        elif ingress is not None:
            await self._lead_by_ingress(challenge, ingress, service)
        else:
            raise Blocked("InvalidSolver", "the http01 solver names no way; set ingress or gatewayHTTPRoute")

    async def withdraw(self, challenge: Http01Challenge) -> None:
        """The path leads there no longer, and an Ingress that was edited is as it was."""
        if challenge.solver.gateway_http_route is not None:
            await self._own.delete_all(HTTP_ROUTES, challenge)
        elif challenge.solver.ingress is not None and challenge.solver.ingress.name:
            await self._remove_path(challenge, ObjectKey(challenge.namespace, challenge.solver.ingress.name))
        else:
            await self._own.delete_all(INGRESSES, challenge)

    async def _lead_by_ingress(self, challenge: Http01Challenge, solver: HTTP01Ingress, service: str) -> None:
        path = objects.ingress_path(challenge, service, self._options.exact_path)
        if solver.name:
            await self._add_path(challenge, ObjectKey(challenge.namespace, solver.name), path)
            return
        solver = await self._in_words_of_today(solver) if challenge.legacy else solver
        body = objects.ingress(challenge, solver, path, self._options.extra_labels)
        await self._keep_one(INGRESSES, challenge, body)

    async def _in_words_of_today(self, solver: HTTP01Ingress) -> HTTP01Ingress:
        """v0.5 wrote the class as an annotation; where an IngressClass has that name, its field is what counts."""
        if not solver.class_:
            return solver
        try:
            await self._client.get(INGRESS_CLASSES, ObjectKey("", solver.class_))
        except (NotFound, Forbidden):
            return solver
        return msgspec.structs.replace(solver, class_=None, ingress_class_name=solver.class_)

    async def _keep_one(self, kind: Routing, challenge: Http01Challenge, wanted: JSONObject) -> None:
        found = await self._own.keep_one(kind, challenge, wanted)
        rules = _rules(wanted["spec"])
        if not covers(_rules(found.json_spec), rules):
            patch: JSONObject = {"metadata": {"uid": found.metadata.uid}, "spec": {"rules": rules}}
            await self._client.merge_patch(kind, found.key, patch, manager=MANAGER)

    async def _add_path(self, challenge: Http01Challenge, key: ObjectKey, path: JSONObject) -> None:
        def edit(found: Found) -> list[JSONObject]:
            return operations_to_add(found.metadata.resource_version, found.json_spec, challenge.host, path)

        try:
            await self._edit(key, edit)
        except NotFound as error:
            raise Retry(f"Ingress {key}, which the solver is to edit, is not there; create it") from error

    async def _remove_path(self, challenge: Http01Challenge, key: ObjectKey) -> None:
        def edit(found: Found) -> list[JSONObject]:
            return operations_to_remove(found.metadata.resource_version, found.json_spec, challenge.path)

        try:
            await self._edit(key, edit)
        except NotFound:
            return

    async def _edit(self, key: ObjectKey, edit: Callable[[Found], list[JSONObject]]) -> None:
        """Others may write at the same time, the user first of all: a refused patch is made anew from what is there."""
        for tries_left in reversed(range(MOST_TRIES)):
            operations = edit(await self._client.get(INGRESSES, key))
            if not operations:
                return
            try:
                await self._client.json_patch(INGRESSES, key, operations, manager=MANAGER)
            except (Conflict, Invalid):
                # A failed `test` is told as Invalid, like an Ingress that breaks a rule.
                if not tries_left:
                    raise
            else:
                return


def covers(found: JSON, wanted: JSON) -> bool:
    """Whether everything that is wanted is found, whatever else the API server filled in."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and covers(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return False
        return all(covers(one, other) for one, other in zip(found, wanted, strict=True))
    return found == wanted


def _rules(spec: JSON) -> JSON:
    return spec.get("rules") if isinstance(spec, dict) else None
