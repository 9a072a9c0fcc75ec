"""Death at a chosen moment: after a request was answered by the other side, and before we know of it."""

from __future__ import annotations

import pytest

from certwright.acme.client.transport import Answer
from certwright.acme.client.transport import Transport as AcmeTransport
from certwright.kube.client.calls import Call
from certwright.kube.client.transport import Transport as KubeTransport
from certwright.rest import RestAnswer, RestClient, RestRequest


class Dead(Exception):
    """The process is no more."""


class Fuse:
    """Counts requests of this process; at number `blow_at` (0: never) the process dies, and sends nothing any more."""

    def __init__(self) -> None:
        self.blow_at = 0
        self.answered: list[str] = []
        self.is_dead = False

    def renew(self, blow_at: int = 0) -> None:
        """A new process."""
        self.blow_at, self.is_dead = blow_at, False
        self.answered = []

    def before(self) -> None:
        """A request is about to be sent."""
        if self.is_dead:
            raise Dead

    def after(self, what: str) -> None:
        """It has been answered."""
        self.before()
        self.answered.append(what)
        if len(self.answered) == self.blow_at:
            self.is_dead = True
            raise Dead


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    """In the way of all requests to the API server (but events and watches), the CA and the cloud."""
    fuse = Fuse()
    acme_request, kube_send, rest_send = AcmeTransport._request, KubeTransport.send, RestClient.send

    async def to_ca(self: AcmeTransport, method: str, url: str, action: str, body: bytes | None) -> Answer:
        fuse.before()
        answer = await acme_request(self, method, url, action, body)
        fuse.after(f"{method} {action}")
        return answer

    async def to_api_server(self: KubeTransport, call: Call) -> bytes:
        fuse.before()
        answer = await kube_send(self, call)
        if "/events" not in call.path and not (call.method == "GET" and "?" in call.path):
            fuse.after(f"{call.method} {call.path}")
        return answer

    async def to_cloud(self: RestClient, request: RestRequest) -> RestAnswer:
        fuse.before()
        answer = await rest_send(self, request)
        fuse.after(f"{request.method} {request.path}")
        return answer

    monkeypatch.setattr(AcmeTransport, "_request", to_ca)
    monkeypatch.setattr(KubeTransport, "send", to_api_server)
    monkeypatch.setattr(RestClient, "send", to_cloud)
    return fuse
