"""Signed requests with nonces (RFC 8555 sections 6.2 to 6.5)."""

from __future__ import annotations

from datetime import timedelta

from certwright.acme.client.errors import AcmeProblem, AcmeUnreachable
from certwright.acme.client.transport import Answer, Transport
from certwright.acme.protocol import jws
from certwright.acme.protocol.keys import AccountKey
from certwright.acme.protocol.problems import read_problem
from certwright.clock import Clock
from certwright.rest import parse_retry_after

MOST_NONCES = 50
NONCE_RETRIES = 6
NONCE_PATIENCE = timedelta(seconds=3)
FIRST_ERROR = 300


class SignedRequests:
    """Posts signed bodies; keeps nonces, and tries again with a new one when the server refuses the nonce."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._nonces: list[str] = []
        self.new_nonce_url = ""

    async def post(self, url: str, payload: bytes, key: AccountKey, kid: str, action: str) -> Answer:
        """The answer; raises `AcmeProblem` for anything that is not a success."""
        begun = self._clock.monotonic()
        for attempt in range(NONCE_RETRIES + 1):
            nonce = await self._nonce(action)
            answer = await self._transport.post(url, jws.sign_request(key, payload, url, nonce, kid), action)
            self._keep_nonce(answer)
            if answer.status < FIRST_ERROR:
                return answer
            problem = self.problem_of(answer)
            spent = timedelta(seconds=self._clock.monotonic() - begun)
            if problem.kind != "badNonce" or attempt == NONCE_RETRIES or spent > NONCE_PATIENCE:
                raise problem
            # A server that refuses one nonce has most likely forgotten the others too.
            del self._nonces[:-1]
        raise AssertionError("the last attempt returns or raises")

    def problem_of(self, answer: Answer) -> AcmeProblem:
        """The exception for an answer that is no success."""
        problem = read_problem(answer.body, answer.status, answer.content_type)
        return AcmeProblem(problem, answer.status, self.retry_after_of(answer))

    def retry_after_of(self, answer: Answer) -> timedelta | None:
        """What the Retry-After header asks for."""
        return parse_retry_after(answer.headers.get("retry-after", ""), self._clock.now())

    async def _nonce(self, action: str) -> str:
        if not self._nonces:
            answer = await self._transport.head(self.new_nonce_url, action)
            if answer.status >= FIRST_ERROR:
                raise self.problem_of(answer)
            self._keep_nonce(answer)
            if not self._nonces:
                raise AcmeUnreachable(
                    f'Head "{self.new_nonce_url}": the answer {answer.status} has no Replay-Nonce; '
                    "check that the URL is an ACME directory"
                )
        return self._nonces.pop()

    def _keep_nonce(self, answer: Answer) -> None:
        nonce = answer.headers.get("replay-nonce", "")
        if nonce and len(self._nonces) < MOST_NONCES:
            self._nonces.append(nonce)
