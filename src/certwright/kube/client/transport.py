"""HTTP to one API server: connections, credentials, limits, and the retries that any caller would make."""

from __future__ import annotations

import logging
import os
import random
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import aiohttp
from aiohttp import hdrs
from aiohttp.client_exceptions import ClientError
from msgspec import Struct
from yarl import URL

from certwright.clock import Clock
from certwright.kube.client.calls import Call
from certwright.kube.client.connection import Connection, Impersonation
from certwright.kube.client.credentials import (
    Anonymous,
    BearerToken,
    ExecCommand,
    FixedProver,
    KeyPair,
    Password,
    Proof,
    Prover,
    TokenFile,
    TokenFileProver,
    basic,
)
from certwright.kube.client.errors import BadConnection, Unreachable
from certwright.kube.client.exec_plugin import ExecProver
from certwright.kube.client.rate import TokenBucket
from certwright.kube.client.tls import client_context
from certwright.kube.wire.status import ApiError, error_from
from certwright.rest import Proxies, SecretText, parse_retry_after, redact
from certwright.rest.connections import Connector

LOG = logging.getLogger(__name__)

# What aiohttp gives before the answer has begun; its class has no public name.
_Requesting = AbstractAsyncContextManager[aiohttp.ClientResponse]

# A read that gets no answer, or a request that the server was too busy for, is tried this often in all.
TRIES = 4
FIRST_WAIT = timedelta(milliseconds=200)
LONGEST_WAIT = timedelta(seconds=30)
CONNECT_TIMEOUT = 10.0
MOST_WARNINGS = 1000
MOST_ERROR_BYTES = 64 * 1024
# Of a long answer no more is read ahead (four times this, as the event loop reads) than fits into the caches of a
# processor.
READ_SIZE = 64 * 1024


class ClientOptions(Struct, frozen=True, kw_only=True):
    """`qps` 0 means no limit of our own."""

    user_agent: str = "certwright"
    qps: float = 0
    burst: int = 0
    timeout: timedelta = timedelta(seconds=30)
    most_connections: int = 100


class _Answer(Struct, frozen=True):
    status: int
    body: bytes
    retry_after: str


