"""HTTP-01: our own responder (mode `shared`) or a Pod answers, and objects in the namespace lead to it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from certwright.errors import Blocked
from certwright.kube.client.client import KubeClient
from certwright.solvers.base import Visibility
from certwright.solvers.http01.backend import Backend, BackendOptions
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.found import PODS, SERVICES, asking_the_api_server
from certwright.solvers.http01.own import OwnObjects
from certwright.solvers.http01.pod import PodOptions, pod_service, solver_pod
from certwright.solvers.http01.responder import PORT, Answer, Responder
from certwright.solvers.http01.routes import RouteOptions, Routes
from certwright.solvers.http01.self_check import SelfCheck


class Http01Options(Struct, frozen=True, kw_only=True):
    """`addresses` are the IP addresses at which proxies of the cluster reach the responder, on `port`.

    Without any, the names to prove lead to the responder themselves and no objects are made (no cluster).
    `pods` says how solver Pods are made, for challenges that are `in_pod`.
    """

    addresses: tuple[str, ...] = ()
    port: int = PORT
    extra_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    exact_path: bool = True
    pods: PodOptions | None = None


class Http01Solver:
    """Safe to share and to call at once for many challenges; each call may be repeated.

    `Retry` says what failed in a sentence for the status, `Blocked` (`InvalidSolver`) that the issuer must change.
    """

    def __init__(self, client: KubeClient, responder: Responder, self_check: SelfCheck, options: Http01Options) -> None:
        self._responder = responder
        self._self_check = self_check
        self._options = options
        self._has_objects = bool(options.addresses)
        labels = options.extra_labels
        self._own = OwnObjects(client)
        self._shared = Backend(
            client, BackendOptions(addresses=options.addresses, port=options.port, extra_labels=labels)
        )
        self._routes = Routes(client, RouteOptions(exact_path=options.exact_path, extra_labels=labels))

    async def present(self, challenge: Http01Challenge) -> None:
        """The answer is served and routed; what is missing is made again, what is too much is deleted."""
        self._responder.serve(_answer(challenge))
        if not self._has_objects and not challenge.in_pod:
            return
        with asking_the_api_server(f"the HTTP-01 path of {challenge.identifier} was not set up"):
            await self._routes.lead(challenge, await self._service(challenge))
            if challenge.in_pod:
                await self._shared.leave(challenge)

    async def check(self, challenge: Http01Challenge) -> Visibility:
        """One look whether the answer is found where the CA asks."""
        return await self._self_check.look(challenge)

    async def clean_up(self, challenge: Http01Challenge) -> None:
        """The answer and the objects are gone, and an Ingress that was edited is as it was."""
        self._responder.withdraw(_answer(challenge))
        if not self._has_objects and not challenge.in_pod:
            return
        with asking_the_api_server(f"the HTTP-01 path of {challenge.identifier} was not taken away"):
            await self._routes.withdraw(challenge)
            await self._shared.leave(challenge)
            if self._options.pods is not None:
                await self._own.delete_all(SERVICES, challenge)
                await self._own.delete_all(PODS, challenge)

    async def _service(self, challenge: Http01Challenge) -> str:
        """The name of the Service that leads to the answer."""
        if not challenge.in_pod:
            return await self._shared.join(challenge)
        if self._options.pods is None:
            raise Blocked("InvalidSolver", "solver Pods are switched off here; give --acme-http01-solver-image")
        labels = self._options.extra_labels
        await self._own.keep_one(PODS, challenge, solver_pod(challenge, self._options.pods, labels))
        return (await self._own.keep_one(SERVICES, challenge, pod_service(challenge, labels))).metadata.name


def _answer(challenge: Http01Challenge) -> Answer:
    return Answer(challenge.identifier, challenge.token, challenge.key)
