"""One JSON-over-HTTP client with typed errors."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

import aiohttp
import msgspec
from msgspec import Struct
from yarl import URL

from certwright.rest.errors import RestError, parse_retry_after
from certwright.rest.secret_text import SecretText
from certwright.rest.transport import Transport, read_bounded, tls_context
from certwright.rest.words import LONGEST_WORDS, failure_words, redact, words_of

T = TypeVar("T")


class RestRequest(Struct, frozen=True, kw_only=True):
    """One request. `path` is relative to the client's base URL, or a whole URL of the same host."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str | SecretText] = {}
    json: object = msgspec.UNSET
    body: bytes = b""


class RestAnswer(Struct, frozen=True):
    """A 2xx answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self, shape: type[T]) -> T:
        """The body as `shape`; RestError where it is something else."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except msgspec.DecodeError as error:
            message = f"the answer is not the JSON that was expected ({error}); check the server's address"
            raise RestError(self.status, message, body=self.body) from error


class RestOptions(Struct, frozen=True, kw_only=True):
    """Where a client talks to and how: `ca_bundle` is PEM that is trusted besides the system's roots."""

    base_url: str
    headers: Mapping[str, str | SecretText] = {}
    secrets: tuple[SecretText, ...] = ()
    timeout: timedelta = timedelta(seconds=30)
    body_limit: int = 4 * 1024 * 1024
    ca_bundle: bytes = b""
    skip_tls_verify: bool = False
    tls: ssl.SSLContext | None = None
    """Where given, it takes the place of `ca_bundle` and `skip_tls_verify`."""
    server_name: str = ""
    """The name to ask for and to expect in the server's certificate, where it is not that of the URL."""


class RestClient:
    """Requests to one server. Redirects are not followed, since they could carry credentials elsewhere."""

    def __init__(self, transport: Transport, options: RestOptions) -> None:
        self._transport = transport
        self._options = options
        self._base = URL(options.base_url.rstrip("/") + "/")
        self._ssl = _tls(options)

    async def send(self, request: RestRequest) -> RestAnswer:
        """The answer where it is 2xx; RestError otherwise, also where no answer comes in time or it is too large."""
        url = self._url(request)
        timeout = aiohttp.ClientTimeout(total=self._options.timeout.total_seconds())
        try:
            async with self._transport.session.request(
                request.method,
                url,
                params=request.query or None,
                headers=self._headers(request),
                data=_body(request),
                allow_redirects=False,
                timeout=timeout,
                ssl=self._ssl,
                server_hostname=self._options.server_name or None,
                proxy=self._transport.proxy_for(url),
            ) as response:
                body = await read_bounded(response, self._options.body_limit)
                return self._checked(request, response, body)
        except TimeoutError as error:
            seconds = f"{self._options.timeout.total_seconds():g} s"
            raise RestError(0, f"{_what(request, url)} was not answered within {seconds}") from error
        except (aiohttp.ClientError, OSError) as error:
            words = self._redact(request, failure_words(error))
            raise RestError(0, f"{_what(request, url)} got no answer: {words}") from error

    def _url(self, request: RestRequest) -> URL:
        try:
            url = self._base.join(URL(request.path.removeprefix("/")))
        except ValueError as error:
            raise RestError(0, f"{request.path[:200]!r} was not asked: it is no URL") from error
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            where = f"{url.scheme}://{url.authority}"
            raise RestError(0, f"{where} was not asked: this client only talks to {self._base.origin()}")
        return url

    def _headers(self, request: RestRequest) -> dict[str, str]:
        headers: dict[str, str | SecretText] = {"Accept": "application/json"}
        if request.json is not msgspec.UNSET:
            headers["Content-Type"] = "application/json"
        headers |= {**self._options.headers, **request.headers}
        return {name: value.reveal() if isinstance(value, SecretText) else value for name, value in headers.items()}

    def _checked(self, request: RestRequest, response: aiohttp.ClientResponse, body: bytes) -> RestAnswer:
        if 200 <= response.status < 300:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return RestAnswer(response.status, headers, body)
        words = self._redact(request, words_of(body) or _phrase(response.status))
        message = f"{_what(request, response.url)} was answered with {response.status}: {words}"
        after = parse_retry_after(response.headers.get("Retry-After", ""), self._transport.clock.now())
        raise RestError(response.status, message, after, self._redact_body(request, body))

    def _secrets(self, request: RestRequest) -> list[str]:
        values = [*self._options.headers.values(), *request.headers.values(), *self._options.secrets]
        return [value.reveal() for value in values if isinstance(value, SecretText) and value]

    def _redact(self, request: RestRequest, words: str) -> str:
        return redact(words, self._secrets(request))[:LONGEST_WORDS]

    def _redact_body(self, request: RestRequest, body: bytes) -> bytes:
        return redact(body.decode(errors="replace"), self._secrets(request)).encode()


def _body(request: RestRequest) -> bytes | None:
    if request.json is not msgspec.UNSET:
        return msgspec.json.encode(request.json)
    return request.body or None


def _what(request: RestRequest, url: URL) -> str:
    return f"{request.method} {url.with_query(None).with_user(None)}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an unknown status"


def _tls(options: RestOptions) -> ssl.SSLContext | bool:
    if options.tls is not None:
        return options.tls
    if not options.ca_bundle or options.skip_tls_verify:
        return not options.skip_tls_verify
    try:
        return tls_context(options.ca_bundle)
    except ValueError as error:
        raise RestError(0, str(error)) from error