class Transport:
    """Sends calls. Redirects are not followed, since they could carry credentials elsewhere."""

    def __init__(self, connection: Connection, clock: Clock, options: ClientOptions) -> None:
        self.clock = clock
        self._connection = connection
        self._options = options
        self._bucket = TokenBucket(options.qps, options.burst, clock)
        self._prover = _prover(connection, clock)
        self._pair = connection.certificate
        self._tls: ssl.SSLContext | bool = True
        if connection.server.startswith("https:"):
            self._tls = client_context(connection.trust, connection.certificate)
        self._proxy = _proxy(connection)
        self._base = connection.server
        self._session: aiohttp.ClientSession | None = None
        self._timeout = _timeout(options.timeout)
        self._warned: set[str] = set()
        self._random = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def send(self, call: Call) -> bytes:
        """The body of a success. A busy server (429, 503 with Retry-After) is asked again, a lost read repeated."""
        is_renewed = False
        for attempt in range(1, TRIES + 1):
            proof = await self._ready()
            answer = await self._attempt(call, proof, attempt)
            if answer is None:
                continue
            if answer.status < 300:
                return answer.body
            if answer.status == 401 and not is_renewed and self._prover.refused(proof):
                is_renewed = True
                continue
            wait = self._asked_wait(answer) if attempt < TRIES else None
            if wait is None:
                raise error_from(answer.status, answer.body)
            await self.clock.wait(wait)
        raise AssertionError("the last attempt ends in one way or the other")

    async def _ready(self) -> Proof:
        if not self._bucket.is_open:
            await self._bucket.take()
        proof = await self._prover.proof()
        if proof.certificate is not None and proof.certificate != self._pair:
            self._show(proof.certificate)
        return proof

    async def _attempt(self, call: Call, proof: Proof, attempt: int) -> _Answer | None:
        """None where the call was lost and is worth another try, after a wait."""
        try:
            return await self._once(call, proof)
        except Unreachable as error:
            # What was too large once is so again.
            if call.method != hdrs.METH_GET or attempt == TRIES or isinstance(error.__cause__, _TooLarge):
                raise
        await self.clock.wait(FIRST_WAIT * 2 ** (attempt - 1) * (1 + self._random.random()))
        return None

    async def _once(self, call: Call, proof: Proof) -> _Answer:
        patience = self._timeout if call.timeout is None else _timeout(call.timeout)
        try:
            async with self._request(call, proof, patience) as response:
                body = await _read(response, call.limit if response.status < 300 else MOST_ERROR_BYTES)
                if hdrs.WARNING in response.headers:
                    self._warn(response)
                return _Answer(response.status, body, response.headers.get(hdrs.RETRY_AFTER, ""))
        except (ClientError, OSError, TimeoutError, _TooLarge) as error:
            raise self._lost(call, error) from error

    @asynccontextmanager
    async def stream(self, call: Call, patience: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        """The open answer to a watch; an `ApiError` where it is no success."""
        proof = await self._ready()
        try:
            async with self._request(call, proof, patience) as response:
                if response.status >= 300:
                    raise await self._refusal(response, proof)
                yield response
        except (ClientError, OSError, TimeoutError, _TooLarge) as error:
            raise self._lost(call, error) from error

    async def _refusal(self, response: aiohttp.ClientResponse, proof: Proof) -> ApiError:
        body = await _read(response, MOST_ERROR_BYTES)
        if response.status == 401:
            self._prover.refused(proof)
        return error_from(response.status, body)

    def _request(self, call: Call, proof: Proof, patience: aiohttp.ClientTimeout) -> _Requesting:
        headers = {hdrs.ACCEPT: call.accept}
        if call.body is not None:
            headers[hdrs.CONTENT_TYPE] = call.media
        if proof.authorization:
            headers[hdrs.AUTHORIZATION] = proof.authorization.reveal()
        return self.session.request(
            call.method,
            URL(self._base + call.path, encoded=True),
            data=call.body,
            headers=headers,
            allow_redirects=False,
            timeout=patience,
            ssl=self._tls,
            proxy=self._proxy,
            server_hostname=self._connection.trust.name or None,
        )

    def _lost(self, call: Call, error: Exception) -> Unreachable:
        where = f"the API server at {self._connection.socket or self._base}"
        match error:
            case _TooLarge(limit=limit):
                return Unreachable(f"{call.what} was answered with more than {limit} bytes.")
            case TimeoutError():
                return Unreachable(f"{call.what} was not answered in time by {where}.")
            case _:
                return Unreachable(f"{call.what} got no answer from {where}: {self._words(error)}")

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened at the first use on the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=READ_SIZE,
                headers=[
                    (hdrs.USER_AGENT, self._options.user_agent),
                    (hdrs.ACCEPT_ENCODING, "identity" if self._is_near else "gzip"),
                    *_impersonation(self._connection.impersonation),
                ],
            )
        return self._session

    @property
    def _is_near(self) -> bool:
        """Compression saves nothing on this machine."""
        return self._connection.socket is not None or URL(self._base).host in {"localhost", "127.0.0.1", "::1"}

    def _connector(self) -> aiohttp.BaseConnector:
        # A connection is used again for less long than the API server (and most load balancers) keep it open.
        most, keep = self._options.most_connections, 60.0
        if self._connection.socket is not None:
            return aiohttp.UnixConnector(str(self._connection.socket), limit=0, keepalive_timeout=keep)
        return Connector(limit=0, limit_per_host=max(0, most), keepalive_timeout=keep, socket_factory=_watched_socket)

    def _show(self, pair: KeyPair) -> None:
        self._pair = pair
        self._tls = client_context(self._connection.trust, pair)

    def _asked_wait(self, answer: _Answer) -> timedelta | None:
        if answer.status not in {429, 503} or not answer.retry_after:
            return None
        wait = parse_retry_after(answer.retry_after, self.clock.now())
        return None if wait is None else min(wait, LONGEST_WAIT) * (1 + self._random.random() / 10)

    def _warn(self, response: aiohttp.ClientResponse) -> None:
        for value in response.headers.getall(hdrs.WARNING):
            if value not in self._warned and len(self._warned) < MOST_WARNINGS:
                self._warned.add(value)
                LOG.warning("The API server warns", extra={"warning": _warning_text(value)})

    def _words(self, error: BaseException) -> str:
        words = str(error) or type(error).__name__
        password = URL(self._proxy).password if self._proxy else None
        return redact(words, [password]) if password else words

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class _TooLarge(Exception):
    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    length = response.content_length
    if length is not None and length <= limit and hdrs.CONTENT_ENCODING not in response.headers:
        return await response.read()
    parts = []
    size = 0
    async for part in response.content.iter_chunked(256 * 1024):
        parts.append(part)
        size += len(part)
        if size > limit:
            response.close()
            raise _TooLarge(limit)
    return b"".join(parts)


def _timeout(length: timedelta) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=length.total_seconds(), sock_connect=CONNECT_TIMEOUT)


def _prover(connection: Connection, clock: Clock) -> Prover:
    match connection.identification:
        case Anonymous():
            return FixedProver(SecretText(""))
        case BearerToken(token):
            return FixedProver(SecretText(f"Bearer {token.reveal()}"))
        case Password(user, password):
            return FixedProver(basic(user, password))
        case TokenFile(path):
            return TokenFileProver(path, clock)
        case ExecCommand() as command:
            return ExecProver(command, clock)


def _proxy(connection: Connection) -> str | None:
    if connection.socket is not None:
        return None
    found = connection.proxy or Proxies.from_environment(os.environ).for_url(URL(connection.server))
    if found and URL(found).scheme not in {"http", "https"}:
        raise BadConnection(f"Proxies of the kind {URL(found).scheme!r} are not spoken; name an http or https proxy.")
    return found


def _impersonation(who: Impersonation) -> list[tuple[str, str]]:
    headers = [("Impersonate-User", who.user), ("Impersonate-Uid", who.uid)]
    headers += [("Impersonate-Group", group) for group in who.groups]
    headers += [(f"Impersonate-Extra-{name}", value) for name, values in who.extra.items() for value in values]
    return [(name, value) for name, value in headers if value]


def _watched_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A peer that is gone without a word is noticed within a minute, also by a watch that waits."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made


def _warning_text(value: str) -> str:
    """The text of `299 - "text"` (RFC 7234 5.5)."""
    quoted = value.split('"', 1)
    return quoted[1].rstrip().removesuffix('"').replace('\\"', '"') if len(quoted) == 2 else value
