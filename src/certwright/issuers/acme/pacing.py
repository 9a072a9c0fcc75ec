"""Rate limits of a CA, honoured in one place for all that one account does."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from certwright.acme.client.errors import AcmeProblem
from certwright.acme.client.options import TransportOptions
from certwright.acme.client.transport import Answer, MetricsHook, Transport
from certwright.acme.protocol.problems import acme_problem
from certwright.clock import Clock
from certwright.rest import parse_retry_after

USUAL_PAUSE = timedelta(seconds=10)
# A limit may hold for one name alone, for days: who was refused waits as long as the CA says, others no longer than so.
LONGEST_SHARED_PAUSE = timedelta(minutes=1)
EVERYTHING = ""


class PacedTransport(Transport):
    """Refuses by itself, as the CA would, what the CA has asked to pause: no request is made for nothing.

    A 429 pauses the kind of request that met it (`action`), a 503 with Retry-After pauses all.
    """

    def __init__(self, options: TransportOptions, clock: Clock, metrics: MetricsHook | None = None) -> None:
        super().__init__(options, clock, metrics)
        self._now = clock.now
        self._paused: dict[str, datetime] = {}

    async def get(self, url: str, action: str) -> Answer:
        self._refuse(action)
        return self._noted(action, await super().get(url, action))

    async def head(self, url: str, action: str) -> Answer:
        self._refuse(action)
        return self._noted(action, await super().head(url, action))

    async def post(self, url: str, body: bytes, action: str) -> Answer:
        self._refuse(action)
        return self._noted(action, await super().post(url, body, action))

    def _refuse(self, action: str) -> None:
        until = max((self._paused[kind] for kind in (action, EVERYTHING) if kind in self._paused), default=None)
        if until is None or until <= self._now():
            return
        text = f"the CA asked us to slow down; this kind of request goes on at {until:%Y-%m-%dT%H:%M:%SZ}"
        problem = acme_problem("rateLimited", text, HTTPStatus.TOO_MANY_REQUESTS)
        raise AcmeProblem(problem, HTTPStatus.TOO_MANY_REQUESTS, until - self._now())

    def _noted(self, action: str, answer: Answer) -> Answer:
        asked = parse_retry_after(answer.headers.get("retry-after", ""), self._now())
        pause = min(USUAL_PAUSE if asked is None else asked, LONGEST_SHARED_PAUSE)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._paused[action] = self._now() + pause
        elif answer.status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None:
            self._paused[EVERYTHING] = self._now() + pause
        return answer
