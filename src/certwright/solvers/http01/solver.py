"""HTTP-01 in mode `shared`: our own responder answers, and objects in the challenge's namespace lead to it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from certwright.kube.client.client import KubeClient
from certwright.solvers.base import Visibility
from certwright.solvers.http01.backend import Backend, BackendOptions
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.found import asking_the_api_server
from certwright.solvers.http01.responder import PORT, Answer, Responder
from certwright.solvers.http01.routes import RouteOptions, Routes
from certwright.solvers.http01.self_check import SelfCheck


class Http01Options(Struct, frozen=True, kw_only=True):
    """`addresses` are the IP addresses at which proxies of the cluster reach the responder, on `port`.

    Without any, the names to prove lead to the responder themselves and no objects are made (no cluster).
    """

    addresses: tuple[str, ...] = ()
    port: int = PORT
    extra_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    exact_path: bool = True


class Http01Solver:
    """Safe to share and to call at once for many challenges; each call may be repeated.

    `Retry` says what failed in a sentence for the status, `Blocked` (`InvalidSolver`) that the issuer must change.
    """

    def __init__(self, client: KubeClient, responder: Responder, self_check: SelfCheck, options: Http01Options) -> None:
        self._responder = responder
        self._self_check = self_check
        self._has_objects = bool(options.addresses)
        labels = options.extra_labels
        self._backend = Backend(
            client, BackendOptions(addresses=options.addresses, port=options.port, extra_labels=labels)
        )
        self._routes = Routes(client, RouteOptions(exact_path=options.exact_path, extra_labels=labels))

    async def present(self, challenge: Http01Challenge) -> None:
        """The answer is served and routed; what is missing is made again, what is too much is deleted."""
        self._responder.serve(_answer(challenge))
        if self._has_objects:
            with asking_the_api_server(f"the HTTP-01 path of {challenge.identifier} was not set up"):
                await self._routes.lead(challenge, await self._backend.join(challenge))

    async def check(self, challenge: Http01Challenge) -> Visibility:
        """One look whether the answer is found where the CA asks."""
        return await self._self_check.look(challenge)

    async def clean_up(self, challenge: Http01Challenge) -> None:
        """The answer and the objects are gone, and an Ingress that was edited is as it was."""
        self._responder.withdraw(_answer(challenge))
        if self._has_objects:
            with asking_the_api_server(f"the HTTP-01 path of {challenge.identifier} was not taken away"):
                await self._routes.withdraw(challenge)
                await self._backend.leave(challenge)


def _answer(challenge: Http01Challenge) -> Answer:
    return Answer(challenge.identifier, challenge.token, challenge.key)
