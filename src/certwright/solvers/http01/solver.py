"""HTTP-01 in mode `shared`: our own responder answers, and objects in the challenge's namespace lead to it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from certwright.kube.client.client import KubeClient
from certwright.solvers.base import Visibility
from certwright.solvers.http01.challenge import Http01Challenge
from certwright.solvers.http01.responder import PORT, Responder
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
        self._client = client
        self._responder = responder
        self._self_check = self_check
        self._options = options

    async def present(self, challenge: Http01Challenge) -> None:
        """The answer is served and routed; what is missing is made again, what is too much is deleted."""
        raise NotImplementedError

    async def check(self, challenge: Http01Challenge) -> Visibility:
        """One look whether the answer is found where the CA asks."""
        raise NotImplementedError

    async def clean_up(self, challenge: Http01Challenge) -> None:
        """The answer and the objects are gone, and an Ingress that was edited is as it was."""
        raise NotImplementedError
