"""One bounded, timed, counted HTTP request to an ACME server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import aiohttp
from msgspec import Struct
from yarl import URL

from certwright.acme.client.errors import AcmeUnreachable
from certwright.acme.client.options import TransportOptions
from certwright.acme.protocol import jws
from certwright.clock import Clock
from certwright.rest import Proxies, RestError, failure_words, read_bounded, tls_context
from certwright.rest import Transport as Connections

LARGEST_BODY = 1 << 20
MOST_REDIRECTS = 5
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
    """Holds the connections to ACME servers; `close` when done. `ValueError` for an unusable CA bundle."""

    def __init__(self, options: TransportOptions, clock: Clock, metrics: MetricsHook | None = None) -> None:
        self._clock = clock
        self._metrics = metrics
        self._timeout = aiohttp.ClientTimeout(total=options.timeout.total_seconds())
        self._tls = tls_context(
            options.ca_bundle_pem + b"\n" * bool(options.trusted_ca_pem) + options.trusted_ca_pem,
            system_roots=not options.ca_bundle_pem,
            skip_verify=options.skip_tls_verify,
        )
        proxies = None if options.proxies_from_environment else Proxies()
        self._connections = Connections(clock, proxies, options.user_agent, options.connect_to)

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
        await self._connections.close()

    async def _request(self, method: str, url: str, action: str, body: bytes | None) -> Answer:
        target = _checked(url)
        begun = self._clock.monotonic()
        status = NO_ANSWER
        try:
            answer = await self._send(method, target, body)
            status = answer.status
        except TimeoutError as error:
            raise _unreachable(method, url, "no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError, RestError) as error:
            raise _unreachable(method, url, failure_words(error)) from error
        finally:
            if self._metrics:
                seconds = self._clock.monotonic() - begun
                self._metrics(Request(target.scheme, target.authority, action, method, status, seconds))
        return answer

    async def _send(self, method: str, url: URL, body: bytes | None) -> Answer:
        async with self._connections.session.request(
            method,
            url,
            data=body,
            headers={"Content-Type": jws.CONTENT_TYPE} if body is not None else {},
            proxy=self._connections.proxy_for(url),
            allow_redirects=body is None,
            max_redirects=MOST_REDIRECTS,
            timeout=self._timeout,
            ssl=self._tls,
        ) as response:
            return Answer(
                response.status,
                str(response.url),
                {name.lower(): value for name, value in response.headers.items()},
                tuple(response.headers.getall("Link", ())),
                await read_bounded(response, LARGEST_BODY),
            )


def _checked(url: str) -> URL:
    with contextlib.suppress(ValueError):
        target = URL(url)
        if target.scheme in {"http", "https"} and target.host:
            return target
    raise AcmeUnreachable(f"the ACME URL {url[:200]!r} must start with https:// and name a host")


def _unreachable(method: str, url: str, why: str) -> AcmeUnreachable:
    return AcmeUnreachable(f'{method.capitalize()} "{url}": {why}')
