"""One bounded, timed, counted HTTP request to an ACME server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

import aiohttp
from msgspec import Struct
from yarl import URL

from certwright.acme.client.connecting import ConnectToResolver
from certwright.acme.client.errors import AcmeUnreachable
from certwright.acme.client.options import TransportOptions, proxy_for, tls_context
from certwright.clock import Clock

LARGEST_BODY = 1 << 20
# The status that stands for "no answer" in the metrics.
NO_ANSWER = 999


class Request(NamedTuple):
    """What the metrics hook is told of a request; `status` is `NO_ANSWER` without an answer."""

    scheme: str
    host: str
    action: str
    method: str
    status: int
    seconds: float


MetricsHook = Callable[[Request], None]


class Answer(Struct, frozen=True):
    """An HTTP answer, its body read whole; header names are in lower case, `links` are the Link headers."""

    status: int
    url: str
    headers: Mapping[str, str]
    links: tuple[str, ...]
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport:
    """Holds one HTTP session to ACME servers; `close` when done. `ValueError` for an unusable CA bundle."""

    def __init__(self, options: TransportOptions, clock: Clock, metrics: MetricsHook | None = None) -> None:
        self._options = options
        self._clock = clock
        self._metrics = metrics
        self._tls = tls_context(options)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, action: str) -> Answer:
        """GET, following redirects."""
        return await self._request("GET", url, action, None)

    async def head(self, url: str, action: str) -> Answer:
        """HEAD, following redirects."""
        return await self._request("HEAD", url, action, None)

    async def post(self, url: str, body: bytes, action: str) -> Answer:
        """POST of a JWS; a redirect is not followed, since the signature covers the URL."""
        return await self._request("POST", url, action, body)

    async def close(self) -> None:
        """Close the connections; a second call does nothing."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _request(self, method: str, url: str, action: str, body: bytes | None) -> Answer:
        target = _checked(url)
        begun = self._clock.monotonic()
        status = NO_ANSWER
        try:
            answer = await self._send(method, target, body)
            status = answer.status
        except TimeoutError as error:
            raise _unreachable(method, url, "no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError) as error:
            raise _unreachable(method, url, str(error) or type(error).__name__) from error
        finally:
            if self._metrics:
                seconds = self._clock.monotonic() - begun
                self._metrics(Request(target.scheme, target.authority, action, method, status, seconds))
        return answer

    async def _send(self, method: str, url: URL, body: bytes | None) -> Answer:
        headers = {"Content-Type": "application/jose+json"} if body is not None else {}
        proxy = proxy_for(url) if self._options.proxies_from_environment else None
        async with self._open().request(
            method, url, data=body, headers=headers, proxy=proxy, allow_redirects=body is None, max_redirects=5
        ) as response:
            return Answer(
                response.status,
                str(response.url),
                {name.lower(): value for name, value in response.headers.items()},
                tuple(response.headers.getall("Link", ())),
                await _read(response),
            )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=ConnectToResolver(self._options.connect_to), ssl=self._tls)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._options.timeout.total_seconds()),
                headers={"User-Agent": self._options.user_agent},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _checked(url: str) -> URL:
    target = URL(url)
    if target.scheme not in {"http", "https"} or not target.host:
        raise AcmeUnreachable(f"the ACME URL {url!r} must start with https:// and name a host")
    return target


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            response.close()
            raise ValueError(f"the answer is larger than {LARGEST_BODY} bytes")
    return bytes(body)


def _unreachable(method: str, url: str, why: str) -> AcmeUnreachable:
    return AcmeUnreachable(f'{method.capitalize()} "{url}": {why}')
